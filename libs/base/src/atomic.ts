import { randomUUID } from 'node:crypto';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/**
 * Makes a file or folder at `path` appear whole or not at all: `make` writes to a temporary path beside it, which is
 * then renamed. When `make` fails, the temporary path is removed and an older result stays as it was.
 *
 * @param durable  flush the file to the disk before the rename, for what a power cut must not lose (default false)
 */
export async function replaceAtomically<T>(
  path: string,
  make: (temporaryPath: string) => Promise<T>,
  { durable = false }: { durable?: boolean } = {},
): Promise<T> {
  await mkdir(dirname(path), { recursive: true });
  const temporaryPath = join(dirname(path), `.${basename(path)}.${randomUUID()}.tmp`);
  try {
    const result = await make(temporaryPath);
    if (durable) await flush(temporaryPath);
    await rename(temporaryPath, path);
    return result;
  } catch (error) {
    await rm(temporaryPath, { recursive: true, force: true });
    throw error;
  }
}

async function flush(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
