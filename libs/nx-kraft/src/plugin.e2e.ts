import { readFile, readdir, readlink, rm } from 'node:fs/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { until } from '../../machine/test/traces.ts';
import { TestWorkspace } from '../test/workspace.ts';

let workspace: TestWorkspace;

beforeEach(async () => {
  workspace = await TestWorkspace.create('apps/hello', 'tools/test-kernel');
});
afterEach(() => workspace.remove());

const kernelTasks = ['hello:build:fc-x86_64', 'hello:build:qemu-x86_64'];
const greet = 'return show("/etc/motd");';

test('a kernel is built once, restored when its output is gone, and built again when its source changes', async () => {
  const kernel = workspace.path('apps/hello/.unikraft/build/hello_qemu-x86_64');
  const task = 'hello:build:qemu-x86_64';
  const first = await workspace.nx('run', task);
  expect(first).toMatchObject({ exitCode: 0, ran: [task] });
  const bytes = await readFile(kernel);

  await rm(kernel);
  expect(await workspace.nx('run', task)).toMatchObject({ exitCode: 0, cached: [task], ran: [] });
  expect((await readFile(kernel)).equals(bytes)).toBe(true);

  await workspace.edit('apps/hello/main.c', 'Hello from', 'Greetings from');
  expect(await workspace.nx('run', task)).toMatchObject({ exitCode: 0, ran: [task], cached: [] });
  expect((await readFile(kernel)).equals(bytes)).toBe(false);
});

test('run boots what was built, shows the console, ends with the guest, and passes its failure on', async () => {
  const { exitCode, output } = await workspace.nx('run', 'hello:run');
  expect(exitCode).toBe(0);
  expect(output.split('\n')).toEqual(
    expect.arrayContaining([
      'argument 1: world',
      'argument 2: and all who build it',
      'This line comes from the root file system.',
    ]),
  );
  await workspace.edit('apps/hello/main.c', greet, 'return 7;');
  const failed = await workspace.nx('run', 'hello:run');
  expect(failed.exitCode).toBe(1);
  expect(failed.output).toContain('the program ended with 7 (GUEST_FAILED)');
});

test('a change of the root file system or of cmd builds no kernel', async () => {
  await workspace.nx('run', 'hello:build');
  await workspace.edit('apps/hello/rootfs/etc/motd', 'This line', 'Another line');
  const changed = await workspace.nx('run-many', '-t', 'build', 'rootfs');
  expect(changed).toMatchObject({ ran: ['hello:rootfs'] });
  expect(changed.cached).toEqual(expect.arrayContaining(kernelTasks));

  await workspace.edit('apps/hello/Kraftfile', "'world'", "'moon'");
  const { output, ran } = await workspace.nx('run', 'hello:run');
  expect(ran).toEqual(['hello:run']);
  expect(output).toContain('argument 1: moon');
});

test('an app on a template takes its program, libraries and options, and follows its changes', async () => {
  await workspace.write(
    'apps/shop/Kraftfile',
    'spec: v0.6\ntemplate: { source: ../hello }\ncmd: [shop]\nrootfs: ../hello/rootfs\ntargets: [qemu/x86_64]\n',
  );
  await workspace.write('apps/shop/README.md', 'shop');
  const { exitCode, output } = await workspace.nx('run', 'shop:run');
  expect(exitCode).toBe(0);
  expect(output).toContain('argument 1: shop');
  expect(output).toContain('This line comes from the root file system.');

  await workspace.edit('apps/hello/main.c', 'Hello from', 'Greetings from');
  const changed = await workspace.nx('run', 'shop:run');
  expect(changed.ran).toEqual(['shop:build:qemu-x86_64', 'shop:run']);
  expect(changed.output).toContain('Greetings from');
});

test('package gives the same image in every checkout, and is restored from the cache', async () => {
  const other = await TestWorkspace.create('apps/hello', 'tools/test-kernel');
  try {
    const image = /unikraft\.org\/hello:latest@sha256:[0-9a-f]{64}/;
    const [here, there] = [await workspace.nx('run', 'hello:package'), await other.nx('run', 'hello:package')];
    expect(here.output).toMatch(image);
    expect(image.exec(there.output)?.[0]).toBe(image.exec(here.output)?.[0]);

    await rm(workspace.path('apps/hello/.unikraft/build'), { recursive: true });
    expect(await workspace.nx('run', 'hello:package')).toMatchObject({ exitCode: 0, ran: [] });
    expect(await readdir(workspace.path('apps/hello/.unikraft/build/hello.oci'))).toContain('index.json');
  } finally {
    await other.remove();
  }
});

test('test boots once for each scenario, is cached, and tells what it expected and saw', async () => {
  expect(await workspace.nx('run', 'hello:test')).toMatchObject({ exitCode: 0 });
  expect(await workspace.nx('run', 'hello:test')).toMatchObject({ exitCode: 0, ran: [] });

  await workspace.edit('apps/hello/kraft.test.json', 'argument 1: world', 'argument 1: sun');
  const failed = await workspace.nx('run', 'hello:test');
  expect(failed).toMatchObject({ exitCode: 1, ran: ['hello:test'] });
  expect(failed.output).toMatch(/expected .*argument 1: sun/);
  expect(await readFile(workspace.path('apps/hello/.unikraft/build/junit.xml'), 'utf8')).toContain('<failure');
});

test('a Dockerfile that runs nothing needs no builder, and only what it copies is an input', async () => {
  await workspace.edit('apps/hello/Kraftfile', 'rootfs: ./rootfs', 'rootfs: ./Dockerfile');
  await workspace.write(
    'apps/hello/Dockerfile',
    'FROM scratch\nCOPY rootfs/etc /etc\nCOPY site /site\nCMD ["/site"]\n',
  );
  await workspace.write('apps/hello/.dockerignore', 'site/*.log\n');
  await workspace.write('apps/hello/site/index.html', 'hello');
  await workspace.write('apps/hello/site/a.log', '1');
  // What the machine needs at the very least, without its files.
  await workspace.write('apps/hello/project.json', '{ "targets": { "run": { "options": { "memory": "16Mi" } } } }');
  const first = await workspace.nx('run', 'hello:rootfs');
  expect(first).toMatchObject({ exitCode: 0, ran: ['hello:rootfs'] });
  expect(first.output).toContain('built with embedded');
  expect(first.output).toContain('warning: the machine has 16.0 MiB of memory');

  await workspace.write('apps/hello/site/a.log', '2');
  await workspace.write('apps/hello/rootfs/unused', '2');
  await workspace.edit('apps/hello/main.c', 'Hello from', 'Greetings from');
  expect(await workspace.nx('run', 'hello:rootfs')).toMatchObject({ cached: ['hello:rootfs'] });
  await workspace.write('apps/hello/site/index.html', 'changed');
  expect(await workspace.nx('run', 'hello:rootfs')).toMatchObject({ ran: ['hello:rootfs'] });
  await workspace.write('apps/hello/site/more.html', 'new');
  expect(await workspace.nx('run', 'hello:rootfs')).toMatchObject({ ran: ['hello:rootfs'] });
  await workspace.edit('apps/hello/Kraftfile', "cmd: ['world', 'and all who build it']", '');
  const run = await workspace.nx('run', 'hello:run');
  expect(run.output).toContain('This line comes from the root file system.');
  expect(run.output).toContain('argument 1: /site');
  expect(run.output).toContain('warning: the machine has 16.0 MiB of memory');
});

test('a broken Kraftfile is told by its own tasks, and the others go on', async () => {
  await workspace.write('apps/broken/Kraftfile', 'spec: v0.6\ntargets:\n  - qemu\n');
  const broken = await workspace.nx('run', 'broken:build');
  expect(broken.exitCode).toBe(1);
  expect(broken.output).toContain('apps/broken/Kraftfile:3:5: error:');
  expect((await workspace.nx('run', 'hello:build')).exitCode).toBe(0);
});

test('what cannot be built or run is told in a sentence with what to do next', async () => {
  const unikraft = 'unikraft: { source: ../../tools/test-kernel }';
  await workspace.write('apps/nowhere/Kraftfile', `spec: v0.6\n${unikraft}\ntargets: [vmware/x86_64]\n`);
  const unknown = await workspace.nx('run', 'nowhere:build');
  expect(unknown.exitCode).toBe(1);
  expect(unknown.output).toContain("Unikraft has no platform 'vmware' (KERNEL_BAD_TARGET)\n  Known: qemu, fc");

  await workspace.write('apps/none/Kraftfile', `spec: v0.6\n${unikraft}\n`);
  const none = await workspace.nx('run', 'none:run');
  expect(none.exitCode).toBe(1);
  expect(none.output).toContain('apps/none/Kraftfile: it names no target to run (KRAFTFILE_NO_TARGET)');

  const other = await workspace.nx('run', 'hello:run', '--for=xen-arm64');
  expect(other.exitCode).toBe(1);
  expect(other.output).toContain('there is no target xen-arm64');

  const mistyped = await workspace.nx('run', 'hello:rootfs:qemu-x86');
  expect(mistyped.output).toContain('warning: hello has no task rootfs:qemu-x86, and Nx ran rootfs instead');

  const coreless = 'spec: v0.6\nunikraft: { source: ./nothing }\ntargets: [qemu/x86_64]\n';
  await workspace.write('apps/coreless/Kraftfile', coreless);
  const missing = await workspace.nx('run', 'coreless:build');
  expect(missing.exitCode).toBe(1);
  expect(missing.output).toMatch(/there is no folder '.\/nothing' \(COMPONENT_NOT_FOUND\)/);
});

test('a guest that panics or hangs fails the run', async () => {
  await workspace.edit('apps/hello/main.c', greet, '*(volatile int *)-8 = 1; return 0;');
  const panicked = await workspace.nx('run', 'hello:run');
  expect(panicked.exitCode).toBe(1);
  expect(panicked.output).toMatch(/the guest crashed.*\(GUEST_FAILED\)/);

  await workspace.edit('apps/hello/main.c', '*(volatile int *)-8 = 1; return 0;', 'for (;;);');
  const hung = await workspace.nx('run', 'hello:run', '--timeout=2');
  expect(hung.exitCode).toBe(1);
  expect(hung.output).toContain('it ran longer than it may (GUEST_FAILED)');
});

test('a detached machine goes on, is listed, shows its console, and is stopped and removed', async () => {
  await workspace.edit('apps/hello/main.c', greet, 'show("/etc/motd"); for (;;);');
  expect((await workspace.nx('run', 'hello:run', '--detach', '--name=shop')).output).toContain('shop runs');
  await until(
    async () => (await workspace.nxKraft('logs', 'shop')).includes('root file system'),
    'its console is shown',
  );
  expect(await workspace.nxKraft('logs', 'shop')).toContain('This line comes from the root file system.');
  expect(JSON.parse(await workspace.nxKraft('ps', '--json'))).toMatchObject([{ name: 'shop', state: 'running' }]);
  await workspace.nxKraft('stop', 'shop');
  expect(JSON.parse(await workspace.nxKraft('ps', '--json'))).toEqual([]);
  await workspace.nxKraft('rm', 'shop');
  expect(JSON.parse(await workspace.nxKraft('ps', '--all', '--json'))).toEqual([]);
});

test.each(['SIGINT', 'SIGKILL'] as const)('after %s of Nx no process of the run is left', async (signal) => {
  await workspace.edit('apps/hello/main.c', greet, 'for (;;);');
  const { child, ended, output } = workspace.start('run', 'hello:run');
  await until(() => output().includes('Hello from'), 'the guest is up');
  expect(await processesIn(workspace.folder)).not.toEqual([]);
  child.kill(signal);
  await ended;
  await until(async () => (await processesIn(workspace.folder)).length === 0, 'no process is left');
});

/** The commands of all processes that work in a folder. */
async function processesIn(folder: string): Promise<readonly string[]> {
  const ids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    ids.map(async (id) => {
      try {
        const place = await readlink(`/proc/${id}/cwd`);
        return place.startsWith(folder) ? [await readFile(`/proc/${id}/cmdline`, 'utf8')] : [];
      } catch {
        // It ended while we looked.
        return [];
      }
    }),
  );
  return found.flat();
}
