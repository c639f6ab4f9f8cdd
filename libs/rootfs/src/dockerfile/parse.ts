import { nearestWord } from '@nx-kraft/base';
import { RootfsFault } from '../fault.ts';
import { wrongWords } from './checks.ts';
import { wrongFlag } from './flags.ts';
import { heredocMarks } from './heredocs.ts';
import { showLine } from './show-line.ts';

export interface Dockerfile {
  /** The file's path, for faults. */
  readonly path: string;
  /** Escape character: `\`, or a backtick where a directive says so. */
  readonly escape: string;
  /** The image of another frontend, from a `# syntax=` directive. */
  readonly syntax: string | undefined;
  /** Whether a `# check=` directive asks that what Docker's linter warns of fails the build. */
  readonly isStrict: boolean;
  readonly instructions: readonly Instruction[];
}

export interface Instruction {
  /** In capitals, such as `COPY`. */
  readonly keyword: string;
  /** `--name=value` and `--name`, in order; the value is '' where there is none. */
  readonly flags: readonly Flag[];
  /** What follows the flags, continued lines joined. */
  readonly rest: string;
  readonly heredocs: readonly Heredoc[];
  /** Counted from 1. */
  readonly line: number;
}

export interface Flag {
  readonly name: string;
  readonly value: string;
  /** Whether no `=` follows the name. */
  readonly isBare: boolean;
}

export interface Heredoc {
  readonly name: string;
  readonly content: string;
  /** Whether variables in it are replaced: not where its name is quoted. */
  readonly expand: boolean;
}

/**
 * Takes a Dockerfile apart, without looking at what its instructions mean.
 * Follows Docker's "Dockerfile reference": parser directives, comments, continued lines, here-documents.
 *
 * @param path  for faults
 * @param line  the line that all of it counts as, where it is a part of one
 * @throws RootfsFault DOCKERFILE_INVALID with the line
 */
export function parseDockerfile(text: string, path: string, line?: number): Dockerfile {
  const lines = text.replace(/^\uFEFF/, '').split('\n');
  const directives = readDirectives(lines, path);
  const escape = directives.get('escape') ?? '\\';
  if (escape !== '\\' && escape !== '`') throw invalid(path, 1, `the escape character cannot be ${escape}`);
  const instructions: Instruction[] = [];
  const reader = new LineReader(lines, escape, line);
  for (let next = reader.next(); next !== undefined; next = reader.next()) {
    instructions.push(readInstruction(next, reader, path));
  }
  if (instructions.length === 0) throw invalid(path, 1, 'the Dockerfile holds no instruction');
  const isStrict = /(^|;)\s*error\s*=\s*(1|t|true)\s*(;|$)/i.test(directives.get('check') ?? '');
  return { path, escape, syntax: directives.get('syntax'), isStrict, instructions };
}

/** @param line  counted from 1 */
export function invalid(path: string, line: number, message: string, hint?: string): RootfsFault {
  return new RootfsFault('DOCKERFILE_INVALID', message + showLine(path, line), { at: `${path}:${line}`, hint });
}

/** They stand at the very top, before any comment, empty line or instruction. */
function readDirectives(lines: readonly string[], path: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const [index, line] of lines.entries()) {
    const match = /^\s*#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*$/.exec(line);
    const name = (match?.[1] ?? '').toLowerCase();
    if (!directives.has(name)) break;
    if (found.has(name)) throw invalid(path, index + 1, `there is a second directive ${name}`);
    found.set(name, match?.[2] ?? '');
  }
  return found;
}

const directives = new Set(['syntax', 'escape', 'check']);

interface LogicalLine {
  readonly text: string;
  readonly line: number;
}

class LineReader {
  readonly #lines: readonly string[];
  readonly #continued: RegExp;
  readonly #line: number | undefined;
  #index = 0;

  constructor(lines: readonly string[], escape: string, line: number | undefined) {
    this.#lines = lines;
    this.#line = line;
    // An escape character that is escaped itself continues nothing.
    this.#continued = escape === '\\' ? /(?<!\\)\\[ \t]*$/ : /(?<!`)`[ \t]*$/;
  }

  /** The next instruction, its continued lines joined; comments and empty lines within it are passed over. */
  next(): LogicalLine | undefined {
    let text = '';
    let first = 0;
    for (let raw = this.raw(); raw !== undefined; raw = this.raw()) {
      const line = raw.replace(/\r+$/, '');
      if (/^\s*(#|$)/.test(line)) continue;
      if (first === 0) first = this.#line ?? this.#index;
      const part = text === '' ? line.trimStart() : line;
      if (!this.#continued.test(part)) return { text: (text + part).trimEnd(), line: first };
      text += part.replace(this.#continued, '');
    }
    return first === 0 ? undefined : { text: text.trimEnd(), line: first };
  }

  /** The next line, with the carriage return that may end it. */
  raw(): string | undefined {
    return this.#lines[this.#index++];
  }
}

function readInstruction({ text, line }: LogicalLine, reader: LineReader, path: string): Instruction {
  const match = /^(\S+)(?:\s+([^]*))?$/.exec(text);
  const keyword = (match?.[1] ?? '').toUpperCase();
  if (!keywords.has(keyword)) {
    const meant = nearestWord(keyword, [...keywords]);
    const hint = meant === undefined ? 'Docker knows FROM, COPY, RUN and others.' : `Did you mean ${meant}?`;
    throw invalid(path, line, `there is no instruction ${match?.[1] ?? ''}`, hint);
  }
  const { flags, rest } = readFlags(match?.[2] ?? '');
  if (rest === '' && keyword !== 'CMD' && keyword !== 'ENTRYPOINT') {
    throw invalid(path, line, `${keyword} says nothing`);
  }
  const wrong = wrongFlag(keyword, flags) ?? wrongWords(keyword, flags, rest);
  if (wrong !== undefined) throw invalid(path, line, wrong.message, wrong.hint);
  const heredocs = heredocKeywords.test(keyword === 'ONBUILD' ? rest : keyword)
    ? readHeredocs(keyword, rest, reader, path, line)
    : [];
  return { keyword, flags, rest, heredocs, line };
}

const keywords = new Set(
  'ADD ARG CMD COPY ENTRYPOINT ENV EXPOSE FROM HEALTHCHECK LABEL MAINTAINER ONBUILD RUN SHELL STOPSIGNAL USER VOLUME WORKDIR'.split(
    ' ',
  ),
);
const heredocKeywords = /^(RUN|COPY|ADD)(?!\S)/i;

function readFlags(text: string): { flags: Flag[]; rest: string } {
  const flags: Flag[] = [];
  let rest = text;
  for (let match = flag.exec(rest); match !== null; match = flag.exec(rest)) {
    rest = rest.slice(match[0].length);
    // No flag follows it, whatever it looks like.
    if (match[1] === undefined) break;
    flags.push({ name: match[1], value: unquote(match[2] ?? ''), isBare: match[2] === undefined });
  }
  return { flags, rest };
}

const flag = /^--(?:([a-zA-Z][a-zA-Z-]*)(?:=((?:"[^"]*"|'[^']*'|[^\s"'])*))?)?(?:\s+|$)/;

function unquote(text: string): string {
  return text.replaceAll(/"([^"]*)"|'([^']*)'/g, '$1$2');
}

function readHeredocs(keyword: string, rest: string, reader: LineReader, path: string, line: number): Heredoc[] {
  // What a shell calculates looks alike.
  const marks = heredocMarks(rest).filter(({ name }) => keyword !== 'RUN' || /^[a-z_]/i.test(name));
  return marks.map(({ name, expand, isIndented }) => {
    const content: string[] = [];
    for (let next = reader.raw(); ; next = reader.raw()) {
      if (next === undefined)
        throw invalid(path, line, `the here-document ${name} has no end`, `Add a line "${name}".`);
      const text = isIndented ? next.replace(/^\t+/, '') : next;
      if (text.replace(/\r+$/, '') === name) break;
      content.push(`${text}\n`);
    }
    return { name, content: content.join(''), expand };
  });
}
