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
    .filter(({ pattern }) => pattern !== '');
  const matchers = rules.map(({ pattern, isException }) => ({ isException, expression: ignoreExpression(pattern) }));
  return {
    rules,
    hasExceptions: rules.some(({ isException }) => isException),
    ignores: (path) => matchers.findLast(({ expression }) => expression.test(path))?.isException === false,
  };
}

function readRule(line: string): IgnoreRule {
  const isException = line.startsWith('!');
  return { pattern: cleanPattern(isException ? line.slice(1).trim() : line), isException };
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

/** Matches a path, or any path below a directory that the pattern names. */
function ignoreExpression(pattern: string): RegExp {
  const source = pattern.replaceAll(/\*\*\/?|\*|\?|\\[^]|\[[^\]]*\]|[.+^${}()|[\]\\]/g, (token, offset: number) => {
    if (token.startsWith('**')) return offset + token.length === pattern.length ? '.*' : '(?:.*/)?';
    return segmentToken(token);
  });
  return toExpression(`${source}(?:/.*)?`, pattern);
}

/**
 * A pattern of COPY and ADD for one part of a path: `*`, `?` and `[…]` as in Go's filepath.Match.
 *
 * @throws RootfsFault DOCKERFILE_INVALID
 */
export function partExpression(pattern: string): RegExp {
  return toExpression(pattern.replaceAll(/\*|\?|\\[^]|\[[^\]]*\]|[.+^${}()|[\]\\]/g, segmentToken), pattern);
}

function toExpression(source: string, pattern: string): RegExp {
  try {
    return new RegExp(`^${source}$`, 's');
  } catch (error) {
    const hint = 'It stands in .dockerignore, or in COPY or ADD. A set goes from a lower sign to a higher one: [a-z]';
    throw new RootfsFault('DOCKERFILE_INVALID', `"${pattern}" is no pattern`, { hint, cause: error });
  }
}

export function hasWildcard(text: string): boolean {
  return /[*?[\\]/.test(text);
}

function segmentToken(token: string): string {
  if (token === '*') return '[^/]*';
  if (token === '?') return '[^/]';
  if (token.startsWith('[') && token.length > 1) return token;
  return `\\${token.at(-1) ?? ''}`;
}
