import { z } from 'zod';

/** What the stand-in is told to do wrong. */
export const faultShape = z.strictObject({
  /** Which requests; all when left out. */
  method: z.string().optional(),
  path: z.string().optional(),
  /** How often; always when left out. */
  times: z.int().optional(),
  /** Milliseconds to wait before the request is read. */
  delay: z.int().optional(),
  /** Answers with this status instead. */
  status: z.int().optional(),
  /** Seconds, for Retry-After. */
  retryAfter: z.int().optional(),
  /** Refuses with this error code. */
  error: z.int().optional(),
  message: z.string().default('told to fail'),
  /** Does what was asked and then refuses to say so: `drop` closes the connection, `garbage` answers nonsense. */
  after: z.enum(['drop', 'garbage']).optional(),
});
export type StandInFault = z.infer<typeof faultShape>;

/** The faults that are still to come. */
export class Faults {
  #faults: { readonly fault: StandInFault; left: number }[] = [];

  add(fault: z.input<typeof faultShape>): void {
    const read = faultShape.parse(fault);
    this.#faults.push({ fault: read, left: read.times ?? Infinity });
  }

  clear(): void {
    this.#faults = [];
  }

  /** The next fault for a request, which is then one less. */
  take(method: string, path: string): StandInFault | undefined {
    const found = this.#faults.find(
      ({ fault, left }) =>
        left > 0 && (fault.method ?? method) === method && (fault.path === undefined || path.startsWith(fault.path)),
    );
    if (found !== undefined) found.left--;
    return found?.fault;
  }
}
