import {
  ArchiveFault,
  type CpioMeta,
  type DirectoryNode,
  emptyDirectory,
  type FileNode,
  findDirectory,
  findNode,
  makeDirectory,
  parentOf,
  toText,
  type TreeNode,
} from '@nx-kraft/archive';
import type { Chmod } from './chmod.ts';
import type { Matched, PathPatterns } from './path-patterns.ts';
import type { ParentsSource } from './parents.ts';
import type { Owner } from './owner.ts';
import { cleanPattern, partExpression, splitWildcards } from './patterns.ts';

/** What COPY found for one of its sources. */
export interface Match {
  /** Last part of its path; '' for the root. */
  readonly name: string;
  readonly node: DirectoryNode | FileNode;
}

export interface CopyOptions {
  readonly chmod?: Chmod | undefined;
  readonly owner?: Owner | undefined;
  /** What is left out of directories; a source itself never is. */
  readonly excludes?: PathPatterns | undefined;
  /** What alone is taken of directories; a source itself always is. */
  readonly parents?: ParentsSource | undefined;
  /** For faults. */
  readonly at: string;
}

/**
 * What a source of COPY names in a tree: a path through symbolic links, and wildcards from its first part with one, through
 * none. What they match may be a link. Names are bytes.
 *
 * @returns also the path of a symbolic link among them that leads nowhere, and whether what comes before the wildcards is there
 */
export function findMatches(
  root: DirectoryNode,
  pattern: string,
): { matches: Match[]; broken: string | undefined; isBegun: boolean } {
  const matches: Match[] = [];
  let broken: string | undefined;
  const { plain, patterns } = splitWildcards(cleanPattern(pattern));
  for (const path of expandPattern(root, pattern)) {
    const node = follow(root, path);
    if (node === undefined) broken ??= path;
    else matches.push({ name: path.slice(path.lastIndexOf('/') + 1), node });
  }
  return { matches, broken, isBegun: patterns.length > 0 && follow(root, plain.join('/')) !== undefined };
}

/** The paths that exist for a pattern with wildcards; '' for the root. */
export function expandPattern(root: DirectoryNode, pattern: string): string[] {
  const { plain, patterns } = splitWildcards(cleanPattern(pattern));
  const path = plain.join('/');
  if (patterns.length === 0) return findNode(root, path) === undefined ? [] : [path];
  let found = [{ path, node: findDirectory(root, path) as TreeNode | undefined }];
  for (const expression of patterns.map((part) => partExpression(toText(part)))) {
    found = found.flatMap(({ path, node }) =>
      [...(node?.kind === 'directory' ? node.children : [])]
        .filter(([name]) => expression.test(toText(name)))
        .map(([name, child]) => ({ path: path === '' ? name : `${path}/${name}`, node: child }))
        .sort((a, b) => (a.path < b.path ? -1 : 1)),
    );
  }
  return found.map(({ path }) => path);
}

/** The file or directory at a path, through symbolic links at its end as well. */
export function follow(root: DirectoryNode, path: string): DirectoryNode | FileNode | undefined {
  const node = findDirectory(root, path) ?? findNode(root, leadsTo(root, path));
  return node?.kind === 'symlink' ? undefined : node;
}

/** What is at a path behind no links. */
export function findDirect(root: DirectoryNode, path: string): TreeNode | undefined {
  let node: TreeNode | undefined = root;
  for (const part of path.split('/')) node = node?.kind === 'directory' ? node.children.get(part) : undefined;
  return node;
}

/** Where a path leads, through symbolic links at its end; there need not be anything. Links in a circle stay. */
function leadsTo(root: DirectoryNode, path: string, depth = 0): string {
  const node = findNode(root, path);
  // As many as file systems follow.
  if (node?.kind !== 'symlink' || depth > 40) return path;
  const target = node.target.startsWith('/') ? node.target : `${parentOf(path)}/${node.target}`;
  return leadsTo(root, cleanPattern(target), depth + 1);
}

/**
 * Copies a match into a tree as COPY does: the contents of a directory go into `target`, a file goes to `target`, or
 * into it if that is a directory or ends with a slash.
 *
 * @param target  path below the root, not cleaned
 * @throws ArchiveFault ENTRY_MISPLACED where a directory meets something else
 */
export function copyInto(root: DirectoryNode, target: string, { name, node }: Match, options: CopyOptions): void {
  const copier = new Copier(options);
  const path = leadsTo(root, cleanPattern(target));
  const make = (directory: string): DirectoryNode =>
    makeOnTheWay(root, directory, options.at, options.chmod?.onTheWay, options.owner);
  if (node.kind === 'directory') {
    const directory = make(path);
    copier.merge(node, () => directory, path, top);
  } else if (target.endsWith('/') || findDirectory(root, path) !== undefined) {
    copier.put(make(path), name, node, `${path}/${name}`);
  } else {
    copier.put(make(parentOf(path)), path.slice(path.lastIndexOf('/') + 1), node, path);
  }
}

/**
 * Makes a directory and those above it that are missing. As on any Linux file system, what is made in a directory with the
 * setgid bit has its group and this bit as well.
 *
 * @throws ArchiveFault ENTRY_MISPLACED where a file is in the way
 */
export function makeOnTheWay(
  root: DirectoryNode,
  path: string,
  at: string,
  mode = 0o755,
  owner?: Owner,
): DirectoryNode {
  const target = leadsTo(root, cleanPattern(path));
  return makeDirectory(root, target, at, {
    meta: (parent) => {
      const setgid = parent.mode & 0o2000;
      return { uid: 0, gid: setgid === 0 ? 0 : parent.gid, ...owner, mode: mode | setgid };
    },
  });
}

/** Lays a tree over another one, as `--link` does with its layer: only directories that meet directories are merged. */
export function layOver(root: DirectoryNode, layer: DirectoryNode): void {
  for (const [name, node] of layer.children) {
    const existing = root.children.get(name);
    if (node.kind === 'directory' && existing?.kind === 'directory') {
      existing.meta = node.meta;
      layOver(existing, node);
    } else {
      root.children.set(name, node);
    }
  }
}

/** Where in its source something is: the path from there, and which patterns match it. */
interface Place {
  readonly below: string;
  readonly included: Matched;
  readonly excluded: Matched;
}

const top: Place = { below: '', included: [], excluded: [] };

class Copier {
  readonly #options: CopyOptions;
  /** Several names of one file stay so within one COPY. */
  readonly #files = new Map<FileNode, FileNode>();

  constructor(options: CopyOptions) {
    this.#options = options;
  }

  meta({ kind, meta }: TreeNode): CpioMeta {
    const { chmod, owner } = this.#options;
    const isChanged = chmod !== undefined && kind !== 'symlink';
    return { ...meta, ...owner, mode: isChanged ? chmod.change(meta.mode, kind === 'directory') : meta.mode };
  }

  /** @param to  gives the directory, which need not be there where nothing is copied */
  merge(from: DirectoryNode, to: () => DirectoryNode, path: string, place: Place): void {
    const { excludes, parents } = this.#options;
    for (const [name, node] of from.children) {
      const target = `${path}/${name}`;
      if (excludes === undefined && parents === undefined) {
        this.put(to(), name, node, target);
        continue;
      }
      const below = place.below === '' ? toText(name) : `${place.below}/${toText(name)}`;
      const out = excludes?.match(below, place.excluded);
      const inside = parents?.includes.match(below, place.included);
      const here = { below, included: inside?.matched ?? [], excluded: out?.matched ?? [] };
      const isLeftOut = out?.isMatch === true;
      if (!isLeftOut && inside?.isMatch !== false) {
        this.put(to(), name, node, target, here);
      } else if (node.kind === 'directory' && (!isLeftOut || excludes?.hasExceptions === true)) {
        if (inside?.isMatch === false && parents?.mayHold(below) === false) continue;
        let made: DirectoryNode | undefined;
        this.merge(node, () => (made ??= this.#above(to(), name, node, target)), target, here);
      }
    }
  }

  put(parent: DirectoryNode, name: string, node: TreeNode, path: string, place = top): void {
    const existing = this.#existing(parent, name, node, path);
    if (node.kind !== 'directory') {
      parent.children.set(name, this.#leaf(node));
      return;
    }
    const directory = existing?.kind === 'directory' ? existing : emptyDirectory();
    directory.meta = this.meta(node);
    parent.children.set(name, directory);
    this.merge(node, () => directory, path, place);
  }

  /** A directory of which only something in it is taken. One that is there already gets the mode of the source only. */
  #above(parent: DirectoryNode, name: string, node: DirectoryNode, path: string): DirectoryNode {
    const existing = this.#existing(parent, name, node, path);
    const directory = existing?.kind === 'directory' ? existing : emptyDirectory();
    directory.meta = directory === existing ? { ...existing.meta, mode: node.meta.mode } : this.meta(node);
    parent.children.set(name, directory);
    return directory;
  }

  #existing(parent: DirectoryNode, name: string, node: TreeNode, path: string): TreeNode | undefined {
    const existing = parent.children.get(name);
    if (existing === undefined || (existing.kind === 'directory') === (node.kind === 'directory')) return existing;
    const [copied, there] = node.kind === 'directory' ? ['directory', existing.kind] : [node.kind, 'directory'];
    throw new ArchiveFault('ENTRY_MISPLACED', `/${path} is a ${there} already and cannot become a ${copied}`, {
      at: this.#options.at,
      hint: 'Copy to what it leads to instead (for example to usr/lib where lib is a link to it).',
    });
  }

  #leaf(node: Exclude<TreeNode, DirectoryNode>): TreeNode {
    if (node.kind === 'symlink') return { ...node, meta: this.meta(node) };
    const copy = this.#files.get(node) ?? { ...node, meta: this.meta(node) };
    this.#files.set(node, copy);
    return copy;
  }
}

/** A copy of a tree that shares no directory with it. */
export function cloneTree(root: DirectoryNode): DirectoryNode {
  const children = new Map<string, TreeNode>();
  for (const [name, node] of root.children) children.set(name, node.kind === 'directory' ? cloneTree(node) : node);
  return { kind: 'directory', meta: root.meta, children };
}
