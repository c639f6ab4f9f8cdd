import { describeText, matches } from './expected-text.ts';
import type { Scenario } from './scenario.ts';

/** Something that was not as the scenario says. */
export interface Mismatch {
  /** What was looked at, for example `GET / on port 80: status`. */
  readonly what: string;
  readonly expected: string;
  readonly seen: string;
}

/** Compares the lines of a console with what a scenario says of them, as they come. */
export class ConsoleCheck {
  readonly #scenario: Scenario;
  readonly #forbidden: Mismatch[] = [];
  #found = 0;
  #isReady = false;
  #lastTaken = performance.now();
  #waiting: (() => void)[] = [];

  constructor(scenario: Scenario) {
    this.#scenario = scenario;
  }

  take(line: string): void {
    this.#lastTaken = performance.now();
    const { console: expected, never, ready } = this.#scenario;
    if (ready === undefined || matches(ready, line)) this.#isReady = true;
    const next = expected[this.#found];
    if (next !== undefined && matches(next, line)) this.#found++;
    for (const text of never) {
      if (matches(text, line)) {
        this.#forbidden.push({ what: 'console', expected: `no line with ${describeText(text)}`, seen: show(line) });
      }
    }
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const look of waiting) look();
  }

  /** When the last line has come, or else this began, by `performance.now()`. */
  get lastTaken(): number {
    return this.#lastTaken;
  }

  /** Resolves when the guest is ready. */
  ready(): Promise<void> {
    return this.#until(() => this.#isReady);
  }

  /** Resolves when all expected lines have come. */
  complete(): Promise<void> {
    return this.#until(() => this.#found === this.#scenario.console.length);
  }

  /** Resolves when a line has come that must not. */
  broken(): Promise<void> {
    return this.#until(() => this.#forbidden.length > 0);
  }

  /** The lines that must not have come. */
  get forbidden(): readonly Mismatch[] {
    return this.#forbidden;
  }

  mismatches(): readonly Mismatch[] {
    const { console: expected, ready } = this.#scenario;
    const missing = expected[this.#found];
    const before = expected[this.#found - 1];
    const after = before === undefined ? '' : ` after ${describeText(before)}`;
    const none = { what: 'console', seen: 'no such line' };
    return [
      ...(this.#isReady || ready === undefined
        ? []
        : [{ ...none, expected: `the line that tells that it is ready, with ${describeText(ready)}` }]),
      ...(missing === undefined ? [] : [{ ...none, expected: `a line with ${describeText(missing)}${after}` }]),
      ...this.#forbidden,
    ];
  }

  #until(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = () => {
        if (condition()) resolve();
        else this.#waiting.push(look);
      };
      look();
    });
  }
}

/** Enough of a text to see what is wrong with it. */
export function show(text: string): string {
  return JSON.stringify(text.length > 300 ? `${text.slice(0, 300)}…` : text);
}
