import { hasErrorCode } from '@nx-kraft/base';
import { readdir, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { isNamed } from './annotations.ts';
import { subjectOf } from './attachments.ts';
import { type Digest, isDigest } from './digest.ts';
import type { Layout } from './layout.ts';
import type { Descriptor } from './model.ts';
import { addReachable } from './reachable.ts';

/** What a prune took away. */
export interface Pruned {
  readonly blobs: number;
  readonly bytes: number;
}

/** Marks what named images and their attachments need, and sweeps what is older than `grace`; see `ImageStore.prune`. */
export async function pruneLayout(layout: Layout, grace: number): Promise<Pruned> {
  const pruned = { blobs: 0, bytes: 0 };
  await layout.changeRoots(async (roots) => {
    const { needed, kept } = await mark(layout, roots);
    const oldest = Date.now() - grace;
    const blobs = (await layout.blobFiles()).filter((path) => !isNeeded(path, needed));
    for (const path of [...blobs, ...(await filesIn(join(layout.folder, 'partial')))]) {
      const size = await removeOlder(path, oldest);
      if (size === undefined) continue;
      pruned.blobs++;
      pruned.bytes += size;
    }
    return kept;
  });
  return pruned;
}

async function mark(
  layout: Layout,
  roots: readonly Descriptor[],
): Promise<{ readonly needed: ReadonlySet<Digest>; readonly kept: readonly Descriptor[] }> {
  const needed = new Set<Digest>();
  for (const root of roots.filter(isNamed)) await addReachable(layout, root, needed);
  const kept: Descriptor[] = [];
  for (const root of roots) {
    // What is attached to an image goes with it.
    const subject = isNamed(root) ? root.digest : await subjectOf(layout, root);
    if (subject === undefined || !needed.has(subject)) continue;
    await addReachable(layout, root, needed);
    kept.push(root);
  }
  return { needed, kept };
}

/** Temporary files have other names than digests. */
function isNeeded(path: string, needed: ReadonlySet<Digest>): boolean {
  const digest = `sha256:${basename(path)}`;
  return isDigest(digest) && needed.has(digest);
}

/** Size of the file if it was removed; temporary files of living processes come and go. */
async function removeOlder(path: string, oldest: number): Promise<number | undefined> {
  try {
    const { mtimeMs, size } = await stat(path);
    if (mtimeMs > oldest) return undefined;
    await rm(path);
    return size;
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

async function filesIn(folder: string): Promise<readonly string[]> {
  try {
    return (await readdir(folder)).map((name) => join(folder, name));
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return [];
    throw error;
  }
}
