import { type ByteName, toText } from './names.ts';

export interface LargeFile {
  readonly name: string;
  /** Bytes. */
  readonly size: number;
}

/** Keeps the ten largest files of those that it is told, largest first, then by name. */
export class LargestFiles {
  readonly #kept: { name: ByteName; size: number }[] = [];
  #least = 0;

  add(name: ByteName, size: number): void {
    if (size <= this.#least) return;
    this.#kept.push({ name, size });
    this.#kept.sort((a, b) => b.size - a.size || (a.name < b.name ? -1 : 1));
    if (this.#kept.length > limit) this.#kept.pop();
    if (this.#kept.length === limit) this.#least = this.#kept.at(-1)?.size ?? 0;
  }

  list(): LargeFile[] {
    return this.#kept.map(({ name, size }) => ({ name: toText(name), size }));
  }
}

const limit = 10;
