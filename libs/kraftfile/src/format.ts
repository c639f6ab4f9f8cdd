import type { Diagnostic } from './diagnostics.ts';

/** How diagnostics are written: for people, for programs, or as annotations of a GitHub workflow. */
export type DiagnosticsFormat = 'text' | 'json' | 'github';

/** Writes diagnostics, each text ending with a newline; an empty text for none, but for JSON. */
export function formatDiagnostics(diagnostics: readonly Diagnostic[], format: DiagnosticsFormat): string {
  switch (format) {
    case 'text':
      return diagnostics.map(formatText).join('');
    case 'json':
      return `${JSON.stringify(diagnostics, undefined, 2)}\n`;
    case 'github':
      return diagnostics.map(formatGithub).join('');
  }
}

/** `file:line:column: severity: message (CODE)`, the line with the place underlined, and what to write instead. */
function formatText(diagnostic: Diagnostic): string {
  const { file, line, column, endColumn, source, severity, code, message, expected, suggestion, hint } = diagnostic;
  const number = String(line);
  const margin = ' '.repeat(number.length);
  const before = source.slice(0, column - 1).replaceAll(/[^\t]/g, ' ');
  const length = Math.max(1, Math.min(endColumn, source.length + 1) - column);
  const advice = [
    suggestion === undefined ? undefined : `did you mean: ${suggestion}`,
    expected === undefined ? undefined : `expected: ${expected}`,
    hint,
  ].filter((text) => text !== undefined);
  return [
    printable(`${file}:${line}:${column}: ${severity}: ${message} (${code})`),
    ...(source.trim() === ''
      ? []
      : [`  ${number} | ${printable(source)}`, `  ${margin} | ${printable(before)}${'^'.repeat(length)}`]),
    ...advice.map((text) => `  ${margin} = ${printable(text)}`),
    '',
  ].join('\n');
}

/** Keeps a file's control characters, such as a terminal's escape codes, from doing anything. */
function printable(text: string): string {
  return text.replaceAll(/[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '\u00b7');
}

/** A workflow command, see GitHub's "Workflow commands for GitHub Actions". */
function formatGithub({ severity, file, line, column, endColumn, code, message, ...rest }: Diagnostic): string {
  const advice = [
    rest.suggestion === undefined ? undefined : `Did you mean: ${rest.suggestion}`,
    rest.expected === undefined ? undefined : `Expected: ${rest.expected}`,
    rest.hint,
  ].filter((text) => text !== undefined);
  const properties = { file, line, endLine: rest.endLine, col: column, endColumn, title: code };
  const list = Object.entries(properties).map(([key, value]) => `${key}=${escapeProperty(String(value))}`);
  return `::${severity} ${list.join(',')}::${escapeData([message, ...advice].join('\n'))}\n`;
}

function escapeData(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
