import type { CpioMeta } from './cpio-writer.ts';
import { ArchiveFault } from './fault.ts';
import { type ByteName, parentOf, toText } from './names.ts';
import { type DirectoryNode, emptyDirectory, plainDirectory, type TreeNode } from './tree.ts';

/** As many as Linux follows in one path. */
const mostLinks = 40;

/**
 * The directory at a path of the tree; symbolic links are followed inside the root, as a guest would.
 *
 * @param name  path below the root, '' for the root itself
 * @param onDetour  called when a symbolic link was followed
 * @returns undefined when there is nothing, or something else than a directory
 * @throws ArchiveFault LINK_BROKEN for symbolic links in a circle
 */
export function findDirectory(root: DirectoryNode, name: ByteName, onDetour?: () => void): DirectoryNode | undefined {
  return walk(root, name, () => undefined, onDetour);
}

/**
 * Like {@link findDirectory}, but creates the directories that are missing.
 *
 * @param meta  mode and owner of one that is created, by those of what it lies in (default: 0755, root)
 * @param at  the archive or file that wants it, for faults
 * @throws ArchiveFault ENTRY_MISPLACED where a file is in the way
 */
export function makeDirectory(
  root: DirectoryNode,
  name: ByteName,
  at: string,
  { meta = () => plainDirectory }: { meta?: (parent: CpioMeta) => CpioMeta } = {},
): DirectoryNode {
  const directory = walk(root, name, (parent, part) => {
    if (parent.children.has(part)) return undefined;
    const created = emptyDirectory(meta(parent.meta));
    parent.children.set(part, created);
    return created;
  });
  if (directory !== undefined) return directory;
  throw new ArchiveFault('ENTRY_MISPLACED', `${toText(name)} is no directory, but something is to go into it`, {
    at,
    hint: 'Two entries contradict each other; leave one of them out.',
  });
}

/** The node at a path of the tree; links in its parents are followed, the last name is not. */
export function findNode(root: DirectoryNode, name: ByteName): TreeNode | undefined {
  if (name === '') return root;
  return findDirectory(root, parentOf(name))?.children.get(name.slice(name.lastIndexOf('/') + 1));
}

function walk(
  root: DirectoryNode,
  name: ByteName,
  onMissing: (parent: DirectoryNode, part: ByteName) => DirectoryNode | undefined,
  onDetour?: () => void,
): DirectoryNode | undefined {
  const above = [root];
  const pending = name.split('/').reverse();
  let links = 0;
  for (let part = pending.pop(); part !== undefined; part = pending.pop()) {
    const current = above.at(-1) ?? root;
    if (part === '' || part === '.') continue;
    if (part === '..') {
      if (above.length > 1) above.pop();
      continue;
    }
    const child = current.children.get(part);
    if (child?.kind === 'symlink') {
      onDetour?.();
      if (++links > mostLinks) throw circle(name);
      if (child.target.startsWith('/')) above.length = 1;
      pending.push(...child.target.split('/').reverse());
    } else {
      const next = child?.kind === 'directory' ? child : onMissing(current, part);
      if (next === undefined) return undefined;
      above.push(next);
    }
  }
  return above.at(-1);
}

function circle(name: ByteName): ArchiveFault {
  return new ArchiveFault('LINK_BROKEN', `the symbolic links in ${toText(name)} lead in a circle`, {
    at: toText(name),
    hint: 'Correct one of them.',
  });
}
