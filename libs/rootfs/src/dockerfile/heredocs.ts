import { expand, hasOpenQuote, splitWords } from './words.ts';

/** A word such as `<<EOF`, `<<-EOF` or `<<"EOF"`, perhaps after the number of a file descriptor. */
export interface HeredocMark {
  /** Without its quotes and escapes. */
  readonly name: string;
  /** Whether variables in it are replaced: not where its name is quoted. */
  readonly expand: boolean;
  /** Whether tabs at the beginning of its lines go. */
  readonly isIndented: boolean;
}

/** The here-documents that a line begins, in order. */
export function heredocMarks(line: string): HeredocMark[] {
  if (!line.includes('<<') || hasOpenQuote(line, '\\')) return [];
  // Here a blank may stand before the name, which the words of COPY do not know.
  const words = splitWords(line.replaceAll(/<<(-?)[ \t\r]+(?=["'\w])/g, '<<$1'), '\\');
  return words.flatMap((word) => parseHeredoc(word) ?? []);
}

/** One word of COPY, ADD or RUN, if it begins a here-document. */
export function parseHeredoc(word: string): HeredocMark | undefined {
  const [, dash = '', rest = ''] = /^\d*<<(-?)([^<]+)$/s.exec(word) ?? [];
  if (rest === '' || hasOpenQuote(rest, '\\')) return undefined;
  const name = expand(rest, (variable) => `$${variable}`, '\\', 0);
  if (name === '' || splitWords(rest, '\\').length !== 1) return undefined;
  return { name, expand: quotesOf(name) === quotesOf(rest), isIndented: dash !== '' };
}

function quotesOf(text: string): number {
  return text.replaceAll(/[^'"]/g, '').length;
}
