import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** A real Kraftfile of the corpus. */
export interface CorpusFile {
  readonly name: string;
  readonly text: string;
}

/**
 * The real Kraftfiles that tests and benchmarks read where they lie: in `NX_KRAFT_CORPUS`, else in `shared/corpus`
 * beside the repository.
 */
export function readCorpus(): readonly CorpusFile[] {
  const folder = process.env.NX_KRAFT_CORPUS ?? resolve(import.meta.dirname, '../../../../shared/corpus');
  const files = join(folder, 'kraftfiles');
  if (!existsSync(files)) {
    throw new Error(`There is no corpus of Kraftfiles at ${files}: set NX_KRAFT_CORPUS to the folder that holds it.`);
  }
  return readdirSync(files)
    .toSorted()
    .map((name) => ({ name, text: readFileSync(join(files, name), 'utf8') }));
}
