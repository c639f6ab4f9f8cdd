import { type Field, messagesOf, numberOf, bytesOf, textOf } from './protobuf.ts';

/**
 * Turns BuildKit's StatusResponse{1 vertexes, 3 logs, 4 warnings} into lines like those of `docker build
 * --progress=plain`: a step when it starts, its output, CACHED or how it failed.
 */
export class Progress {
  readonly #onLine: (line: string) => void;
  readonly #numbers = new Map<string, number>();
  readonly #told = new Set<string>();
  /** Output that has no line end yet, by step. */
  readonly #unfinished = new Map<string, string>();
  /** Name of the step that failed. */
  failed: string | undefined;

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  take(status: readonly Field[]): void {
    for (const vertex of messagesOf(status, 1)) this.#vertex(vertex);
    for (const log of messagesOf(status, 3)) this.#log(textOf(log, 1), bytesOf(log, 4).toString('utf8'));
    for (const warning of messagesOf(status, 4)) this.#onLine(`warning: ${bytesOf(warning, 3).toString('utf8')}`);
  }

  /** Vertex{1 digest, 3 name, 4 cached, 5 started, 6 completed, 7 error}. */
  #vertex(vertex: readonly Field[]): void {
    const digest = textOf(vertex, 1);
    const name = textOf(vertex, 3);
    const error = textOf(vertex, 7);
    if (bytesOf(vertex, 5).length > 0) this.#once(digest, name);
    if (numberOf(vertex, 4) === 1) this.#once(digest, 'CACHED');
    if (error === '') return;
    this.failed ??= name;
    this.#once(digest, `ERROR ${error}`);
  }

  #log(digest: string, text: string): void {
    const lines = ((this.#unfinished.get(digest) ?? '') + text).split('\n');
    this.#unfinished.set(digest, lines.pop() ?? '');
    for (const line of lines) this.#onLine(`#${this.#number(digest)} ${line}`);
  }

  /** Steps are numbered as they start: BuildKit lists the last one first. */
  #number(digest: string): number {
    const number = this.#numbers.get(digest) ?? this.#numbers.size + 1;
    this.#numbers.set(digest, number);
    return number;
  }

  #once(digest: string, text: string): void {
    const line = `#${this.#number(digest)} ${text}`;
    if (!this.#told.has(line)) this.#onLine(line);
    this.#told.add(line);
  }
}
