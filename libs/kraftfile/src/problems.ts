import {
  diagnose,
  inOrder,
  type Diagnostic,
  type DiagnosticCode,
  type DiagnosticDetails,
  type Span,
} from './diagnostics.ts';
import type { SourceText } from './source-text.ts';

/** How many diagnostics a file gets; who has more has one mistake many times. */
const most = 200;

/** Collects what is wrong with one file. */
export class Problems {
  readonly source: SourceText;
  readonly #file: string;
  readonly #found: Diagnostic[] = [];

  constructor(source: SourceText, file: string) {
    this.source = source;
    this.#file = file;
  }

  /** Whether further problems are no longer kept, so that looking for them is of no use. */
  get isFull(): boolean {
    return this.#found.length >= most;
  }

  add(
    severity: Diagnostic['severity'],
    code: DiagnosticCode,
    span: Span,
    message: string,
    details?: DiagnosticDetails,
  ): void {
    if (!this.isFull) this.#found.push(diagnose(this.source, this.#file, severity, code, span, message, details));
  }

  /** All of them in the order of the file. */
  list(): readonly Diagnostic[] {
    return inOrder(this.#found);
  }
}
