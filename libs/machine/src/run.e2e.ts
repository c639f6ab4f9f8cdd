import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, copyFile, mkdir, mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { arch } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { installHint } from '@nx-kraft/base';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { buildGuest } from '../test/guest.ts';
import { useGuest } from '../test/use-guest.ts';
import { findProcesses, until } from '../test/traces.ts';
import { chooseAccelerator } from './accelerator.ts';
import { initrdMount } from './command-line.ts';
import type { KernelRun } from './kernel-run.ts';
import { runKernel, type KernelRunOptions } from './run.ts';
import { startMachine } from './machine.ts';

const guest = useGuest();
afterEach(() => {
  vi.unstubAllEnvs();
});

function plan(args: readonly string[], more: Partial<KernelRun> = {}): KernelRun {
  return { kernel: guest.kernel, architecture: 'x86_64', platform: 'qemu', accelerator: 'tcg', args, ...more };
}

async function run(args: readonly string[], more: Partial<KernelRun> = {}, options: KernelRunOptions = {}) {
  let output = '';
  const end = await runKernel(plan(args, more), {
    ...options,
    onConsole: (chunk) => (output += Buffer.from(chunk).toString()),
  });
  return { ...end, output: output.replaceAll('\r', '') };
}

describe('what a guest gets', () => {
  test('its arguments, its environment and its files arrive as they are', async () => {
    const words = ['two words', `it's "quoted"`, 'back\\slash', '--', 'tab\there', '[', ']'];
    const env = { A: 'one "two"', EMPTY: '', B: ']' };
    const more = { env, initrd: guest.initrd, mounts: [initrdMount] };
    const { output, exitCode } = await run(['environment', 'cat', '/etc/motd', 'arguments', ...words], more);
    expect(output).toContain('env <A=one "two">\nenv <EMPTY=>\nenv <B=]>\ngood day\n');
    expect(output).toContain('argv[0]=<probe_qemu-x86_64>\n');
    for (const word of words) expect(output).toContain(`=<${word}>\n`);
    expect(exitCode).toBe(0);
  });

  test('folders of the host are read and written, and only read where that was asked', async () => {
    const source = join(guest.folder, 'shared, with comma');
    await mkdir(source);
    await writeFile(join(source, 'greeting'), 'from the host');
    const volume = { source, destination: '/data', driver: '9pfs', readOnly: false } as const;
    const args = ['cat', '/data/greeting', 'write', '/data/answer', 'from the guest', 'cat', '/data/answer'];
    expect((await run(args, { volumes: [volume] })).output).toContain('from the hostfrom the guest');
    expect(await readFile(join(source, 'answer'), 'utf8')).toBe('from the guest');

    const end = await run(['write', '/data/more', 'x'], { volumes: [{ ...volume, readOnly: true }] });
    expect(end).toMatchObject({ exitCode: 1, output: containing('/data/more: Read-only file system') });
    expect(await readdir(source)).toEqual(['answer', 'greeting']);
  });

  test('an archive can be unpacked anywhere, a disk and a folder of a daemon can be there', async () => {
    const archive = { source: guest.initrd, destination: '/', driver: 'initrd', readOnly: true } as const;
    const disk = {
      source: join(guest.folder, 'disk'),
      destination: '/disk',
      driver: 'block',
      readOnly: false,
    } as const;
    await writeFile(disk.source, Buffer.alloc(1024 * 1024));
    expect((await run(['cat', '/etc/motd'], { volumes: [archive, disk] })).output).toContain('good day');

    const folder = { source: guest.folder, destination: '/shared', driver: 'virtiofs', readOnly: false } as const;
    const temporary = await mkdtemp(join(guest.folder, 'tmp-'));
    vi.stubEnv('TMPDIR', temporary);
    // The guest gives up at a file system that it does not know; where the daemon is not there, or may not do its work, that is told.
    const ended = await run([], { volumes: [folder] }).catch((error: unknown) => error);
    expect(['crash', 'MACHINE_NO_PROGRAM', 'MACHINE_START_FAILED']).toContain(
      (ended as { reason?: string; code?: string }).reason ?? (ended as { code?: string }).code,
    );
    await until(async () => (await findProcesses(`source=${guest.folder}`)).length === 0, 'the daemon is gone');
    expect(await readdir(temporary)).toEqual([]);
    await expect(run([], { volumes: [{ ...folder, readOnly: true }] })).rejects.toMatchObject({
      hint: expect.stringMatching(/9p/) as unknown,
    });
    await expect(run([], { volumes: [{ ...disk, source: '/no/disk' }] })).rejects.toThrow('there is no file /no/disk');
    await expect(run([], { volumes: [{ ...disk, driver: '9pfs' }] })).rejects.toThrow('is no folder');
  });

  test('its name comes first, also where QEMU does not put it there', async () => {
    const { kernel } = await buildGuest(guest.folder, 'fc');
    expect((await run(['arguments'], { kernel, env: { A: '1' } })).output).toContain(
      'argv[0]=<probe_fc-x86_64>\nargv[1]=<arguments>\n',
    );
  });

  test('paths with spaces and commas work', async () => {
    const odd = join(guest.folder, 'a, b "c"');
    await mkdir(odd);
    await copyFile(guest.kernel, join(odd, 'my kernel'));
    await copyFile(guest.initrd, join(odd, 'my, files'));
    const more = { kernel: join(odd, 'my kernel'), initrd: join(odd, 'my, files'), mounts: [initrdMount] };
    expect(await run(['cat', '/etc/motd'], more)).toMatchObject({
      exitCode: 0,
      output: containing('good day'),
    });
  });

  test('what is typed reaches its console', async () => {
    const input = new PassThrough();
    input.write('first\nsecond\n\n');
    const { output } = await run(['echo'], {}, { input });
    expect(output).toContain('echo: first\n');
    expect(output).toContain('echo: second\n');
  });
});

describe('how a guest ends', () => {
  test.each([
    [['exit', '3'], { exitCode: 3, reason: 'failure' }],
    [['abort'], { exitCode: 1, reason: 'crash', message: containing('Abnormal termination') }],
    [['fault'], { exitCode: 1, reason: 'crash', message: containing('page fault') }],
    [['divide'], { exitCode: 1, reason: 'crash', message: containing('divide error') }],
    [['cat', '/nothing'], { exitCode: 1, lastLines: containingLine('/nothing: No such file or directory') }],
  ])('%j', async (args, expected) => {
    expect(await run(args)).toMatchObject(expected);
  });

  test('a kernel that fails before its program has crashed', async () => {
    const end = await run(['say', 'never'], { mounts: [initrdMount] });
    expect(end).toMatchObject({ exitCode: 1, reason: 'crash' });
    expect(end.output).not.toContain('never');
  });

  test('a guest that hangs ends at the limit', async () => {
    expect(await run(['say', 'before', 'hang'], {}, { timeout: 1000 })).toMatchObject({
      exitCode: 124,
      reason: 'timeout',
      lastLines: containingLine('before'),
    });
  });

  test('a signal stops it', async () => {
    const stop = new AbortController();
    const ended = run(
      ['say', 'up', 'hang'],
      {},
      { signal: stop.signal, onLine: (line) => line === 'up' && stop.abort() },
    );
    expect(await ended).toMatchObject({ exitCode: 0, reason: 'stopped' });
  });

  test('a paused guest stands still', async () => {
    const lines: string[] = [];
    const machine = await startMachine(plan(['say', 'one', 'sleep', '200', 'say', 'two']), {
      onLine: (line) => lines.push(line),
    });
    await until(() => lines.includes('one'), 'the guest says one');
    await machine.pause();
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect(lines).not.toContain('two');
    expect(await machine.peakMemory()).toBeGreaterThan(1e6);
    await machine.resume();
    expect(await machine.ended).toMatchObject({ exitCode: 0 });
    expect(lines).toContain('two');
  });
});

describe('ports', () => {
  test('one that is taken is named, and any free one is told', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    await expect(run(['say', 'x'], { ports: [`127.0.0.1:${port}:80`] })).rejects.toMatchObject({
      code: 'MACHINE_PORT_TAKEN',
      message: `cannot listen on port ${port} (tcp) of 127.0.0.1`,
    });
    other.close();

    const machine = await startMachine(plan(['hang'], { ports: ['127.0.0.1:0:80', '127.0.0.1:0:81', '0:53/udp'] }));
    const numbers = machine.ports.map(({ hostPort }) => hostPort);
    expect(new Set(numbers).size).toBe(3);
    expect(numbers.every((number) => number > 0)).toBe(true);
    await machine.kill();
  });
});

describe('what cannot be run', () => {
  test.each([
    ['no kernel', 'missing', undefined, 'MACHINE_NO_KERNEL'],
    ['no kernel at all', 'text', Buffer.from('hello'), 'MACHINE_NOT_A_KERNEL'],
    ['a kernel for another architecture', 'arm', elfHeader(183), 'MACHINE_WRONG_ARCHITECTURE'],
  ])('%s', async (_, name, content, code) => {
    const kernel = join(guest.folder, name);
    if (content !== undefined) await writeFile(kernel, content);
    await expect(run([], { kernel })).rejects.toMatchObject({ code, at: kernel });
  });

  test('the kernel with debug information', async () => {
    await expect(run([], { kernel: `${guest.kernel}.dbg` })).rejects.toMatchObject({
      code: 'MACHINE_NOT_A_KERNEL',
      hint: containing('.dbg'),
    });
  });

  test('a platform that is not here', async () => {
    const told = { code: 'MACHINE_BAD_TARGET', at: guest.kernel };
    await expect(run([], { platform: 'xen' })).rejects.toMatchObject({ ...told, hint: containing('xl') });
    await expect(run([], { platform: 'linuxu' })).rejects.toMatchObject({ ...told, hint: containing('by its path') });
  });

  test('anything, with a QEMU that is broken', async () => {
    const broken = join(guest.folder, 'broken');
    await mkdir(broken);
    await writeFile(join(broken, 'qemu-system-x86_64'), '#!/no/such/program\n');
    await chmod(join(broken, 'qemu-system-x86_64'), 0o755);
    // With setpriv, which tells it, and without, where the system does.
    vi.stubEnv('PATH', `${broken}:${process.env['PATH']}`);
    await expect(run([])).rejects.toMatchObject({
      code: 'MACHINE_START_FAILED',
      message: containing('No such file'),
    });
    vi.stubEnv('PATH', broken);
    await expect(run([])).rejects.toMatchObject({ code: 'MACHINE_START_FAILED', message: containing('ENOENT') });
  });

  test('anything, without QEMU', async () => {
    vi.stubEnv('PATH', guest.folder);
    await expect(run([])).rejects.toMatchObject({
      code: 'MACHINE_NO_PROGRAM',
      hint: await installHint('qemu-system-x86_64'),
    });
  });
});

describe('the accelerator', () => {
  test('is found by booting with it, and remembered', async () => {
    const cache = join(guest.folder, 'cache');
    const qemu = '/usr/bin/qemu-system-x86_64';
    const first = await chooseAccelerator('auto', 'x86_64', qemu, cache);
    // Whatever this machine can do: it says why when it emulates, and the guest boots with the choice.
    expect(first.note === undefined).toBe(first.accelerator === 'kvm');
    expect(await chooseAccelerator('auto', 'x86_64', qemu, cache)).toEqual(first);
    expect(await run(['say', 'up'], { accelerator: 'auto' }, { timeout: 60_000 })).toMatchObject({ exitCode: 0 });
  });

  test('that does not work is told with what QEMU says, and refused when it was asked for', async () => {
    const qemu = join(guest.folder, 'qemu-system-x86_64');
    await writeFile(qemu, '#!/bin/sh\necho "qemu-system-x86_64: error: failed to set MSR 0x10a" >&2\nexit 1\n');
    await chmod(qemu, 0o755);
    const cache = join(guest.folder, 'cache-of-broken');
    const choice = await chooseAccelerator('auto', 'x86_64', qemu, cache);
    expect(choice.accelerator).toBe('tcg');
    expect(choice.note).toMatch(/^emulated, which is slower, since .*kvm/);
    await expect(chooseAccelerator('kvm', 'x86_64', qemu, cache)).rejects.toMatchObject({ code: 'MACHINE_NO_KVM' });
  });

  test('of another architecture is emulation', async () => {
    const [host, other] = arch() === 'x64' ? (['x86_64', 'arm64'] as const) : (['arm64', 'x86_64'] as const);
    expect(await chooseAccelerator('auto', other, '/none', guest.folder)).toMatchObject({
      accelerator: 'tcg',
      note: `emulated, which is slower, since the host is ${host} and the machine ${other}`,
    });
  });
});

describe('nothing is left behind', () => {
  const script = join(import.meta.dirname, '../test/run-in-process.ts');

  async function startProcess(name: string, args = ['say', 'up', 'hang']) {
    const home = await mkdtemp(join(guest.folder, 'home-'));
    const child = spawn(process.execPath, [script, JSON.stringify({ ...plan(args), name })], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, TMPDIR: home, XDG_CACHE_HOME: home, HOME: home },
    });
    let output = '';
    child.stdout.on('data', (chunk) => (output += String(chunk)));
    child.stderr.on('data', (chunk) => (output += String(chunk)));
    await until(() => output.includes('up\r\n'), 'the guest is up');
    const [qemu] = await findProcesses(name);
    return { child, home, qemu: qemu ?? 0, exit: once(child, 'exit') as Promise<[number | null, string | null]> };
  }

  async function expectNothingLeft(name: string, home: string) {
    await until(async () => (await findProcesses(name)).length === 0, 'QEMU is gone');
    expect(await readdir(home)).toEqual([]);
    expect(await readFile('/proc/net/unix', 'utf8')).not.toContain(home);
  }

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('after %s', async (signal, exitCode) => {
    const name = `nothing-left-${signal}`;
    const { child, home, exit } = await startProcess(name);
    child.kill(signal);
    expect(await exit).toEqual([exitCode, null]);
    await expectNothingLeft(name, home);
  });

  test('after Ctrl-C twice, with a QEMU that answers no more', async () => {
    const { child, home, qemu, exit } = await startProcess('nothing-left-twice');
    process.kill(qemu, 'SIGSTOP');
    child.kill('SIGINT');
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(child.exitCode).toBe(null);
    child.kill('SIGINT');
    expect(await exit).toEqual([130, null]);
    await expectNothingLeft('nothing-left-twice', home);
  });

  test('after this process was killed', async () => {
    const { child, home, exit } = await startProcess('nothing-left-killed');
    child.kill('SIGKILL');
    await exit;
    await expectNothingLeft('nothing-left-killed', home);
  });

  test('after QEMU was killed by somebody', async () => {
    const { home, qemu, exit } = await startProcess('nothing-left-qemu');
    process.kill(qemu, 'SIGKILL');
    expect(await exit).toEqual([143, null]);
    await expectNothingLeft('nothing-left-qemu', home);
  });
});

function containing(text: string): unknown {
  return expect.stringContaining(text);
}

function containingLine(line: string): unknown {
  return expect.arrayContaining([line]);
}

/** The start of an ELF file for a machine with this number. */
function elfHeader(machine: number): Buffer {
  const header = Buffer.alloc(64);
  header.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  header.writeUInt16LE(machine, 18);
  return header;
}
