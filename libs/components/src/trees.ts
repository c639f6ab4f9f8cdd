import { chmod, mkdir, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { hasErrorCode } from '@nx-kraft/base';
import { bootName } from './boot.ts';
import { ComponentFault } from './fault.ts';
import { markUsed, once, recall, remember, type Store, withWorkFolder } from './store.ts';
import { hashTree, moveTree, protectTree } from './tree.ts';

/** Where the tree with this content hash is, or would be. */
export function treeFolder(store: Store, content: string): string {
  return join(store.folder, 'trees', content.replace(':', '-'));
}

/**
 * The folder of a tree that is in the store, marked as used just now; undefined when it is not there. A tree is hashed
 * again when it is used for the first time after a start of the machine, since a power cut can take contents of files
 * back that were written shortly before; a damaged one is removed.
 */
export async function findTree(store: Store, content: string): Promise<string | undefined> {
  const folder = treeFolder(store, content);
  try {
    await markUsed(folder);
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return undefined;
    throw error;
  }
  const question = `check ${content}`;
  const checked = await once(store, question, () => checkAfterBoot(store, folder, content));
  if (checked === undefined) store.answers.delete(question);
  return checked;
}

async function checkAfterBoot(store: Store, folder: string, content: string): Promise<string | undefined> {
  if ((await recall(store, 'checked', content)) === bootName()) return folder;
  try {
    if ((await hashTree(folder)) !== content) {
      await withWorkFolder(store, (work) => moveTree(folder, join(work, 'damaged')));
      return undefined;
    }
  } catch (error) {
    // Another process has found it damaged and removes it.
    if (hasErrorCode(error, 'ENOENT')) return undefined;
    throw error;
  }
  await noteChecked(store, content);
  return folder;
}

async function noteChecked(store: Store, content: string): Promise<void> {
  try {
    await remember(store, 'checked', content, bootName());
  } catch (error) {
    // In a store that only others may write to, every process checks for itself.
    if (!hasErrorCode(error, 'EACCES', 'EROFS', 'EPERM')) throw error;
  }
}

/**
 * Puts a tree into the store: `fill` writes it into an empty folder, then it is hashed, made read-only and moved to its
 * place in one step, so that it is there as a whole or not at all.
 *
 * @param fill  gives what else its caller wants to know
 * @param expected  the content hash that it must have
 * @throws ComponentFault COMPONENT_WRONG_CHECKSUM
 */
export async function addTree<T>(
  store: Store,
  fill: (folder: string) => Promise<T>,
  { expected, at }: { expected: string | undefined; at: string },
): Promise<{ content: string; filled: T }> {
  return withWorkFolder(store, async (work) => {
    const folder = join(work, 'tree');
    await mkdir(folder);
    const filled = await fill(folder);
    const content = await hashTree(folder);
    if (expected !== undefined && content !== expected) throw wrongContent(expected, content, at);
    await protectTree(folder);
    await moveIntoPlace(folder, treeFolder(store, content));
    await noteChecked(store, content);
    return { content, filled };
  });
}

async function moveIntoPlace(folder: string, place: string): Promise<void> {
  await mkdir(join(place, '..'), { recursive: true });
  try {
    await rename(folder, place);
  } catch (error) {
    // Another process was faster; what it put there has the same content.
    if (hasErrorCode(error, 'ENOTEMPTY', 'EEXIST', 'EPERM') && (await stat(place)).isDirectory()) return;
    throw error;
  }
  await chmod(place, 0o555);
}

/** The fault of a tree that is not the promised one. */
export function wrongContent(expected: string, content: string, at: string): ComponentFault {
  return new ComponentFault('COMPONENT_WRONG_CHECKSUM', `its content is ${content}, not ${expected} as locked`, {
    at,
    hint: 'Someone changed what lies there. If you trust it, update its entry in kraft.lock on purpose.',
  });
}
