import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { coreThat, imageFor } from '../test/stand-in-core.ts';
import { TestWorkspace } from '../test/workspace.ts';

/** A core that joins its inputs, tells of it, and goes on when it is told to. */
const core = coreThat(
  '[ ! -e $(A)/.unikraft/wait ] || { touch $(A)/.unikraft/begun; until [ -e $(A)/.unikraft/go ]; do sleep 0.1; done; }',
  'if [ -e $(A)/generate ]; then cd $(A) && sh ./generate; fi',
  'cat $(A)/*.c $(A)/*.h $(L)/lib.c > $(O)/image',
  imageFor('qemu-x86_64'),
);

const kraftfile = `spec: v0.6
name: web
unikraft: { source: ../../core }
libraries: { one: { source: ../../libs/one } }
rootfs: ./rootfs
targets: [qemu/x86_64]
`;

const sources: Readonly<Record<string, string>> = {
  'core/Makefile': core,
  'libs/one/Makefile.uk': '',
  'libs/one/lib.c': 'one',
  'apps/web/Kraftfile': kraftfile,
  'apps/web/Makefile.uk': '$(eval $(call addlib,web))\n',
  'apps/web/main.c': 'main',
  'apps/web/odd.h': 'odd',
  'apps/web/web.h': 'header',
  'apps/web/README.md': 'web',
  'apps/web/rootfs/motd': 'motd',
};

let workspace: TestWorkspace;
beforeEach(async () => {
  workspace = await TestWorkspace.create();
  for (const [path, text] of Object.entries(sources)) await workspace.write(path, text);
});
afterEach(async () => {
  if (workspace.environment.NX_DAEMON === 'true') await workspace.nx('daemon', '--stop');
  await workspace.remove();
});

const kernelTask = 'web:build:qemu-x86_64';
const kernel = (): Promise<string> => readFile(workspace.path('apps/web/.unikraft/build/web_qemu-x86_64'), 'utf8');
const write = (path: string, text: string) => (): Promise<unknown> => workspace.write(path, text);

/** Runs a task, and changes something once a program tells that it has begun. */
async function changeMeanwhile(task: readonly string[], change: () => Promise<unknown>) {
  await workspace.write('apps/web/.unikraft/wait', '');
  let hasEnded = false;
  const ended = workspace.nx(...task).finally(() => (hasEnded = true));
  while (!hasEnded && !existsSync(workspace.path('apps/web/.unikraft/begun'))) await sleep(50);
  await change();
  await workspace.write('apps/web/.unikraft/go', '');
  const run = await ended;
  await rm(workspace.path('apps/web/.unikraft'), { recursive: true });
  return run;
}

test.each([
  ['a source that is changed', 'apps/web/main.c', 'main', write('apps/web/main.c', 'other')],
  ['a local library that is changed', 'libs/one/lib.c', 'one', write('libs/one/lib.c', 'other')],
  ['a header that is gone', 'apps/web/odd.h', 'odd', () => rm(workspace.path('apps/web/odd.h'))],
])('%s while make runs is not left out of the key', async (_what, path, before, change) => {
  const run = await changeMeanwhile(['run', kernelTask], change);
  await workspace.write(path, before);
  await workspace.nx('run', kernelTask);
  expect(await kernel()).toBe('mainoddheaderone');
  expect(run).toMatchObject({ exitCode: 1, output: expect.stringContaining(`${path}: it was changed`) as string });
});

test.each([
  ['a source', 'main.c', 'other'],
  ['the Kraftfile', 'Kraftfile', kraftfile.replace('rootfs: ./rootfs', 'kconfig: { CONFIG_A: "y" }')],
])('nor is %s that is changed before the build starts, when its key is made', async (_what, name, text) => {
  const command = 'cd apps/web/.unikraft; touch begun; until [ -e go ]; do sleep 0.1; done';
  await workspace.write('slow/project.json', JSON.stringify({ name: 'slow', targets: { build: { command } } }));
  const dependsOn = [{ projects: ['slow'], target: 'build' }];
  const last = { name: 'last', targets: { build: { command: 'true', dependsOn } } };
  await workspace.write('last/project.json', JSON.stringify(last));
  const tasks = ['run-many', '-t', 'build', '--parallel=1'];
  const run = await changeMeanwhile(tasks, write(`apps/web/${name}`, text));
  expect(run).toMatchObject({ exitCode: 1, output: expect.stringContaining(`${name}: it was changed`) as string });
});

test.each([
  ['web:rootfs', 'false', 'rootfs/motd', 'motd', 'initramfs-x86_64.cpio'],
  [kernelTask, 'false', 'main.c', 'main', 'web_qemu-x86_64'],
  ['web:rootfs', 'true', 'rootfs/motd', 'motd', 'initramfs-x86_64.cpio'],
  [kernelTask, 'true', 'main.c', 'main', 'web_qemu-x86_64'],
])(
  'nor is what %s reads and somebody changes while a task runs that it waits for; daemon: %s',
  async (task, daemon, name, before, result) => {
    Object.assign(workspace.environment, { NX_DAEMON: daemon, CI: 'false' });
    // It writes again what is there, too, as programs that generate code do.
    const command =
      'cd apps/web; cp web.h x; cp x web.h; rm x; cd .unikraft; touch begun; until [ -e go ]; do sleep 0.1; done';
    await workspace.write('slow/project.json', JSON.stringify({ name: 'slow', targets: { build: { command } } }));
    const target = { dependsOn: [{ projects: ['slow'], target: 'build' }] };
    const targets = { rootfs: target, [kernelTask.replace('web:', '')]: target };
    await workspace.write('apps/web/project.json', JSON.stringify({ targets }));
    const run = await changeMeanwhile(['run', task], write(`apps/web/${name}`, 'other'));
    const refused = { exitCode: 1, output: expect.stringContaining(`${name}: it was changed`) as string };
    // A daemon may have seen the change before it makes the key, which waits for the other task.
    if (daemon === 'false' || run.exitCode !== 0) expect(run).toMatchObject(refused);
    await workspace.write(`apps/web/${name}`, before);
    await workspace.write('apps/web/.unikraft/go', '');
    const { exitCode, output } = await workspace.nx('run', task);
    expect(exitCode, output).toBe(0);
    expect(await readFile(workspace.path(`apps/web/.unikraft/build/${result}`), 'utf8')).toContain(before);
  },
);

/** The projects of a workspace are known only after its files were read, from which Nx makes keys without a daemon. */
test.each(['true', 'false'])(
  'nor are a source and the Kraftfile that are changed while projects are inferred; plugins in processes of their own: %s',
  async (isolated) => {
    workspace.environment.NX_ISOLATE_PLUGINS = isolated;
    const place = workspace.path('apps/web/.unikraft');
    await workspace.write(
      'slow.cjs',
      `const { existsSync, writeFileSync } = require('node:fs');
const infer = async () => {
  if (existsSync('${place}/wait')) writeFileSync('${place}/begun', '');
  while (existsSync('${place}/begun') && !existsSync('${place}/go')) await new Promise((done) => setTimeout(done, 50));
  return [];
};
module.exports = { name: 'slow', createNodes: ['**/Kraftfile', infer], createNodesV2: ['**/Kraftfile', infer] };
`,
    );
    await workspace.edit('nx.json', '"nx-kraft"', '"nx-kraft","./slow.cjs"');
    for (const [task, path, before] of [
      [kernelTask, 'apps/web/main.c', 'main'],
      ['web:rootfs', 'apps/web/rootfs/motd', 'motd'],
      ['web:rootfs', 'apps/web/Kraftfile', kraftfile],
    ] as const) {
      const run = await changeMeanwhile(['run', task], write(path, before.replace(/^(spec.*)?/, '$1\n')));
      expect(run).toMatchObject({ exitCode: 1, output: expect.stringContaining(`${path}: it was changed`) as string });
      await workspace.write(path, before);
    }
  },
);

test('nor is a source that is changed while Nx, which has read it, starts the process of the plugin', async () => {
  const place = workspace.path('apps/web/.unikraft');
  await workspace.write(
    '.caches/slow.cjs',
    `const { existsSync, writeFileSync } = require('node:fs');
const processes = require('node:child_process');
const { spawn } = processes;
const sleep = (time) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, time);
processes.spawn = (program, args, options) => {
  if (existsSync('${place}/wait') && args.some((arg) => arg.includes('plugin-worker'))) {
    sleep(1000);
    writeFileSync('${place}/begun', '');
    while (!existsSync('${place}/go')) sleep(50);
  }
  return spawn(program, args, options);
};
`,
  );
  workspace.environment.NODE_OPTIONS = `--require=${workspace.path('.caches/slow.cjs')}`;
  const run = await changeMeanwhile(['run', kernelTask], write('apps/web/main.c', 'other'));
  await workspace.write('apps/web/main.c', 'main');
  await workspace.nx('run', kernelTask);
  expect(await kernel()).toBe('mainoddheaderone');
  expect(run).toMatchObject({ exitCode: 1, output: expect.stringContaining('main.c: it was changed') as string });
});

test('what no kernel is made of may change, and so may what the build itself, Nx and other tasks write', async () => {
  await workspace.write('.gitignore', 'node_modules\n.nx\n.unikraft\n.caches\nignored.*\n');
  await workspace.write(
    'apps/web/generate',
    'echo made > new.h; echo made > ignored.h; echo made > ignored.txt; mkdir -p made; echo > made/x\n',
  );
  for (const name of ['ignored.h', 'ignored.txt']) await workspace.write(`apps/web/${name}`, 'old');
  await workspace.write('apps/web/deep/project.json', JSON.stringify({ name: 'deep' }));
  const meanwhile = async (): Promise<unknown> => {
    for (const path of ['README.md', 'rootfs/motd', 'deep/x.c', '.unikraft/x.c']) {
      await workspace.write(`apps/web/${path}`, 'other');
    }
    return workspace.write('apps/other/x.c', 'other');
  };
  const { exitCode, output } = await changeMeanwhile(['run', kernelTask], meanwhile);
  expect(exitCode, output).toBe(0);
  // Again, now that these are there.
  const again = await workspace.nx('run', kernelTask, '--skip-nx-cache');
  expect(again).toMatchObject({ exitCode: 1, output: expect.stringContaining('let git ignore it') as string });
});

test('what a compiler has read, and no key knows, is told', async () => {
  await workspace.write(
    'apps/web/Makefile.uk',
    '$(eval $(call addlib,web))\nWEB_SRCS-y += $(WEB_BASE)/../common/c.c\n',
  );
  for (const path of ['common/c.c', 'common/c.h', 'odd/odd.h']) await workspace.write(`apps/${path}`, '');
  const read = ['main.c', 'made.h', '../common/c.c', '../common/c.h', '../odd/odd.h'].map((path) => `$(A)/${path}`);
  const lists = ['touch $(A)/made.h', 'mkdir -p $(O)/web', `echo "x.o: ${read.join(' ')}" > $(O)/web/x.o.d`];
  await workspace.write(
    'core/Makefile',
    core.replace('\t@cat', `${lists.map((line) => `\t@${line}\n`).join('')}\t@cat`),
  );
  const { exitCode, output } = await workspace.nx('run', kernelTask);
  expect(exitCode, output).toBe(0);
  expect(output.match(/warning: a compiler read .*/g)).toEqual([
    'warning: a compiler read apps/odd/odd.h, which is no input of this task; Makefile.uk can name its folder',
  ]);
});

test.each([
  ['beside the application', 'apps/idl/gen', true],
  // Of headers that no build file names a fresh clone does not know that they will be there.
  ['in the application', 'apps/web/gen', false],
])('what a task before generates %s counts, and in a fresh clone, too', async (_where, place, isKnownBefore) => {
  await workspace.write('.gitignore', 'node_modules\n.nx\n.unikraft\n.caches\ngen\n');
  const path = relative('apps/web', place);
  await workspace.write('core/Makefile', core.replace('$(L)/lib.c', `$(A)/${path}/x.c`));
  await workspace.write('apps/web/Makefile.uk', `$(eval $(call addlib,web))\nWEB_SRCS-y += $(WEB_BASE)/${path}/x.c\n`);
  const generate = {
    command: `mkdir -p ${place} && cp apps/idl/idl ${place}/x.c && cp apps/idl/idl ${place}/x.h`,
    inputs: ['{projectRoot}/idl'],
    outputs: [`{workspaceRoot}/${place}`],
    cache: true,
  };
  await workspace.write('apps/idl/project.json', JSON.stringify({ name: 'idl', targets: { generate } }));
  const target = { dependsOn: [{ projects: ['idl'], target: 'generate' }] };
  await workspace.write('apps/web/project.json', JSON.stringify({ targets: { 'build:qemu-x86_64': target } }));
  for (const idl of ['one', 'two', 'one']) {
    for (const made of [place, 'apps/web/.unikraft']) await rm(workspace.path(made), { recursive: true, force: true });
    await workspace.write('apps/idl/idl', idl);
    expect(await workspace.nx('run', kernelTask)).toMatchObject({ exitCode: 0 });
    expect(await kernel()).toContain(idl);
    if (isKnownBefore) expect(await workspace.nx('run', kernelTask)).toMatchObject({ exitCode: 0, ran: [] });
  }
});
