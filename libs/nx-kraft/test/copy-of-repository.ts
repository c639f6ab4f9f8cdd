import { cp, mkdir, readdir, symlink } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { run } from '@nx-kraft/base';

const repository = resolve(import.meta.dirname, '../../..');

/** Copies this repository's files as they are now, for tests that may change them, with its packages instead of the original's. */
export async function copyOfRepository(copy: string): Promise<string> {
  const listed = await run('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { cwd: repository });
  for (const file of listed.split('\n').filter((line) => line !== '')) {
    await cp(join(repository, file), join(copy, file));
  }
  await mkdir(join(copy, 'node_modules/@nx-kraft'), { recursive: true });
  for (const name of await readdir(join(repository, 'node_modules'))) {
    if (name.endsWith('nx-kraft')) continue;
    await symlink(join(repository, 'node_modules', name), join(copy, 'node_modules', name));
  }
  for (const room of await readdir(join(copy, 'libs'))) {
    const name = room === 'nx-kraft' ? room : `@nx-kraft/${room}`;
    await symlink(join(copy, 'libs', room), join(copy, 'node_modules', name));
  }
  return copy;
}
