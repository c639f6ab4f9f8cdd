import { getEventListeners, once } from 'node:events';
import { existsSync } from 'node:fs';
import { lstat, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { describeError, Fault, regularFile, replaceAtomically, run, unlessAborted, withLock } from './index.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'base-'));
});
afterEach(() => rm(folder, { recursive: true }));

test('a failed replacement keeps the old file and leaves nothing behind', async () => {
  const path = join(folder, 'result');
  await writeFile(path, 'old');
  const failing = replaceAtomically(path, async (temporary) => {
    await writeFile(temporary, 'half');
    throw new Error('no space');
  });
  await expect(failing).rejects.toThrow('no space');
  expect(await readFile(path, 'utf8')).toBe('old');
  expect(await readdir(folder)).toEqual(['result']);
});

test('nobody waits for what was called off, and its end is of no interest then', async () => {
  const never = new Promise<number>(() => undefined);
  const stop = new AbortController();
  expect(await unlessAborted(undefined, Promise.resolve(1))).toBe(1);
  expect(await unlessAborted(stop.signal, Promise.resolve(2))).toBe(2);
  await expect(unlessAborted(stop.signal, Promise.reject(new Error('own')))).rejects.toThrow('own');
  expect(getEventListeners(stop.signal, 'abort')).toEqual([]);
  const reason = new Error('called off');
  const waiting = expect(unlessAborted(stop.signal, never)).rejects.toBe(reason);
  stop.abort(reason);
  await waiting;
  await expect(unlessAborted(stop.signal, Promise.reject(new Error('late')))).rejects.toBeInstanceOf(Error);
  await expect(unlessAborted(stop.signal, never)).rejects.toBe(reason);
});

test('a pipe or a device is told, and never replaced', async () => {
  const path = join(folder, 'pipe');
  await run('mkfifo', [path]);
  const replacing = replaceAtomically(path, (temporary) => writeFile(temporary, 'new'));
  await expect(replacing).rejects.toMatchObject({
    code: 'FILE_IRREGULAR',
    message: 'this is a named pipe, and not a file',
  });
  expect((await lstat(path)).isFIFO()).toBe(true);
});

test('a replacement creates missing folders and gives back what its maker gave', async () => {
  const path = join(folder, 'a/b/result');
  expect(await replaceAtomically(path, (temporary) => writeFile(temporary, 'new').then(() => 7))).toBe(7);
  expect(await readFile(path, 'utf8')).toBe('new');
});

test('what a killed process left of a file goes before the next replacement, what a living one writes stays', async () => {
  const path = join(folder, 'result');
  const script = `
    const { replaceAtomically } = await import(${JSON.stringify(new URL('index.ts', import.meta.url).href)});
    const { mkdir, writeFile } = await import('node:fs/promises');
    await replaceAtomically(${JSON.stringify(path)}, async (temporary) => {
      await writeFile(temporary, 'half');
      await mkdir(temporary + '.scratch');
      process.kill(process.pid, 'SIGKILL');
    });`;
  await expect(run(process.execPath, ['--input-type=module', '-e', script])).rejects.toThrow();
  expect(await readdir(folder)).toHaveLength(2);
  await replaceAtomically(path, async (living) => {
    await writeFile(living, 'first');
    await replaceAtomically(path, (temporary) => writeFile(temporary, 'second'), { sweep: true });
    expect(await readdir(folder)).toEqual([basename(living), 'result']);
  });
  expect(await readdir(folder)).toEqual(['result']);
});

test('a lock lets one at a time in and leaves no file', async () => {
  const path = join(folder, 'lock');
  let inside = 0;
  let most = 0;
  const visit = () =>
    withLock(path, async () => {
      most = Math.max(most, ++inside);
      await new Promise((resolve) => setTimeout(resolve, 5));
      inside--;
    });
  await Promise.all([visit(), visit(), visit(), visit()]);
  expect(most).toBe(1);
  expect(await readdir(folder)).toEqual([]);
});

test('while a lock is held there is no other file of it, which would be left if its holder were killed', async () => {
  const path = join(folder, 'lock');
  expect(await withLock(path, () => readdir(folder))).toEqual(['lock']);
});

test('a lock of a dead process is taken over, one of a living process is waited for', async () => {
  const path = join(folder, 'lock');
  await writeFile(path, '999999999');
  expect(await withLock(path, () => Promise.resolve('in'))).toBe('in');
  await writeFile(path, String(process.pid));
  await expect(withLock(path, () => Promise.resolve(), { timeout: 50 })).rejects.toMatchObject({ code: 'LOCK_HELD' });
});

test('run gives the output, and lines as they come', async () => {
  const lines: string[] = [];
  const script = 'console.log("one\\ntwo"); console.error("three")';
  const output = await run(process.execPath, ['-e', script], { onLine: (line) => lines.push(line) });
  expect(output).toBe('one\ntwo');
  expect(lines.toSorted()).toEqual(['one', 'three', 'two']);
});

test('run tells how a program failed and what is missing', async () => {
  await expect(run(process.execPath, ['-e', 'console.error("bad"); process.exit(3)'])).rejects.toMatchObject({
    code: 'PROGRAM_FAILED',
    exitCode: 3,
    output: 'bad\n',
  });
  await expect(run('no-such-program', [])).rejects.toMatchObject({ code: 'PROGRAM_MISSING', exitCode: 127 });
});

test('run ends the program when the signal is aborted', async () => {
  const script = `require("fs").writeFileSync(${JSON.stringify(join(folder, 'up'))}, ""); setInterval(() => {}, 1000)`;
  const stop = new AbortController();
  const running = run(process.execPath, ['-e', script], { signal: stop.signal });
  while (!existsSync(join(folder, 'up'))) await new Promise((resolve) => setTimeout(resolve, 10));
  stop.abort();
  await expect(running).rejects.toMatchObject({ code: 'PROGRAM_FAILED', exitCode: 143 });
});

test('a fault is told with place, code and hint, and any other error with its stack', () => {
  const fault = new Fault('ODD', 'it is odd', { at: 'Kraftfile:3:1', hint: 'Make it even.' });
  expect(describeError(fault)).toBe('Kraftfile:3:1: it is odd (ODD)\n  Make it even.');
  const long = new Fault('ODD', 'it is odd:\n  1\n  3', { hint: 'Make it even.' });
  expect(describeError(long)).toBe('it is odd: (ODD)\n  1\n  3\n  Make it even.');
  expect(JSON.parse(JSON.stringify(fault))).toEqual({
    code: 'ODD',
    message: 'it is odd',
    at: 'Kraftfile:3:1',
    hint: 'Make it even.',
  });
  expect(describeError(new Error('bug'))).toContain('base.spec.ts');
});

test('what was stopped is told without a stack', () => {
  expect(describeError(AbortSignal.abort().reason)).toBe('stopped before its end');
});

test('what the system refuses is told in words, with the place', async () => {
  const refused = await readFile(join(folder, 'nothing')).catch((error: unknown) => describeError(error));
  expect(refused).toBe(`${join(folder, 'nothing')}: there is no such file or folder (ENOENT)`);
  const odd = await readFile('a\0b').catch((error: unknown) => describeError(error));
  expect(odd).toBe('a\\x00b: no path may hold a zero byte (PATH_INVALID)');
  const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC', syscall: 'write' });
  expect(describeError(full)).toBe('the disk is full (ENOSPC)\n  Make room on it.');
  const broken = Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO', syscall: 'read' });
  expect(describeError(broken)).toBe('EIO: i/o error, read');
  const socket = join(folder, 'nobody.sock');
  const unheard = await once(connect(socket), 'connect').catch((error: unknown) => describeError(error));
  expect(unheard).toBe(`connect ENOENT ${socket}`);
});

test('a pipe, a socket and a device are told before anybody waits for them', async () => {
  const [pipe, socket] = [join(folder, 'pipe'), join(folder, 'socket')];
  await run('mkfifo', [pipe]);
  const server = createServer().listen(socket);
  await once(server, 'listening');
  expect(() => regularFile(pipe)).toThrow('this is a named pipe, and not a file');
  expect(() => regularFile(socket)).toThrow('this is a socket, and not a file');
  expect(() => regularFile('/dev/zero')).toThrow('this is a character device, and not a file');
  server.close();
  // Of these the system tells.
  for (const path of [import.meta.filename, folder, join(folder, 'missing')]) expect(regularFile(path)).toBe(path);
});
