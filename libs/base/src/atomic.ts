import { mkdirSync, readdirSync, renameSync } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { isAlive } from './lock.ts';
import { regularFile } from './regular-file.ts';

/**
 * Makes a file or folder at `path` appear whole or not at all: `make` writes to a temporary path beside it, which is
 * then renamed. When `make` fails, the temporary path is removed and an older result stays as it was. `make` may put
 * more beside it, under names that begin with the temporary one, and removes that itself. A device, pipe or socket is not
 * replaced: whoever names `/dev/stdout` means something else.
 *
 * @param durable  flush the file to the disk before the rename, for what a power cut must not lose (default false)
 * @param sweep  first remove what processes that were killed left of the same path (default false): for large files
 *
 * @throws FileFault FILE_IRREGULAR
 */
export async function replaceAtomically<T>(
  path: string,
  make: (temporaryPath: string) => Promise<T>,
  { durable = false, sweep = false }: { durable?: boolean; sweep?: boolean } = {},
): Promise<T> {
  regularFile(path);
  // At once, as below: a process that hands nothing to Node's thread pool never waits for its threads to start.
  mkdirSync(dirname(path), { recursive: true });
  if (sweep) await removeLeftovers(path);
  // Neither this nor the host's name needs `node:crypto`, which takes longer to load than many a result to make.
  const random = Math.random().toString(36).slice(2);
  const temporaryPath = join(dirname(path), `.${basename(path)}.${process.pid}-${host()}-${random}.tmp`);
  try {
    const result = await make(temporaryPath);
    if (durable) await flush(temporaryPath);
    renameSync(temporaryPath, path);
    return result;
  } catch (error) {
    await rm(temporaryPath, { recursive: true, force: true });
    // Nobody but this function knows the other name.
    if (error instanceof Error && 'path' in error && error.path === temporaryPath) error.path = path;
    throw error;
  }
}

/** Process numbers mean something on one machine only, and folders may be shared. */
function host(): string {
  return encodeURIComponent(hostname());
}

async function removeLeftovers(path: string): Promise<void> {
  const folder = dirname(path);
  const start = `.${basename(path)}.`;
  const left = readdirSync(folder).filter((name) => {
    const [, pid, madeOn] = /^(\d+)-(.+?)-[0-9a-z]+\.tmp/.exec(name.slice(start.length)) ?? [];
    return name.startsWith(start) && madeOn === host() && !isAlive(Number(pid));
  });
  for (const name of left) await rm(join(folder, name), { recursive: true, force: true });
}

async function flush(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
