import { readKraftfile, type ReadOptions, type ReadResult } from '../src/read-kraftfile.ts';
import type { Kraftfile } from '../src/model.ts';

/** Reads a text as the Kraftfile of a folder called `folder`. */
export function read(text: string, options: Partial<ReadOptions> = {}): ReadResult {
  return readKraftfile(text, { file: 'Kraftfile', directoryName: 'folder', ...options });
}

/** The model of a text that must have one. */
export function modelOf(text: string, options: Partial<ReadOptions> = {}): Kraftfile {
  const { kraftfile, diagnostics } = read(text, options);
  if (kraftfile === undefined) throw new Error(`no model: ${diagnostics.map(({ message }) => message).join('; ')}`);
  return kraftfile;
}

/** What is told of a text, as `line:column CODE`, in the order of the file. */
export function codesOf(text: string, options: Partial<ReadOptions> = {}): readonly string[] {
  return read(text, options).diagnostics.map(({ line, column, code }) => `${line}:${column} ${code}`);
}
