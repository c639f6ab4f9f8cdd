import type { SpecVersion } from './model.ts';
import type { Reading } from './reading.ts';
import { scalarText, type Entry } from './tree.ts';

/** The versions that are read, oldest first. */
export const specVersions = ['v0.4', 'v0.5', 'v0.6', 'v0.7'] as const satisfies readonly SpecVersion[];

/** `v0.6`, `0.6`, `0.6.0` and the like as a version that is read. */
export function parseSpec(text: string): SpecVersion | undefined {
  const [, majorMinor] = /^v?(\d+\.\d+)(?:\.\d+)?$/.exec(text) ?? [];
  return specVersions.find((version) => version === `v${majorMinor}`);
}

/** Which version a file is of, without judging it: v0.6, kraft's default, where it does not say. */
export function guessSpec(text: string | undefined): SpecVersion | undefined {
  return text === undefined ? 'v0.6' : parseSpec(text);
}

/** Checks `spec` and `specification` and tells what is wrong with them. */
export function checkSpec(reading: Reading, top: ReadonlyMap<string, Entry>, start: Entry | undefined): void {
  const spec = top.get('spec');
  const specification = top.get('specification');
  const entry = specification ?? spec;
  const expected = specVersions.join(', ');
  if (entry === undefined) {
    reading.error('SPEC_MISSING', start?.keyNode ?? [0, 0], 'The version of the specification is missing', {
      expected,
      hint: 'Write spec: v0.6 at the top.',
    });
    return;
  }
  if (spec !== undefined && specification !== undefined) {
    reading.warn('SPEC_TWICE', spec.keyNode, 'Both spec and specification are there, and spec is not read', {
      hint: 'Keep one of them.',
    });
  }
  const scalar = reading.scalar(entry.value);
  const text = scalar === undefined ? undefined : scalarText(scalar);
  if (scalar === undefined || text === undefined || parseSpec(text) === undefined) {
    reading.error('SPEC_UNSUPPORTED', entry.value ?? entry.keyNode, `Version '${text ?? ''}' is not read`, {
      expected,
    });
    return;
  }
  if (typeof scalar.value === 'number') {
    reading.warn('SPEC_NUMBER', scalar, 'kraft refuses a version that is a number', {
      suggestion: parseSpec(text) ?? '',
    });
  }
}
