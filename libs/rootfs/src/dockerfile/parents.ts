import { PathPatterns } from './path-patterns.ts';
import { cleanPattern, hasWildcard, splitWildcards } from './patterns.ts';

/** What a source of COPY with `--parents` takes: what a pattern names below a folder, with the folders between. */
export interface ParentsSource {
  /** What is before the `/./`, which may be a pattern of its own; all of the source's root without one. */
  readonly folder: string;
  readonly includes: PathPatterns;
  /** Whether something may be at a path below the folder, or at it. */
  readonly mayHold: (path: string) => boolean;
  /** Whether it names one thing, which has to be there. */
  readonly isPlain: boolean;
}

/** A source of COPY with `--parents` in its two parts, of which none leads out of the other. */
export function splitParents(word: string): { readonly folder: string; readonly pattern: string } {
  const pivot = word.indexOf('/./');
  if (pivot < 0) return { folder: '/', pattern: cleanPattern(word) };
  return { folder: word.slice(0, pivot), pattern: cleanPattern(word.slice(pivot + '/./'.length)) };
}

/**
 * @returns undefined for what BuildKit takes in odd ways: all of a folder, and a `!`
 * @throws RootfsFault DOCKERFILE_INVALID
 */
export function readParentsSource(word: string): ParentsSource | undefined {
  const { folder, pattern } = splitParents(word);
  if (pattern === '' || pattern.startsWith('!')) return undefined;
  const plain = splitWildcards(pattern).plain.map((part) => (part.includes('\\') ? undefined : part));
  return {
    folder,
    includes: new PathPatterns([pattern]),
    mayHold: (path) => path.split('/').every((part, index) => plain[index] === undefined || plain[index] === part),
    isPlain: !hasWildcard(folder) && !hasWildcard(pattern),
  };
}
