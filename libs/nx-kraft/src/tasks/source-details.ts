import { rmSync } from 'node:fs';
import { ContentDigests, type KnownContent } from '@nx-kraft/rootfs/content-digests';
import { FileDetails } from '@nx-kraft/rootfs/file-details';
import { dataFile, readIfThere, writeWhole } from '../inference/workspace-data.ts';

/** What Nx's hashes leave out of the sources of projects, told with a memory of the contents that were read for it. */
export class SourceDetails {
  readonly #memory: string;
  readonly #contents: ContentDigests;
  readonly #details: FileDetails;

  /** @param memory  the name of its file among Nx's data on the workspace */
  constructor(workspaceRoot: string, memory: string) {
    this.#memory = dataFile(workspaceRoot, memory);
    this.#contents = new ContentDigests(readContents(this.#memory));
    this.#details = new FileDetails(workspaceRoot, this.#contents);
  }

  /**
   * @param globs  of what is read, relative to the workspace; with `!` in front, of what is not
   * @param isLinked  whether it counts, too, which of the files are one with several names
   * @returns a digest, or the empty text where there is nothing of the kind
   */
  of(globs: readonly string[], isLinked: boolean): string {
    const excluded = globs.filter((glob) => glob.startsWith('!')).map((glob) => glob.slice(1));
    const read = globs.filter((glob) => !glob.startsWith('!'));
    return this.#details.digest(read, excluded, isLinked);
  }

  /** Keeps the memory, if there is anything to remember. */
  save(): void {
    const { known } = this.#contents;
    keepText(this.#memory, known.size === 0 ? '' : JSON.stringify([...known]));
  }
}

/** Keeps a text in a file, and an empty one in none. */
export function keepText(file: string, text: string): void {
  if (text === (readIfThere(file) ?? '')) return;
  // Another command may be as far as this one.
  if (text === '') rmSync(file, { force: true });
  else writeWhole(file, text);
}

/** A memory that cannot be read, for whatever reason, is one that is empty. */
function readContents(file: string): ReadonlyMap<string, KnownContent> {
  try {
    return new Map(JSON.parse(readIfThere(file) ?? '[]') as [string, KnownContent][]);
  } catch {
    return new Map();
  }
}
