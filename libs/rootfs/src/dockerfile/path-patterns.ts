import { posix } from 'node:path';
import type { Flag, Instruction } from './parse.ts';
import { type IgnoreRule, noPattern, patternExpression } from './patterns.ts';

/** Which of the patterns match a path or a folder above it, in their order; empty above the top. */
export type Matched = readonly boolean[];

/**
 * What `--exclude` leaves out of the folders that are copied, or what `--parents` takes of them. Patterns look like those of
 * `.dockerignore`, but are relative to each source, and one that begins with `/` matches nothing.
 */
export class PathPatterns {
  /** In order, without those that match nothing. */
  readonly rules: readonly IgnoreRule[];
  readonly hasExceptions: boolean;
  readonly #expressions: readonly RegExp[];

  /**
   * @param patterns  as they were written
   * @throws RootfsFault DOCKERFILE_INVALID
   */
  constructor(patterns: readonly string[]) {
    this.rules = patterns
      .map((pattern) => pattern.trim())
      .filter((pattern) => pattern !== '')
      .map(readRule)
      .filter(({ pattern }) => !/^(\/|\.{1,2}(\/|$))/.test(pattern));
    this.hasExceptions = this.rules.some(({ isException }) => isException);
    this.#expressions = this.rules.map(({ pattern }) => patternExpression(pattern));
  }

  /**
   * Goes through the patterns as BuildKit does, which does not try those that would change nothing: what they match is then
   * no matter below either.
   *
   * @param path  relative to the source, as text
   * @param above  what this gave for the folder it is in
   */
  match(path: string, above: Matched): { readonly isMatch: boolean; readonly matched: Matched } {
    let isMatch = false;
    const matched = this.rules.map(({ isException }, index) => {
      const isThis =
        above[index] === true || (isException === isMatch && this.#expressions[index]?.test(path) === true);
      if (isThis) isMatch = !isException;
      return isThis;
    });
    return { isMatch, matched };
  }
}

/** The excludes of COPY and ADD, undefined without any, and the other flags: only those know variables. */
export function splitExcludes({ flags }: Pick<Instruction, 'flags'>): {
  readonly excludes: PathPatterns | undefined;
  readonly others: readonly Flag[];
} {
  const patterns = flags.filter(({ name }) => name === 'exclude').map(({ value }) => value);
  return {
    excludes: patterns.length === 0 ? undefined : new PathPatterns(patterns),
    others: flags.filter(({ name }) => name !== 'exclude'),
  };
}

function readRule(text: string): IgnoreRule {
  const path = posix.normalize(text).replace(/(?<=.)\/$/, '');
  if (path === '!') throw noPattern(text);
  return path.startsWith('!') ? { pattern: path.slice(1), isException: true } : { pattern: path, isException: false };
}
