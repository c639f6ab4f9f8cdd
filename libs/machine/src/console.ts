import { StringDecoder } from 'node:string_decoder';

/** How many of the last lines are kept to show why a guest failed. */
const keptLines = 30;
/** A longer line is cut into pieces, so that a guest that never ends a line does not fill the memory. */
const longestLine = 8192;

/**
 * What Unikraft prints when it dies, and Linux too: where a guest has no other way to tell, these lines do.
 * Facts: the calls of `uk_pr_crit` and `UK_CRASH` in plat/common, lib/ukdebug, lib/ukboot and lib/nolibc.
 */
const crashPatterns: readonly RegExp[] = [
  /\bUnhandled Trap \d+ \(/,
  /\bEL\d (?:sync|invalid).* trap caught/,
  /\bCRIT: .*\bCrashing\b/,
  /\bCRIT: .*\bAssertion failure: /,
  /\bCRIT: .*\bAbnormal termination!/,
  /\bCRIT: .*\bEarly init call @ .* failed\b/,
  /\bInit function (?:at \S+ )?returned error -?\d+/,
  /\bKernel panic - not syncing\b/,
];

/** A message of the level that Unikraft uses for what it cannot survive. */
const criticalPattern = /\bCRIT: /;

/** The result of `main`, which Unikraft tells at the level of information only. */
const resultPattern = /\bInfo: .*(?:\bmain returned |\bexit called with status )(-?\d+)/;

/** Follows what a guest writes to its console. */
export class Console {
  readonly #decoder = new StringDecoder();
  readonly #onLine: ((line: string) => void) | undefined;
  #rest = '';
  #lines: string[] = [];
  #critical: string | undefined;
  #crashed: string | undefined;
  #result: number | undefined;

  constructor(onLine?: (line: string) => void) {
    this.#onLine = onLine;
  }

  write(chunk: Uint8Array): void {
    this.#take(this.#decoder.write(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)));
  }

  /** Takes what came after the last end of a line as a line. */
  end(): void {
    this.#take(this.#decoder.end());
    if (this.#rest !== '') this.#takeLine(this.#rest);
    this.#rest = '';
  }

  /** The last lines, oldest first. */
  get lastLines(): readonly string[] {
    return this.#lines;
  }

  /** A line that tells a crash: the first of all critical ones, which is nearest to the cause. */
  get crash(): string | undefined {
    return this.#crashed === undefined ? undefined : (this.#critical ?? this.#crashed);
  }

  /** The line by which the crash was noticed. */
  get crashSign(): string | undefined {
    return this.#crashed;
  }

  /** What `main` gave, if the guest told. */
  get result(): number | undefined {
    return this.#result;
  }

  #take(text: string): void {
    const pieces = (this.#rest + text).split('\n');
    this.#rest = pieces.pop() ?? '';
    for (const piece of pieces) this.#takeLine(piece);
    while (this.#rest.length > longestLine) {
      this.#takeLine(this.#rest.slice(0, longestLine));
      this.#rest = this.#rest.slice(longestLine);
    }
  }

  #takeLine(raw: string): void {
    const line = raw.replace(/\r+$/, '');
    this.#lines.push(line);
    if (this.#lines.length > keptLines) this.#lines.shift();
    if (criticalPattern.test(line)) this.#critical ??= line;
    if (crashPatterns.some((pattern) => pattern.test(line))) this.#crashed ??= line;
    const result = resultPattern.exec(line)?.[1];
    if (result !== undefined) this.#result = Number(result);
    this.#onLine?.(line);
  }
}
