import { execFileSync } from 'node:child_process';
import { access, chmod, chown, constants, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { run } from '@nx-kraft/base';
import { buildInProcess } from '../test/process.ts';
import { makeApplication, planOf, useFolders } from '../test/sample.ts';

const folders = useFolders();

/** Starts a program as an ordinary user: another one where that is possible, else as the one who runs the tests. */
async function ordinaryUser(): Promise<{ readonly id: number; readonly prefix: readonly string[] }> {
  const own = process.getuid?.() ?? 0;
  if (own !== 0 || !(await isOpenToAll(import.meta.dirname))) return { id: own, prefix: ['env'] };
  const id = 65534;
  return { id, prefix: ['setpriv', `--reuid=${id}`, `--regid=${id}`, '--clear-groups', '--no-new-privs'] };
}

async function isOpenToAll(folder: string): Promise<boolean> {
  const isOpen = ((await stat(folder)).mode & 0o005) === 0o005;
  return isOpen && (folder === '/' || (await isOpenToAll(dirname(folder))));
}

test('users of one machine share objects, and each gets the same bits', async () => {
  const mask = process.umask(0o002);
  try {
    const shared = { NX_KRAFT_OBJECTS: join(folders.test, 'objects') };
    await mkdir(shared.NX_KRAFT_OBJECTS);
    await chmod(shared.NX_KRAFT_OBJECTS, 0o2777);
    await chmod(folders.test, 0o755);
    const first = planOf(await makeApplication(join(folders.test, 'first')));
    expect(await buildInProcess(first, ['env'], shared)).toMatchObject({ canonical: true, shared: false });

    const { id, prefix } = await ordinaryUser();
    const second = planOf(await makeApplication(join(folders.test, 'second')));
    execFileSync('chown', ['-R', String(id), second.application]);
    const home = join(folders.test, 'home');
    await mkdir(home);
    await chown(home, id, -1);
    const outcome = await buildInProcess(second, prefix, { ...shared, HOME: home, XDG_CACHE_HOME: home });
    expect(outcome).toEqual({ canonical: true, shared: true });
    expect(await readFile(second.output.debugKernel)).toEqual(await readFile(first.output.debugKernel));
  } finally {
    process.umask(mask);
  }
});

test('a kernel is built by programs that lie below the folder where the canonical paths are', async () => {
  const repository = join(import.meta.dirname, '../../..');
  const bind = 'mount -t tmpfs tmpfs /mnt && mkdir /mnt/disk && mount --rbind "$0" /mnt/disk && exec "$@"';
  const prefix = ['unshare', '--user', '--map-root-user', '--mount', 'sh', '-c', bind, repository];
  const plan = planOf(await makeApplication(join(folders.test, 'app')));
  const built = await buildInProcess(plan, prefix, {}, '/mnt/disk/libs/kernel');
  expect(built).toMatchObject({ canonical: true });
});

test('where no mount namespace is allowed a kernel is built at the paths that there are, and that is told', async () => {
  const programs = await mkdtemp(join(tmpdir(), 'programs-'));
  try {
    await writeFile(
      join(programs, 'unshare'),
      '#!/bin/sh\necho "unshare failed: Operation not permitted" >&2\nexit 1\n',
    );
    await chmod(join(programs, 'unshare'), 0o755);
    const plan = planOf(await makeApplication(join(folders.test, 'app')));
    const environment = { PATH: `${programs}${delimiter}${process.env.PATH}` };
    expect(await buildInProcess(plan, ['env'], environment)).toEqual({ canonical: false, shared: false });
    await access(plan.output.kernel, constants.X_OK);
    expect(await readFile(plan.output.map, 'utf8')).toContain(`${plan.workFolder}/objects/appsample.o`);

    // Where they are allowed again nothing of it is used.
    expect(await buildInProcess(plan, ['env'])).toMatchObject({ canonical: true });
    expect(await readFile(plan.output.map, 'utf8')).not.toContain(plan.workFolder);
  } finally {
    await rm(programs, { recursive: true });
  }
});

test('whoever may have other rights to mount namespaces has other surroundings', async () => {
  const script = `
    const { surroundings } = await import(${JSON.stringify(join(import.meta.dirname, 'place.ts'))});
    process.stdout.write(surroundings());`;
  const told = (program: string, ...args: readonly string[]): Promise<string> =>
    run(program, [...args, process.execPath, '--input-type=module', '--eval', script]);
  const own = await told('env');
  expect(await told('env')).toBe(own);
  expect(await told('unshare', '--user', '--map-root-user')).not.toBe(own);
  expect(await told('unshare', '--user', '--map-root-user', '--mount')).not.toBe(own);
});
