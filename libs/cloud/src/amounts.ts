import { CloudFault } from './fault.ts';

const units: Readonly<Record<string, number>> = { '': 1, m: 1, mi: 1, mb: 1, g: 1024, gi: 1024, gb: 1024 };

/**
 * An amount of memory or of a volume in MiB: a number of MiB, or one with Mi or Gi behind it, as for `kraft cloud`.
 *
 * @throws CloudFault CLOUD_BAD_INPUT
 */
export function parseMebibytes(text: string): number {
  const [, digits = '', unit = ''] = /^(\d+)\s*([A-Za-z]*)$/.exec(text.trim()) ?? [];
  const mebibytes = Number(digits) * (units[unit.toLowerCase()] ?? NaN);
  if (digits !== '' && Number.isInteger(mebibytes) && mebibytes >= 1) return mebibytes;
  throw new CloudFault('CLOUD_BAD_INPUT', `'${text}' is no amount in MiB`, {
    hint: 'Write for example 256, 256Mi or 1Gi.',
  });
}

/** The memory that an image of this many bytes gets by default, in MiB, by the rule of kraft. */
export function defaultMemory(imageBytes: number): number {
  return Math.max(128, Math.round((imageBytes / (1024 * 1024)) * 1.1));
}
