/** A call's path and headers; a header may come several times, and Node would join such values. */
export class Metadata {
  readonly path: string;
  readonly #raw: readonly string[];

  /** @param raw  names and values in turn, as Node has them: each byte one character */
  constructor(path: string, raw: readonly string[]) {
    this.path = path;
    this.#raw = raw;
  }

  /** Values that are no ASCII come as in a URL's query, with a mark beside them; old versions of BuildKit send them as they are. */
  values(name: string): string[] {
    const found = this.#raw.filter((_, index) => index % 2 === 1 && this.#raw[index - 1] === name);
    return this.#raw.includes(`${name}-encoded`)
      ? found.map((value) => decodeURIComponent(value.replaceAll('+', ' ')))
      : found.map((value) => Buffer.from(value, 'latin1').toString());
  }
}
