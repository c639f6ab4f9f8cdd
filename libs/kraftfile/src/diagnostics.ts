import type { SourceText } from './source-text.ts';

/** What can be said about a Kraftfile. The codes stay; texts may change. */
export type DiagnosticCode =
  | 'ALIAS_EXPANSION'
  | 'ARCHITECTURE_ALIAS'
  | 'ARCHITECTURE_MISSING'
  | 'ARCHITECTURE_UNKNOWN'
  | 'BARE_BOOLEAN'
  | 'BARE_NUMBER'
  | 'CMD_SHELL_SYNTAX'
  | 'CMD_STRING'
  | 'CMD_WORDS'
  | 'DOCKERFILE_MISSING'
  | 'DUPLICATE_KEY'
  | 'EMPTY'
  | 'EMPTY_VALUE'
  | 'FILESYSTEM_TYPE'
  | 'KCONFIG_ITEM'
  | 'KCONFIG_SYMBOL'
  | 'KCONFIG_VALUE'
  | 'KERNEL_AND_RUNTIME'
  | 'NO_KERNEL'
  | 'NOT_A_MAPPING'
  | 'NOT_INDENTED'
  | 'NOT_READ_BY_KRAFT'
  | 'OUTDIR_OUTSIDE'
  | 'PLATFORM_MISSING'
  | 'PLATFORM_UNKNOWN'
  | 'SEVERAL_DEFAULT_FILES'
  | 'SEVERAL_DOCUMENTS'
  | 'SOURCE_AS_VERSION'
  | 'SPEC_MISSING'
  | 'SPEC_NUMBER'
  | 'SPEC_TWICE'
  | 'SPEC_UNSUPPORTED'
  | 'TARGET_AMBIGUOUS'
  | 'TARGET_FORM'
  | 'TARGET_REPEATED'
  | 'TOO_DEEP'
  | 'TOO_LARGE'
  | 'UNKNOWN_KEY'
  | 'UNREADABLE'
  | 'VARIABLE_FORM'
  | 'VARIABLE_UNSET'
  | 'WRONG_TYPE'
  | 'WRONG_VALUE'
  | 'YAML_FLOW'
  | 'YAML_SYNTAX'
  | 'YAML_TAG';

/** One problem of a Kraftfile and its place. Lines and columns count from 1; columns are UTF-16 code units. */
export interface Diagnostic {
  readonly severity: 'error' | 'warning';
  readonly code: DiagnosticCode;
  /** One sentence without the place. */
  readonly message: string;
  /** The file as its reader named it. */
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly endLine: number;
  readonly endColumn: number;
  /** The offending line. */
  readonly source: string;
  /** What would be right here. */
  readonly expected?: string;
  /** The nearest valid word to put in the place of the offending one. */
  readonly suggestion?: string;
  /** What to do, as a sentence. */
  readonly hint?: string;
}

/** What a diagnostic says beside its code, message and place. */
export type DiagnosticDetails = Partial<Pick<Diagnostic, 'expected' | 'suggestion' | 'hint'>>;

/** A span of the text as offsets, the end not included; what `yaml` gives after the two is not looked at. */
export type Span = readonly [start: number, end: number, ...rest: number[]];

/** How much of a very long line a diagnostic carries, in characters. */
const longestSource = 200;

/** Makes a diagnostic for a span of a text. */
export function diagnose(
  source: SourceText,
  file: string,
  severity: Diagnostic['severity'],
  code: DiagnosticCode,
  [start, end]: Span,
  message: string,
  details: DiagnosticDetails = {},
): Diagnostic {
  const from = source.positionAt(start);
  const line = source.line(from.line);
  return {
    severity,
    code,
    message,
    file,
    line: from.line,
    column: from.column,
    endLine: from.line,
    // What spans lines, such as a mapping, is pointed at in its first one.
    endColumn: Math.min(from.column + Math.max(0, end - start), line.length + 1),
    source: line.slice(0, longestSource),
    ...details,
  };
}

/** Sorts by place in the file, so that people can work from the top down. */
export function inOrder(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  return diagnostics.toSorted((a, b) => a.line - b.line || a.column - b.column || (a.code < b.code ? -1 : 1));
}
