import { MachineFault } from './fault.ts';

/** What a machine gets unless somebody says otherwise: as with kraft. */
export const defaultMemory = '64Mi';

const factors: Readonly<Record<string, number>> = {
  '': 1,
  k: 1e3,
  K: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 1024,
  Mi: 1024 ** 2,
  Gi: 1024 ** 3,
  Ti: 1024 ** 4,
};

const mebibyte = 1024 ** 2;

/**
 * Reads an amount of memory for a machine, see {@link parseQuantity}.
 *
 * @returns bytes
 * @throws MachineFault MACHINE_BAD_MEMORY for another form, and below 1 MiB
 */
export function parseMemory(text: string): number {
  const bytes = parseQuantity(text);
  if (bytes >= mebibyte) return bytes;
  throw new MachineFault('MACHINE_BAD_MEMORY', `${text} is less memory than a machine can have`, {
    hint: /\d$/.test(text.trim()) ? 'Without a unit it means bytes: did you mean Mi?' : 'The least is 1Mi.',
  });
}

/**
 * Reads an amount of bytes as Kubernetes writes quantities: a number and `Ki`, `Mi`, `Gi` (powers of 1024), `k`, `M`, `G`
 * (powers of 1000) or nothing (bytes).
 *
 * @returns bytes
 * @throws MachineFault MACHINE_BAD_MEMORY for another form
 */
export function parseQuantity(text: string): number {
  const match = /^(\d+(?:\.\d+)?)([A-Za-z]*)$/.exec(text.trim());
  const factor = factors[match?.[2] ?? '?'];
  if (match?.[1] === undefined || factor === undefined) {
    throw new MachineFault('MACHINE_BAD_MEMORY', `'${text}' is no amount of memory`, {
      hint: 'Write a number and a unit, for example 64Mi or 1Gi.',
    });
  }
  return Math.ceil(Number(match[1]) * factor);
}

/** Whole mebibytes that hold `bytes`. */
export function toMebibytes(bytes: number): number {
  return Math.ceil(bytes / mebibyte);
}
