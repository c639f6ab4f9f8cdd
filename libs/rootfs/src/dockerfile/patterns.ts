import { posix } from 'node:path';
import { RootfsFault } from '../fault.ts';

/** Decides whether a path below a context is left out. */
export interface IgnoreRules {
  /** @param path  relative to the context, with `/`, as text */
  ignores(path: string): boolean;
  /** Whether something below a directory that is ignored may come back through a `!` rule. */
  readonly hasExceptions: boolean;
  /** The rules in order, for those who make inputs of them. */
  readonly rules: readonly IgnoreRule[];
}

export interface IgnoreRule {
  /** Cleaned: no leading `/` or `./`, no final `/`. */
  readonly pattern: string;
  readonly isException: boolean;
}

/**
 * Reads a `.dockerignore` file. Its patterns are anchored at the context (unlike git's), `**` stands for any number of
 * directories, a rule for a directory holds for all below it, `!` makes an exception, and the last rule that matches
 * wins (Docker, "Build context", ".dockerignore files").
 *
 * @throws RootfsFault DOCKERFILE_INVALID
 */
export function readIgnoreFile(text: string): IgnoreRules {
  const rules = text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .filter((line) => !line.startsWith('#') && line.trim() !== '')
    .map((line) => readRule(line.trim()))
    .filter(({ pattern }) => !meansNothing.test(pattern));
  const matchers = rules.map(({ pattern, isException }) => ({ isException, expression: ignoreExpression(pattern) }));
  return {
    rules,
    hasExceptions: rules.some(({ isException }) => isException),
    ignores: (path) => matchers.findLast(({ expression }) => expression.test(path))?.isException === false,
  };
}

/** The context itself, and what lies outside of it. */
const meansNothing = /^(\.?|\.\.(\/.*)?)$/;

function readRule(line: string): IgnoreRule {
  const isException = line.startsWith('!');
  const text = isException ? line.slice(1).trim() : line;
  if (text === '') throw noPattern(line);
  return { pattern: posix.normalize(text).replaceAll(/^\/|\/$/g, ''), isException };
}

/** A path without `.`, `..`, `//` and slashes at its ends; `..` above the top vanishes. */
export function cleanPattern(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return parts.join('/');
}

/** What stands in a set for itself, or at an end of a range. */
const member = String.raw`(?:\\[^]|[^\\\]-])`;
/** What a pattern consists of beside plain letters: wildcards, sets, escapes, and signs that only expressions know. */
export const signs = new RegExp(
  String.raw`\*\*/?|\*|\?|\[(?:\^|(?!\^))(?:${member}(?:-${member})?)+\]|\\[^]|[.+^$(){}|[\]\\/]`,
  'gu',
);

/** Matches a path, or any path below a directory that the pattern names. */
export function ignoreExpression(pattern: string): RegExp {
  return patternExpression(pattern, '(?:/.*)?');
}

/**
 * A pattern of an ignore file or of `--exclude`.
 *
 * @param below  the source of an expression for what may follow
 */
export function patternExpression(pattern: string, below = ''): RegExp {
  const source = pattern.replaceAll(signs, (sign, offset: number) => {
    if (!sign.startsWith('**')) return meaningOf(sign, pattern);
    const rest = pattern.slice(offset + sign.length);
    // `**.log` are all names that end so, at any depth.
    const isEnd = rest === '' || (offset === 0 && sign === '**' && !/[*?[\]\\]/.test(rest));
    return isEnd ? '.*' : '(?:.*/)?';
  });
  return toExpression(source + below, pattern);
}

/**
 * A pattern of COPY and ADD for one part of a path, as in Go's filepath.Match.
 *
 * @throws RootfsFault DOCKERFILE_INVALID
 */
export function partExpression(pattern: string): RegExp {
  return toExpression(
    pattern.replaceAll(signs, (sign) => meaningOf(sign, pattern)),
    pattern,
  );
}

function toExpression(source: string, pattern: string): RegExp {
  try {
    return new RegExp(`^${source}$`, 'su');
  } catch (error) {
    throw noPattern(pattern, error);
  }
}

export function noPattern(pattern: string, cause?: unknown): RootfsFault {
  return new RootfsFault('DOCKERFILE_INVALID', `"${pattern}" is no pattern`, {
    hint: 'It stands in .dockerignore, or in COPY or ADD. A set goes from a lower sign to a higher one, as in [a-z]; [[] is a bracket.',
    cause,
  });
}

/** Parts of a path up to the first with a wildcard, which mean what they say, and the patterns from there on. */
export function splitWildcards(path: string): {
  readonly plain: readonly string[];
  readonly patterns: readonly string[];
} {
  const parts = path.split('/');
  const first = parts.findIndex(hasWildcard);
  return first < 0 ? { plain: parts, patterns: [] } : { plain: parts.slice(0, first), patterns: parts.slice(first) };
}

/** Whether a text is a pattern for BuildKit: escapes alone make none. */
export function hasWildcard(text: string): boolean {
  return /[*?[]/.test(text.replaceAll(/\\[^]/g, ''));
}

function meaningOf(sign: string, pattern: string): string {
  if (sign.startsWith('*')) return '[^/]*';
  if (sign === '?') return '[^/]';
  // Nothing ends the set, or follows the escape.
  if (sign === '[' || sign === '\\') throw noPattern(pattern);
  if (sign.startsWith('[')) return sign.replaceAll(/\\([^])/gu, (_, letter: string) => literal(letter));
  return literal(sign.replace(/^\\(?=.)/su, ''));
}

function literal(letter: string): string {
  return /^[\w\s]$|[^\0-\x7f]/.test(letter) ? letter : `\\x${letter.charCodeAt(0).toString(16).padStart(2, '0')}`;
}
