import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { run } from '@nx-kraft/base';
import { packageImage } from '@nx-kraft/oci';
import { useGuest } from '../../../machine/test/use-guest.ts';
import { findProcesses, until } from '../../../machine/test/traces.ts';
import { startRegistry } from '../../../oci/test/registry.ts';

const command = join(import.meta.dirname, '../../bin/nx-kraft.js');
const guest = useGuest();
let home: string;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'nk-'));
  await mkdir(join(home, 'tmp'));
});
afterEach(async () => {
  await nxKraft('rm', '--all');
  await rm(home, { recursive: true });
});

/** Starts the command with a home, caches and temporary files of its own. */
function start(...args: readonly string[]) {
  const env = {
    ...process.env,
    XDG_STATE_HOME: join(home, 'state'),
    XDG_CACHE_HOME: join(home, 'cache'),
    NX_KRAFT_IMAGES: join(home, 'images'),
    TMPDIR: join(home, 'tmp'),
    NODE_COMPILE_CACHE: join(home, 'compiled'),
  };
  const child = spawn(process.execPath, [command, ...args], { cwd: home, env });
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => (said[name] += text.replaceAll('\r', '')));
  }
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, ...said }));
  return { child, said, ended };
}

function nxKraft(...args: readonly string[]) {
  return start(...args).ended;
}

const emulated = ['--accelerator', 'tcg'];

test('a kernel file runs with all that options give it, and its result is the exit code', async () => {
  await mkdir(join(home, 'data'));
  await writeFile(join(home, 'data/in'), 'from the host\n');
  await writeFile(join(home, 'local.env'), 'A=file\nB=file\n');
  const options = [
    '-e',
    'B=option',
    '--env-file',
    'local.env',
    '-v',
    './data:/data:ro',
    '--prefix',
    '| ',
    '-M',
    '32Mi',
  ];
  const words = ['environment', 'cat', '/data/in', 'exit', '7'];
  const { code, stdout } = await nxKraft('run', ...emulated, ...options, guest.kernel, ...words);
  expect(stdout).toMatch(/^\| env <A=file>\n\| env <B=option>\n\| from the host\n$/m);
  expect(code).toBe(7);
  const late = await nxKraft('run', ...emulated, '--timeout', '1', guest.kernel, 'hang');
  expect(late).toMatchObject({ code: 124, stderr: 'nx-kraft: it ran longer than it may\n' });
});

test.each([
  ['bad.env', 'bad.env:5: this line is none of the form NAME=value'],
  ['/dev/null', 'dev/null: this is a character device, and not a file'],
])('%s is no file of variables, which is told of the option', async (file, message) => {
  await writeFile(join(home, 'bad.env'), '# comment\n\nexport A="two\nlines" # comment\nB\n');
  const { code, stderr } = await nxKraft('run', ...emulated, '--env-file', file, guest.kernel, 'environment');
  expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining(`/${message} (USAGE)`) as string });
  expect(stderr).toMatch(/^nx-kraft: --env-file \//);
});

test('arguments behind -- are taken as they are, and what is typed arrives', async () => {
  const { stdout } = await nxKraft(
    'run',
    ...emulated,
    guest.kernel,
    '--',
    'arguments',
    'two words',
    '--help',
    `it's "q"`,
  );
  expect(stdout).toContain(`argv[2]=<two words>\nargv[3]=<--help>\nargv[4]=<it's "q">\n`);
  const typing = start('run', ...emulated, '--interactive', guest.kernel, 'echo');
  typing.child.stdin.write('typed\n\n');
  expect((await typing.ended).stdout).toContain('echo: typed\n');
});

test('detached machines are listed, told about, shown and ended by name, several at once', async () => {
  for (const name of ['one', 'two']) {
    const { stdout } = await nxKraft(
      'run',
      ...emulated,
      '-d',
      '-n',
      name,
      '-p',
      '127.0.0.1:0:80',
      guest.kernel,
      'say',
      name,
      'hang',
    );
    expect(stdout).toBe(`${name}\n`);
  }
  expect((await nxKraft('run', ...emulated, '-d', '-n', 'one', guest.kernel)).stderr).toContain('MACHINE_NAME_TAKEN');
  const listed = (await nxKraft('ps', '--long')).stdout.split('\n');
  expect(listed[0]).toMatch(/^ID +NAME +KERNEL +ARGS +CREATED +STATUS +MEM +PORTS +IP +PID +PLAT$/);
  expect(listed[1]).toMatch(/ one .* running .* 127\.0\.0\.1:\d+->80\/tcp .* qemu\/x86_64$/);
  expect((await nxKraft('ps', '--quiet', '--arch', 'arm64')).stdout).toBe('');
  expect(JSON.parse((await nxKraft('info', 'one')).stdout)).toMatchObject([{ name: 'one', state: 'running' }]);
  // Detached they are when their machines run, which is before their guests say anything.
  const logs = async (): Promise<string> => (await nxKraft('logs', 'one', 'two')).stdout;
  await until(async () => /^one \| one$/m.test(await logs()) && /^two \| two$/m.test(await logs()), 'both are up');
  const stopped = JSON.parse((await nxKraft('stop', 'one', 'two', '--json')).stdout) as { state: string }[];
  expect(stopped.map(({ state }) => state)).toEqual(['exited', 'exited']);
  const failed = await nxKraft('rm', 'one', 'three');
  expect(failed).toMatchObject({ code: 1, stderr: expect.stringContaining("there is no machine 'three'") as unknown });
  expect((await nxKraft('ps', '--all')).stdout.match(/^\w+/gm)).toEqual(['NAME', 'two']);
});

test('one that cannot start is not left, and one that is only made starts later', async () => {
  const missing = await nxKraft('run', '-d', './none');
  expect(missing).toMatchObject({ code: 1, stderr: expect.stringContaining('(MACHINE_NO_KERNEL)') as unknown });
  const taken = await nxKraft('run', ...emulated, '-d', '--network', 'nowhere', guest.kernel);
  expect(taken.stderr).toContain("there is no network 'nowhere' (MACHINE_NO_NETWORK)");
  expect(JSON.parse((await nxKraft('ps', '--all', '--json')).stdout)).toEqual([]);
  await nxKraft('run', ...emulated, '--no-start', '-n', 'later', guest.kernel, 'say', 'now');
  expect(JSON.parse((await nxKraft('ps', '--all', '--json')).stdout)).toMatchObject([{ state: 'created' }]);
  await nxKraft('start', 'later');
  expect((await nxKraft('logs', '--follow', 'later')).stdout).toContain('now\n');
});

test('an image runs by its name, with its command and variables, and again without the registry', async () => {
  const registry = await startRegistry();
  const name = `${registry.host}/probe:1`;
  try {
    const layout = join(home, 'layout');
    const target = {
      platform: 'qemu',
      architecture: 'x86_64',
      kernel: guest.kernel,
      initrd: guest.initrd,
      kconfig: { CONFIG_LIBVFSCORE_AUTOMOUNT_UP: 'y' },
      command: ['environment', 'cat', '/etc/motd'],
      environment: { FROM: 'image' },
    };
    await packageImage({ reference: name, toolVersion: 'test', targets: [target] }, layout);
    await run('skopeo', ['copy', '-q', '--all', '--dest-tls-verify=false', `oci:${layout}:1`, `docker://${name}`]);
    const first = await nxKraft('run', ...emulated, '-m', 'x86_64', '-e', 'MORE=1', name);
    expect(first.stdout).toContain('env <FROM=image>\nenv <MORE=1>\ngood day\n');
  } finally {
    await registry.stop();
  }
  await mkdir(join(home, 'other/etc'), { recursive: true });
  await writeFile(join(home, 'other/etc/motd'), 'another day\n');
  const options = ['--offline', '--rootfs', './other', '-m', 'x86_64'];
  const again = await nxKraft('run', ...emulated, ...options, name, 'cat', '/etc/motd');
  expect(again.stdout).toContain('another day\n');

  const unpacked = join(home, 'cache/nx-kraft/run');
  for (const entry of await readdir(unpacked)) await utimes(join(unpacked, entry), 1, 1);
  // A machine that can be started again keeps what it starts from.
  await nxKraft('run', ...emulated, '--no-start', '--offline', '-n', 'asleep', '-m', 'x86_64', name);
  for (const entry of await readdir(unpacked)) await utimes(join(unpacked, entry), 1, 1);
  expect((await nxKraft('pkg', 'prune')).stdout).toMatch(/^1 unpacked images and root file systems with \d+ bytes/m);
  expect((await nxKraft('start', 'asleep')).code).toBe(0);
  await nxKraft('rm', 'asleep');
  expect((await nxKraft('pkg', 'prune')).stdout).toMatch(/^1 unpacked/m);
  expect(await readdir(unpacked)).toEqual([]);
});

test('a program of Linux is given to a runtime, as its initrd or in its root file system', async () => {
  await writeFile(join(home, 'tool.c'), 'void _start(void) { for (;;); }\n');
  await run('gcc', ['-static-pie', '-nostdlib', '-o', 'tool', 'tool.c'], { cwd: home });
  const registry = await startRegistry();
  /** What a machine would run from, with a runtime that was built with these options. */
  const planned = async (name: string, kconfig: Readonly<Record<string, string>>) => {
    const layout = join(home, name);
    const image = `${registry.host}/${name}:1`;
    const target = { platform: 'qemu', architecture: 'x86_64', kernel: guest.kernel, kconfig, command: ['none'] };
    await packageImage({ reference: image, toolVersion: 'test', targets: [target] }, layout);
    await run('skopeo', ['copy', '-q', '--all', '--dest-tls-verify=false', `oci:${layout}:1`, `docker://${image}`]);
    const options = ['--no-start', '--json', '-m', 'x86_64', '-e', 'A=1', '--runtime', image];
    const { stdout } = await nxKraft('run', ...options, './tool', 'two words');
    return (JSON.parse(stdout) as { plan: object }).plan;
  };
  try {
    const loader = await planned('initrd', {});
    expect(loader).toMatchObject({ initrd: join(home, 'tool'), mounts: [], args: ['two words'], env: { A: '1' } });
    const options = { CONFIG_LIBVFSCORE_AUTOMOUNT_UP: 'y', CONFIG_APPELFLOADER_VFSEXEC: 'y' };
    const files = (await planned('files', options)) as { initrd: string };
    expect(files).toMatchObject({ mounts: [expect.stringContaining('extract')], args: ['/tool', 'two words'] });
    expect(await run('cpio', ['-t', '--quiet', '-F', files.initrd])).toContain('tool');
  } finally {
    await registry.stop();
  }
  expect((await nxKraft('run', process.execPath)).stderr).toMatch(/needs libraries.*\(MACHINE_NOT_A_KERNEL\)/);
});

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
  ['SIGINT twice', 130],
  ['SIGKILL', null],
] as const)('nothing is left after %s', async (how, code) => {
  const [signal = 'SIGINT'] = how.split(' ') as NodeJS.Signals[];
  const name = `left-${how.replace(' ', '-')}`;
  await mkdir(join(home, 'data'));
  await nxKraft('net', 'create', 'nxk-left');
  const options = ['-n', name, '-p', '127.0.0.1:0:80', '-v', './data:/data', '--network', 'nxk-left'];
  const { child, said, ended } = start('run', ...emulated, ...options, guest.kernel, 'say', 'up', 'hang');
  await until(() => said.stdout.includes('up\n'), 'it is up');
  const [{ ports, pid }] = JSON.parse((await nxKraft('info', name)).stdout) as [Told];
  // The command and its QEMU, where commands come in, the port, the folder of the machine, and its place in the network.
  const all = { processes: 2, sockets: 1, listeners: 1, files: 1, taps: 1 };
  // What told of it has a connection to the machine, which ends a moment after it.
  await expect.poll(() => count(name, ports[0].hostPort), { timeout: 10_000 }).toEqual(all);
  // One that answers no more has to be killed.
  if (how === 'SIGINT twice') process.kill(pid, 'SIGSTOP');
  child.kill(signal);
  if (how === 'SIGINT twice') {
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(child.exitCode).toBe(null);
    child.kill(signal);
  }
  expect((await ended).code).toBe(code);
  await until(async () => (await findProcesses(name)).length === 0, 'QEMU is gone');
  // What a killed process could not remove goes with the next command.
  if (signal === 'SIGKILL') expect(JSON.parse((await nxKraft('ps', '--all', '--json')).stdout)).toEqual([]);
  const none = { processes: 0, sockets: 0, listeners: 0, files: 0, taps: 0 };
  expect(await count(name, ports[0].hostPort)).toEqual(none);
  expect((await nxKraft('net', 'rm', 'nxk-left')).code).toBe(0);
});

interface Told {
  readonly pid: number;
  readonly ports: [{ readonly hostPort: number }];
}

/** What a machine has on this host: processes, sockets and files, listeners, locks and records, and tap devices. */
async function count(name: string, port: number) {
  const sockets = (await readFile('/proc/net/unix', 'utf8')).split('\n').filter((line) => line.includes(home));
  const hexadecimal = port.toString(16).toUpperCase().padStart(4, '0');
  const listeners = (await readFile('/proc/net/tcp', 'utf8'))
    .split('\n')
    .filter((line) => line.includes(`:${hexadecimal} 00000000:0000 0A`));
  const files = await Promise.all(
    ['tmp', 'state/nx-kraft/machines'].map((folder) => readdir(join(home, folder)).catch(() => [])),
  );
  return {
    processes: (await findProcesses(name)).length,
    sockets: sockets.length,
    listeners: listeners.length,
    files: files.flat().length,
    taps: (await readdir('/sys/class/net/nxk-left/brif')).length,
  };
}

test('networks and volumes are made, shown and removed, and rights that are missing are told', async () => {
  const made = JSON.parse((await nxKraft('volume', 'create', 'data', '--json')).stdout) as [{ folder: string }];
  await writeFile(join(made[0].folder, 'in'), 'kept\n');
  const seen = await nxKraft('run', ...emulated, '-v', 'data:/data', guest.kernel, 'cat', '/data/in');
  expect(seen.stdout).toContain('kept\n');
  expect((await nxKraft('volume', 'ls')).stdout).toMatch(/^NAME +FOLDER\ndata +\//);
  await nxKraft('volume', 'rm', 'data');
  expect((await nxKraft('volume', 'inspect', 'data')).stderr).toContain(
    "there is no volume 'data' (MACHINE_NO_VOLUME)",
  );

  const net = (...words: readonly string[]) => nxKraft('net', ...words);
  expect((await net('create', 'nxk-cli', '--json')).stdout).toContain('"state": "up"');
  const { stdout } = await nxKraft(
    'run',
    ...emulated,
    '-d',
    '-n',
    'inside',
    '--network',
    'nxk-cli',
    guest.kernel,
    'hang',
  );
  expect(stdout).toBe('inside\n');
  expect((await net('inspect', 'nxk-cli')).stdout).toMatch(/nxk-cli +\d[\d./]+ +up +1\n/);
  expect((await nxKraft('ps', '--long')).stdout).toMatch(/ \d+\.\d+\.\d+\.2\/\d+ /);
  expect((await net('rm', 'nxk-cli')).stderr).toContain('MACHINE_NETWORK_IN_USE');
  await nxKraft('rm', 'inside');
  await until(async () => /up +0\n/.test((await net('inspect', 'nxk-cli')).stdout), 'the tap device is gone');
  expect((await net('down', 'nxk-cli')).stdout).toContain('down');
  const down = await nxKraft('run', ...emulated, '--network', 'nxk-cli', guest.kernel);
  expect(down.stderr).toContain(
    'the network nxk-cli is down (MACHINE_BAD_NETWORK)\n  Bring it up: nx-kraft net up nxk-cli.',
  );
  expect((await net('rm', 'nxk-cli')).code).toBe(0);
  const unprivileged = ['--bounding-set=-all', '--inh-caps=-all', process.execPath, command, 'net', 'create', 'nxk-no'];
  await expect(run('setpriv', unprivileged, { env: { XDG_STATE_HOME: join(home, 'other') } })).rejects.toMatchObject({
    output: expect.stringContaining('you may not administer networks (MACHINE_NO_RIGHTS)') as unknown,
  });
});
