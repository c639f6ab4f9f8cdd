import { chmod, rm, symlink } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { coreThat, imageFor } from '../../test/stand-in-core.ts';
import { TestWorkspace } from '../../test/workspace.ts';

const kraftfile = (name: string, more: string): string => `spec: v0.6
name: ${name}
${more}
targets: [qemu/x86_64]
`;

const base = 'registry.invalid/team/base:1';

const sources: Readonly<Record<string, string>> = {
  '.gitignore': 'node_modules\n.nx\n.unikraft\n.caches\ngen*\n/hidden\n/clone\nDockerfile\n.env.sh\n',
  'core/Makefile': coreThat('cat $(A)/*.c > $(O)/image', imageFor('qemu-x86_64')),
  'clone/lib/Makefile.uk': '$(eval $(call addlib,libclone))\n',
  'apps/web/Kraftfile': kraftfile(
    'web',
    'unikraft: { source: ../../core }\nlibraries: { clone: { source: ../../clone/lib } }\nrootfs: ./Dockerfile',
  ),
  'apps/web/Makefile.uk': '$(eval $(call addlib,web))\nWEB_SRCS-y += $(WEB_BASE)/gen/part.c\n',
  'apps/web/main.c': '#include "../common/gen.h"\n',
  'apps/web/Dockerfile': 'FROM scratch\nCOPY one /\n',
  'apps/web/.dockerignore': '.unikraft\n',
  'apps/web/one': 'one',
  'apps/web/two': 'two',
  'apps/other/Kraftfile': kraftfile('other', 'unikraft: { source: ../../core }'),
  'apps/other/Makefile.uk': '$(eval $(call addlib,other))\n',
  'apps/other/main.c': 'other',
  'apps/other/include/other.h': 'other',
  'apps/base/Kraftfile': kraftfile('base', 'runtime: kernel://./kernel'),
  'apps/base/kernel': 'kernel',
  'apps/base/project.json': JSON.stringify({ name: 'base', targets: { package: { options: { name: base } } } }),
  'elsewhere/part.c': 'part',
  'elsewhere/other.c': 'other',
};

let workspace: TestWorkspace;
beforeAll(async () => {
  workspace = await TestWorkspace.create();
  for (const [path, text] of Object.entries(sources)) await workspace.write(path, text);
  await runBoth();
});
afterAll(async () => {
  Object.assign(workspace.environment, withDaemon);
  await workspace.nx('daemon', '--stop');
  await workspace.remove();
});

const tasks = ['run-many', '-t', 'build', 'rootfs'];
const withDaemon = { NX_DAEMON: 'true', CI: 'false' };
const kernel = ['web:build:qemu-x86_64'];
const rootfs = ['web:rootfs'];

/**
 * Runs all with a daemon, and sees that this runs nothing again, and that without one nothing runs again either: keys are the
 * same.
 *
 * @returns the tasks that ran with the daemon
 */
async function runBoth(): Promise<readonly string[]> {
  Object.assign(workspace.environment, withDaemon);
  const { exitCode, output, ran } = await workspace.nx(...tasks);
  expect(exitCode, output).toBe(0);
  expect(await workspace.nx(...tasks)).toMatchObject({ exitCode: 0, ran: [] });
  Object.assign(workspace.environment, { NX_DAEMON: 'false' });
  expect(await workspace.nx(...tasks)).toMatchObject({ exitCode: 0, ran: [] });
  return ran;
}

const write = (path: string, text: string) => (): Promise<unknown> => workspace.write(path, text);
const remove = (path: string) => (): Promise<unknown> => rm(workspace.path(path));

/** One after another. */
test.each([
  ['a new header', write('apps/web/gen.h', 'one'), kernel],
  ['another text of that', write('apps/web/gen.h', 'two'), kernel],
  ['the text of before', write('apps/web/gen.h', 'one'), []],
  ['a header that is gone', remove('apps/web/gen.h'), []],
  ['a header in a new folder', write('apps/web/deep/er/gen.h', 'one'), kernel],
  ['a source in a folder that git ignores, and build files name', write('apps/web/gen/part.c', 'part'), kernel],
  ['what a source includes from around, where there was nothing', write('apps/common/gen.h', 'one'), kernel],
  ['a build file', write('apps/web/gen.mk', 'WEB_SRCS-y += $(WEB_BASE)/../../hidden/part.c\n'), kernel],
  ['a source that this names', write('hidden/part.c', 'part'), kernel],
  ['another text of that source', write('hidden/part.c', 'other'), kernel],
  ['another build file', write('apps/web/gen.mk', '# WEB_SRCS-y += $(WEB_BASE)/../../hidden/\n'), kernel],
  [
    'a build file of a clone, which takes a variable',
    write('clone/lib/Makefile.uk', '$(eval $(call addlib,libclone))\nLIBCLONE_CFLAGS-y += -DMODE=$(MODE)\n'),
    kernel,
  ],
  ['that variable', () => Promise.resolve((workspace.environment.MODE = 'fast')), kernel],
  ['a link', () => symlink('../../elsewhere/part.c', workspace.path('apps/web/gen.c')), kernel],
  ['what the link leads to', write('elsewhere/part.c', 'new'), kernel],
  ['a file that no Dockerfile copies', write('apps/web/gen-two', 'one'), []],
  ['a Dockerfile that copies it', write('apps/web/Dockerfile', 'FROM scratch\nCOPY gen-two /\n'), rootfs],
  ['what it copies', write('apps/web/gen-two', 'two'), rootfs],
  ['its mode', () => chmod(workspace.path('apps/web/gen-two'), 0o755), rootfs],
  ['what is no source', write('apps/web/gen.txt', 'one'), []],
  ['what lies in a folder that no build file names', write('apps/other/gen-more/x.c', 'one'), []],
])('%s counts at once', async (_what, change, ran) => {
  await change();
  expect(await runBoth()).toEqual(ran);
});

test('with --batch, too', async () => {
  await workspace.write('apps/web/gen-two', 'three');
  Object.assign(workspace.environment, withDaemon);
  expect(await workspace.nx(...tasks, '--batch')).toMatchObject({ exitCode: 0, ran: rootfs });
  await workspace.write('apps/web/Dockerfile', 'FROM scratch\nCOPY two gen-two /\n');
  expect(await workspace.nx(...tasks, '--batch')).toMatchObject({ exitCode: 0, ran: rootfs });
  expect(await runBoth()).toEqual([]);
});

test('what may not be kept by what they say is never taken from a cache, although it was planned to be kept', async () => {
  Object.assign(workspace.environment, withDaemon);
  const include = `include ${import.meta.filename}\n`;
  await workspace.write('apps/web/gen.mk', include);
  expect(await workspace.nx(...tasks)).toMatchObject({ exitCode: 0, ran: kernel });
  await rm(workspace.path('apps/web/gen.mk'));
  // Planned not to be kept.
  await workspace.nx(...tasks);
  await workspace.nx(...tasks);
  expect(await workspace.nx(...tasks)).toMatchObject({ exitCode: 0, ran: [] });
  await workspace.write('apps/web/gen.mk', include);
  expect(await workspace.nx(...tasks)).toMatchObject({ exitCode: 0, ran: kernel });
});

test('where tasks wait for others by what they say, the command is to be run again', async () => {
  Object.assign(workspace.environment, withDaemon);
  await workspace.write('apps/web/Dockerfile', `FROM scratch\nCOPY --from=${base} /unikraft/bin/kernel /\n`);
  const { exitCode, output } = await workspace.nx('run', 'web:rootfs');
  expect(output).toContain('run it again');
  expect(exitCode).not.toBe(0);
  const ran = ['base:package', 'web:rootfs'];
  expect(await workspace.nx('run', 'web:rootfs')).toMatchObject({ exitCode: 0, ran });
});
