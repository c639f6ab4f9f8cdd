import type { Duplex } from 'node:stream';

/** An event of QEMU, such as `SHUTDOWN` with `{ guest: true, reason: 'guest-shutdown' }`. */
export interface QmpEvent {
  readonly event: string;
  readonly data?: Readonly<Record<string, unknown>>;
}

interface Message extends Partial<QmpEvent> {
  readonly id?: number;
  readonly return?: unknown;
  readonly error?: { readonly desc: string };
}

/** Talks to QEMU by its machine protocol (QMP). Commands given before QEMU is ready wait for it. */
export class Qmp {
  readonly #stream: Duplex;
  readonly #onEvent: (event: QmpEvent) => void;
  readonly #waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  #nextId = 1;
  #rest = '';

  constructor(stream: Duplex, onEvent: (event: QmpEvent) => void) {
    this.#stream = stream;
    this.#onEvent = onEvent;
    stream.setEncoding('utf8');
    stream.on('data', (text: string) => this.#take(text));
    // The end of QEMU is told by its process; the stream's error only says the same once more.
    stream.on('error', () => this.#fail());
    stream.on('close', () => this.#fail());
    // QEMU reads commands in order, so there is no need to wait for its greeting or for the answer.
    this.execute('qmp_capabilities').catch(() => undefined);
  }

  /**
   * Gives a command, and its answer when it is there.
   *
   * @throws Error with QEMU's description, or when QEMU has ended
   */
  execute(command: string, args: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      if (this.#stream.destroyed || !this.#stream.writable) {
        reject(new Error(`QEMU has ended before ${command}`));
        return;
      }
      this.#waiting.set(id, { resolve, reject });
      this.#stream.write(`${JSON.stringify({ execute: command, arguments: args, id })}\n`);
    });
  }

  /** Ends the connection; QEMU stays as it is. */
  close(): void {
    this.#stream.destroy();
  }

  #take(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) if (line.trim() !== '') this.#handle(JSON.parse(line) as Message);
  }

  #handle(message: Message): void {
    if (message.event !== undefined) this.#onEvent(message as QmpEvent);
    const waiting = message.id === undefined ? undefined : this.#waiting.get(message.id);
    if (message.id === undefined || waiting === undefined) return;
    this.#waiting.delete(message.id);
    if (message.error === undefined) waiting.resolve(message.return);
    else waiting.reject(new Error(message.error.desc));
  }

  #fail(): void {
    for (const { reject } of this.#waiting.values()) reject(new Error('QEMU has ended'));
    this.#waiting.clear();
  }
}
