import { type ByteName, compareNames } from './names.ts';

/**
 * Tells whether entries come depth first and siblings by byte, each in a directory that came before. Then no two of them
 * have one name, and no name leads through a symbolic link: without looking at the others, all is known of an entry.
 */
export class EntryOrder {
  #last: ByteName = '';
  /** The directory that came last, with a slash: in this order, an entry lies in it or in one of those that hold it. */
  #directory: ByteName = '';

  /** Takes the next entry's clean name; once the answer was no, the order is lost. */
  follows(name: ByteName, isDirectory: boolean): boolean {
    const parent = name.slice(0, name.lastIndexOf('/') + 1);
    if (!this.#directory.startsWith(parent) || compareNames(this.#last, name) >= 0) return false;
    this.#last = name;
    if (isDirectory) this.#directory = `${name}/`;
    return true;
  }
}
