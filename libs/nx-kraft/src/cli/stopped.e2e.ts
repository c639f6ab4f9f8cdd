import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { run } from '@nx-kraft/base';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { freePort } from '../../../oci/test/registry.ts';
import { buildahEnvironment } from '../../../rootfs/test/engine.ts';

const command = join(import.meta.dirname, '../../bin/nx-kraft.js');

let folder: string;
let out: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stopped-'));
  out = join(folder, 'out');
});
afterEach(() => rm(folder, { recursive: true, maxRetries: 5 }));

interface Started {
  readonly child: ChildProcess;
  /** All that it has written. */
  readonly said: () => string;
  readonly ended: Promise<[code: number | null, signal: NodeJS.Signals | null]>;
}

function start(args: readonly string[], env: NodeJS.ProcessEnv = process.env): Started {
  const child = spawn(process.execPath, [command, ...args], {
    cwd: folder,
    env: { ...env, XDG_CACHE_HOME: join(folder, 'cache'), NX_KRAFT_IMAGES: join(folder, 'images') },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (text += String(chunk)));
  return { child, said: () => text, ended: once(child, 'close') as Started['ended'] };
}

function startRootfs(args: readonly string[], env?: NodeJS.ProcessEnv): Started {
  return start(['rootfs', ...args, '--output', 'out/root.cpio'], env);
}

async function until(isSo: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (const end = Date.now() + 30_000; !(await isSo()); await sleep(5)) {
    if (Date.now() > end) throw new Error(`waited in vain until ${what}`);
  }
}

/** Begins a build by buildah that has a secret and takes a minute. */
async function startBuildah(): Promise<Started> {
  await mkdir(join(folder, 'app'));
  await mkdir(join(folder, 'buildah'));
  const env = buildahEnvironment(join(folder, 'buildah'), 'localhost:1');
  for (const name of ['sh', 'sleep']) await copyFile('/bin/busybox', join(folder, 'app', name));
  const step = 'RUN --mount=type=secret,id=token ["/bin/sh", "-c", "echo running; sleep 60"]';
  await writeFile(join(folder, 'app/Dockerfile'), `FROM scratch\nCOPY sh sleep /bin/\n${step}\n`);
  const options = ['--builder', 'buildah', '--network', 'host', '--secret', 'id=token,env=TOKEN'];
  const started = startRootfs(['app/Dockerfile', '--context', 'app', ...options], { ...env, TOKEN: 'not for all' });
  await until(() => started.said().includes('\nrunning'), 'it runs');
  return started;
}

/** The numbers of processes whose command line names the test's folder. */
async function processes(): Promise<readonly number[]> {
  const lines = (await run('ps', ['-ewwo', 'pid,args'])).split('\n');
  return lines.filter((line) => line.includes(folder)).map((line) => Number.parseInt(line, 10));
}

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const)('after %s nothing is left of a build by buildah, its secrets above all', async (signal, code) => {
  const { child, ended } = await startBuildah();
  const scratch = join(out, (await readdir(out)).find((name) => name.endsWith('.scratch')) ?? '');
  expect(await readFile(join(scratch, 'secret-0'), 'utf8')).toBe('not for all');
  expect((await stat(scratch)).mode & 0o777).toBe(0o700);
  child.kill(signal);
  // What a terminal and npx both give is one signal.
  child.kill(signal);
  expect(await ended).toEqual([code, null]);
  expect(await readdir(out)).toEqual([]);
  await until(async () => (await processes()).length === 0, 'no process is left');
});

test('who presses Ctrl-C again waits for no builder', async () => {
  const { child, ended } = await startBuildah();
  const [builder = 0] = (await processes()).filter((pid) => pid !== child.pid);
  process.kill(builder, 'SIGSTOP');
  child.kill('SIGINT');
  // Where it hears of both within a fifth of a second, the second is none.
  await sleep(1500);
  expect(child.exitCode).toBe(null);
  const since = Date.now();
  child.kill('SIGINT');
  // To a shell that is 130, too.
  expect(await ended).toEqual([null, 'SIGINT']);
  // Five seconds after the first it would have killed the builder.
  expect(Date.now() - since).toBeLessThan(3000);
  process.kill(builder, 'SIGKILL');
});

test('what is written in one go is not there after a signal', async () => {
  await mkdir(join(folder, 'root'));
  await writeFile(join(folder, 'root/large'), '');
  await truncate(join(folder, 'root/large'), 2 ** 30);
  const { child, ended } = startRootfs(['root']);
  await until(async () => (await readdir(out).catch(() => [])).length > 0, 'it writes');
  child.kill('SIGINT');
  expect(await ended).toEqual([130, null]);
  expect(await readdir(out)).toEqual([]);
});

test.each(['localhost:PORT/image', './Dockerfile'])(
  'a registry that says nothing holds up no signal: %s',
  async (source) => {
    const port = await freePort();
    let asked = false;
    const server = createServer(() => (asked = true)).listen(port, '127.0.0.1');
    try {
      await writeFile(join(folder, 'Dockerfile'), `FROM localhost:${port}/image\nCOPY Dockerfile /\n`);
      const { child, ended } = startRootfs([source.replace('PORT', String(port)), '--builder', 'embedded']);
      await until(() => asked, 'the registry is asked');
      child.kill('SIGTERM');
      const since = Date.now();
      expect(await ended).toEqual([143, null]);
      // An answer would have been waited for half a minute.
      expect(Date.now() - since).toBeLessThan(10_000);
      expect(await readdir(out)).toEqual([]);
    } finally {
      server.close();
    }
  },
);

test('nothing is left of what containerd was to give', async () => {
  const [bin, temporary] = [join(folder, 'bin'), join(folder, 'tmp')];
  await mkdir(bin);
  await mkdir(temporary);
  // Writes what it was told to, and takes its time.
  const script = '#!/bin/sh\nfor word; do case $word in *.tar) echo part > "$word" ;; esac; done\nexec sleep 60\n';
  await writeFile(join(bin, 'ctr'), script, { mode: 0o755 });
  const env = {
    ...process.env,
    PATH: `${bin}:${process.env.PATH ?? ''}`,
    TMPDIR: temporary,
    NODE_DISABLE_COMPILE_CACHE: '1',
  };
  const { child, ended } = start(['pkg', 'import', '--containerd', 'app'], env);
  await until(async () => (await readdir(temporary)).length > 0, 'it writes');
  child.kill('SIGINT');
  expect(await ended).toEqual([130, null]);
  expect(await readdir(temporary)).toEqual([]);
});
