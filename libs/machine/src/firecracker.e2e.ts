import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { isAlive } from '@nx-kraft/base';
import { until } from '../test/traces.ts';
import { initrdMount } from './command-line.ts';
import { startFirecracker } from './firecracker.ts';
import type { MachinePlan } from './machine.ts';
import { runKernel } from './run.ts';

let folder: string;
let temporary: string;
let plan: MachinePlan;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'firecracker-'));
  const kernel = join(folder, 'web_fc-x86_64');
  const header = Buffer.alloc(64);
  header.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  header.writeUInt16LE(62, 18);
  await writeFile(kernel, header);
  const standIn = join(import.meta.dirname, '../test/firecracker-stand-in.ts');
  await writeFile(join(folder, 'firecracker'), `#!/bin/sh\nexec '${process.execPath}' '${standIn}' "$@"\n`);
  await chmod(join(folder, 'firecracker'), 0o755);
  plan = { kernel, architecture: 'x86_64', initrd: join(folder, 'root.cpio'), args: ['serve', 'a b'] };
});
afterAll(() => rm(folder, { recursive: true }));
beforeEach(async () => {
  temporary = await mkdtemp(join(folder, 'tmp-'));
  vi.stubEnv('PATH', `${folder}:${process.env['PATH']}`);
  vi.stubEnv('TMPDIR', temporary);
  vi.stubEnv('STAND_IN_CALLS', join(temporary, 'calls'));
});
afterEach(() => {
  vi.unstubAllEnvs();
});

async function recordedCalls(): Promise<readonly unknown[]> {
  return (await readFile(join(temporary, 'calls'), 'utf8'))
    .trimEnd()
    .split('\n')
    .map((line): unknown => JSON.parse(line));
}

test('Firecracker gets the calls of its API in order, and nothing is left behind', async () => {
  const lines: string[] = [];
  const end = await runKernel(
    {
      ...plan,
      platform: 'fc',
      env: { A: '1' },
      mounts: [initrdMount],
      volumes: [{ source: '/disk', destination: '/', driver: 'block', readOnly: true }],
      memory: '100M',
      cpus: 2,
    },
    { onLine: (line) => lines.push(line) },
  );
  expect(end).toMatchObject({ exitCode: 0, reason: 'shutdown' });
  expect(lines).toEqual(['guest is up']);
  expect(await recordedCalls()).toEqual([
    ['PUT', '/drives/fs1', { drive_id: 'fs1', path_on_host: '/disk', is_root_device: false, is_read_only: true }],
    ['PUT', '/machine-config', { vcpu_count: 2, mem_size_mib: 96 }],
    [
      'PUT',
      '/boot-source',
      {
        kernel_image_path: plan.kernel,
        initrd_path: plan.initrd,
        boot_args: 'web_fc-x86_64 vfs.fstab=[ "initrd0:/:extract::ramfs=2:" ] env.vars=[ "A=1" ] -- serve "a b"',
      },
    ],
    ['PUT', '/actions', { action_type: 'InstanceStart' }],
  ]);
  expect(await readdir(temporary)).toEqual(['calls']);
});

test('it is paused, resumed and stopped, when its socket has no file any more', async () => {
  vi.stubEnv('STAND_IN_PLAY', 'hang');
  const machine = await startFirecracker(plan);
  expect(await readdir(temporary)).toEqual(['calls']);
  await machine.pause();
  await machine.resume();
  expect((await recordedCalls()).slice(-2)).toEqual([
    ['PATCH', '/vm', { state: 'Paused' }],
    ['PATCH', '/vm', { state: 'Resumed' }],
  ]);
  expect(await machine.stop()).toMatchObject({ exitCode: 0, reason: 'stopped' });
  await until(() => !isAlive(machine.pid), 'its process is gone');
});

test('a crash shows on the console', async () => {
  vi.stubEnv('STAND_IN_PLAY', 'crash');
  expect(await runKernel({ ...plan, platform: 'fc' })).toMatchObject({ exitCode: 1, reason: 'crash' });
});

test('what Firecracker refuses is told in its words', async () => {
  vi.stubEnv('STAND_IN_REFUSES', '/boot-source');
  vi.stubEnv('STAND_IN_WORDS', 'The kernel file cannot be opened');
  await expect(startFirecracker(plan)).rejects.toMatchObject({
    code: 'MACHINE_START_FAILED',
    message: 'Firecracker refused PUT /boot-source: The kernel file cannot be opened',
  });
  vi.stubEnv('STAND_IN_REFUSES', '/actions');
  vi.stubEnv('STAND_IN_WORDS', 'Error creating KVM object: No such file or directory');
  await expect(startFirecracker(plan)).rejects.toMatchObject({ code: 'MACHINE_NO_KVM' });
  expect(await readdir(temporary)).toEqual(['calls']);
});

test('what Firecracker cannot do is said before it is started', async () => {
  await expect(startFirecracker({ ...plan, ports: ['80:80'] })).rejects.toThrow('cannot forward ports');
  const volume = { source: '/data', destination: '/data', driver: '9pfs', readOnly: false } as const;
  await expect(startFirecracker({ ...plan, volumes: [volume] })).rejects.toThrow('cannot share /data');
  vi.stubEnv('PATH', temporary);
  await expect(startFirecracker(plan)).rejects.toMatchObject({ code: 'MACHINE_NO_PROGRAM' });
});
