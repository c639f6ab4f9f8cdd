import { type ByteName, compareNames, parentOf } from './names.ts';

/** Watches whether entries come as our archives have them: sorted, and each below a directory that came before it. */
export class EntryOrder {
  #last: ByteName = '';
  /** The last directory and those above it; the root is ''. */
  readonly #open: ByteName[] = [''];

  /**
   * @param name  a clean name, not the root's
   * @returns false when the entry is out of order; the others after it then mean nothing any more
   */
  take(name: ByteName, isDirectory: boolean): boolean {
    if (compareNames(this.#last, name) >= 0) return false;
    this.#last = name;
    const parent = parentOf(name);
    // Directories that ended cannot come again in this order.
    while (this.#open.length > 1 && this.#open.at(-1) !== parent) this.#open.pop();
    if (this.#open.at(-1) !== parent) return false;
    if (isDirectory) this.#open.push(name);
    return true;
  }
}
