import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { useGuest } from '../test/use-guest.ts';
import { findProcesses, until } from '../test/traces.ts';
import { formatInstances } from './instance-table.ts';
import { Instances } from './instances.ts';
import type { KernelRun } from './kernel-run.ts';

const guest = useGuest();
let root: string;
let instances: Instances;
const children: ChildProcess[] = [];
beforeEach(async () => {
  root = await mkdtemp(join(guest.folder, 'state-'));
  instances = new Instances(root, join(guest.folder, 'cache'));
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  for (const { id } of await instances.list()) await instances.remove(id);
});

function plan(...args: readonly string[]): KernelRun {
  return { kernel: guest.kernel, platform: 'qemu', architecture: 'x86_64', accelerator: 'tcg', args };
}

async function logOf(name: string): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of instances.logs(name, { follow: true })) chunks.push(chunk);
  return Buffer.concat(chunks).toString().replaceAll('\r', '');
}

async function startNew(name: string, ...args: readonly string[]) {
  await instances.create(plan(...args), { name });
  return instances.start(name);
}

test('an instance runs on its own, can be looked at, and its end is known', async () => {
  const started = await startNew('web', 'say', 'up', 'sleep', '300', 'exit', '4');
  expect(started).toMatchObject({ name: 'web', state: 'running', accelerator: 'tcg' });
  expect(await findProcesses('web')).toEqual([started.pid]);
  expect(await logOf('web')).toContain('up\n');
  const ended = await instances.inspect(started.id.slice(0, 6));
  expect(ended).toMatchObject({ state: 'exited', end: { exitCode: 4, reason: 'failure' } });
  expect(formatInstances([ended], { now: new Date(Date.parse(ended.createdAt) + 120_000) }).split('\n')).toEqual([
    'NAME  KERNEL             ARGS                     CREATED    STATUS               MEM   PORTS  PLAT',
    'web   probe_qemu-x86_64  say up sleep 300 exit 4  2 min ago  exited (4, failure)  64Mi         qemu/x86_64',
  ]);
});

test('it is paused, started again, stopped and removed', async () => {
  await startNew('a', 'hang');
  await instances.pause('a');
  expect((await instances.inspect('a')).state).toBe('paused');
  expect((await instances.start('a')).state).toBe('running');
  await expect(instances.start('a')).rejects.toMatchObject({ code: 'MACHINE_RUNNING' });
  await instances.stop('a');
  expect(await instances.inspect('a')).toMatchObject({ state: 'exited', end: { reason: 'stopped' } });
  await instances.stop('a');
  expect((await instances.start('a')).state).toBe('running');
  await instances.remove('a');
  expect(await instances.list()).toEqual([]);
  expect(await findProcesses('a')).toEqual([]);
  expect(await readdir(root)).toEqual([]);
});

test('names are unique, also when many are taken at once', async () => {
  const tries = await Promise.allSettled(Array.from({ length: 5 }, () => instances.create(plan(), { name: 'same' })));
  expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  expect(tries.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { code: 'MACHINE_NAME_TAKEN' } });
  const invented = await Promise.all(Array.from({ length: 20 }, () => instances.create(plan())));
  expect(new Set(invented.map(({ name }) => name)).size).toBe(20);
  await expect(async () => instances.create(plan(), { name: '../x' })).rejects.toMatchObject({
    code: 'MACHINE_BAD_NAME',
  });
});

test('what cannot be started says why, and stays as it was', async () => {
  await instances.create({ ...plan(), kernel: join(guest.folder, 'none') }, { name: 'none' });
  await expect(instances.start('none')).rejects.toMatchObject({
    code: 'MACHINE_NO_KERNEL',
    at: join(guest.folder, 'none'),
  });
  expect((await instances.inspect('none')).state).toBe('created');
  await expect(instances.pause('none')).rejects.toThrow('does not run');
  await expect(instances.stop('nobody')).rejects.toMatchObject({
    code: 'MACHINE_NO_INSTANCE',
    hint: 'There are: none.',
  });
});

test('one whose process was killed has died with it', async () => {
  await startNew('killed', 'hang');
  const [owner] = (await findProcesses(root + '/' + (await instances.inspect('killed')).id)).toSorted((a, b) => a - b);
  process.kill(owner ?? NaN, 'SIGKILL');
  await until(async () => (await findProcesses('killed')).length === 0, 'QEMU is gone');
  expect((await instances.inspect('killed')).state).toBe('died');
  expect((await instances.start('killed')).state).toBe('running');
});

test('one in the foreground is in the list, takes commands, and leaves nothing', async () => {
  const ending = instances.run(plan('say', 'up', 'hang'), { name: 'front' }, {});
  await until(async () => (await instances.list()).some(({ state }) => state === 'running'), 'it runs');
  await instances.stop('front');
  expect(await ending).toMatchObject({ reason: 'stopped' });
  expect(await readdir(root)).toEqual([]);
});

test('it is told when the guest takes connections, and not before', async () => {
  const stop = new AbortController();
  const lines: string[] = [];
  let before: readonly string[] | undefined;
  await instances.run(
    { ...plan('sleep', '300', 'serve', '80', 'x'), ports: ['127.0.0.1:0:80'] },
    {},
    {
      signal: stop.signal,
      onLine: (line) => lines.push(line),
      onReady: () => {
        before = [...lines];
        stop.abort();
      },
    },
  );
  expect(before).toContain('listening on port 80');
});

test('without ports it is ready when it has written something, and never when it ended', async () => {
  const stop = new AbortController();
  const end = await instances.run(plan('hang'), {}, { signal: stop.signal, onReady: () => stop.abort() });
  expect(end.reason).toBe('stopped');
  let isReady = false;
  await instances.run({ ...plan('say', 'x'), ports: ['127.0.0.1:0:80'] }, {}, { onReady: () => (isReady = true) });
  expect(isReady).toBe(false);
});

test('one in the foreground whose process was killed is gone from the list, and its folder too', async () => {
  const script = join(import.meta.dirname, '../test/run-instance.ts');
  const child = spawn(process.execPath, [script, root, JSON.stringify(plan('hang')), 'doomed'], { stdio: 'ignore' });
  children.push(child);
  await until(async () => (await instances.list()).some(({ state }) => state === 'running'), 'it runs');
  child.kill('SIGKILL');
  await once(child, 'exit');
  await until(async () => (await findProcesses('doomed')).length === 0, 'QEMU is gone');
  expect(await instances.list()).toEqual([]);
  expect(await readdir(root)).toEqual([]);
});

test('one whose process was killed before it could start it is gone from the list, and its folder too', async () => {
  const script = join(import.meta.dirname, '../test/run-instance.ts');
  const child = spawn(process.execPath, [script, root, JSON.stringify(plan()), 'early', 'hold'], { stdio: 'ignore' });
  children.push(child);
  await until(async () => (await instances.list()).some(({ state }) => state === 'created'), 'it is recorded');
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(await instances.list()).toEqual([]);
  // Where it was killed while it held the lock, the next one who needs that sees that it is nobody's.
  await instances.create(plan(), { name: 'next' });
  await instances.remove('next');
  expect(await readdir(root)).toEqual([]);
});
