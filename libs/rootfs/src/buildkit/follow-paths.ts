import { type ByteName, type DirectoryNode, parentOf, toText } from '@nx-kraft/archive';
import { expandPattern } from '../dockerfile/copy.ts';
import { cleanPattern, ignoreExpression, splitWildcards } from '../dockerfile/patterns.ts';

/**
 * Which entries of a context belong to the paths that a Dockerfile names: those paths with all below them, the
 * directories that lead there, and where symbolic links among them lead. BuildKit looks for the directory before the first
 * wildcard, whether it matches anything or not.
 *
 * @param patterns  with wildcards; none, or the root itself, means everything
 */
export function selectPaths(root: DirectoryNode, patterns: readonly string[]): (name: ByteName) => boolean {
  // Here `**` goes across folders, whatever it means to COPY.
  const deep = patterns.filter((pattern) => pattern.includes('**')).map((one) => toText(cleanPattern(one)));
  const found = [...patterns.flatMap((pattern) => expandPattern(root, pattern)), ...matchesBelow(root, deep)];
  const wanted = new Set(found.flatMap((path) => realPaths(root, path)));
  if (patterns.length === 0 || wanted.has('')) return () => true;
  const begun = patterns.flatMap((one) => realPaths(root, splitWildcards(cleanPattern(one)).plain.join('/')));
  const above = new Set([...begun, ...[...begun, ...wanted].flatMap(ancestors)]);
  return (name) => above.has(name) || wanted.has(name) || ancestors(name).some((directory) => wanted.has(directory));
}

/** The paths that patterns match as those of ignore files do. */
function matchesBelow(root: DirectoryNode, patterns: readonly string[]): ByteName[] {
  if (patterns.length === 0) return [];
  const expressions = patterns.map(ignoreExpression);
  const search = (directory: DirectoryNode, above: string): ByteName[] =>
    [...directory.children].flatMap(([name, node]) => {
      const path = `${above}${name}`;
      if (expressions.some((expression) => expression.test(toText(path)))) return [path];
      return node.kind === 'directory' ? search(node, `${path}/`) : [];
    });
  return search(root, '');
}

function ancestors(name: ByteName): ByteName[] {
  const found: ByteName[] = [];
  for (let directory = parentOf(name); directory !== ''; directory = parentOf(directory)) found.push(directory);
  return found;
}

/** The symbolic links that a path goes through, and where it ends; links in a circle just end. */
function realPaths(root: DirectoryNode, path: ByteName, depth = 0): ByteName[] {
  const parts = path.split('/');
  let directory = root;
  for (const [index, part] of parts.entries()) {
    const node = directory.children.get(part);
    if (node?.kind === 'symlink' && depth < 40) {
      const link = parts.slice(0, index + 1).join('/');
      const start = node.target.startsWith('/') ? '' : parts.slice(0, index).join('/');
      const target = cleanPattern([start, node.target, ...parts.slice(index + 1)].join('/'));
      return [link, ...realPaths(root, target, depth + 1)];
    }
    if (node?.kind !== 'directory') break;
    directory = node;
  }
  return [path];
}
