import { chmod, cp, mkdir, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { run } from '@nx-kraft/base';
import { findProcesses, until } from '../../machine/test/traces.ts';
import { TestWorkspace } from '../test/workspace.ts';

let workspace: TestWorkspace;
const app = 'apps/probe';

beforeAll(async () => {
  workspace = await TestWorkspace.create('tools/test-kernel');
  await cp(workspace.path('tools/test-kernel/probe'), workspace.path(app), { recursive: true });
  await writeKraftfile(['say', 'up']);
});
afterEach(() => workspace.nxKraft('rm', '--all'));
afterAll(() => workspace.remove());

/** The app does what its arguments say. */
async function writeKraftfile(cmd: readonly string[], ...more: readonly string[]): Promise<void> {
  const filesystems = ['LIBVFSCORE', 'LIBRAMFS', 'LIBVFSCORE_AUTOMOUNT_UP', 'LIB9PFS'];
  const options = [...filesystems, 'LIBPOSIX_ENVIRON_LIBPARAM', 'LIBPOSIX_SOCKET'];
  await workspace.write(
    `${app}/Kraftfile`,
    [
      'spec: v0.6',
      'name: probe',
      'unikraft:',
      '  source: ../../tools/test-kernel',
      `  kconfig: { ${options.map((name) => `CONFIG_${name}: 'y'`).join(', ')} }`,
      `cmd: ${JSON.stringify(cmd)}`,
      'targets: [qemu/x86_64]',
      ...more,
    ].join('\n'),
  );
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

test('a task that depends on run waits until the guest answers, and knows where', async () => {
  await writeKraftfile(['sleep', '400', 'serve', '80', 'hello you']);
  const ask = `fetch(process.env.NX_READY_URL).then((a) => a.text()).then((t) => console.log('answer', t))`;
  const targets = {
    run: { options: { ports: ['127.0.0.1:0:80'] } },
    smoke: { command: `node -e "${ask}"`, dependsOn: [{ target: 'run', waitFor: 'ready' }] },
  };
  await workspace.write(`${app}/project.json`, JSON.stringify({ name: 'probe', targets }));
  const { exitCode, output } = await workspace.nx('run', 'probe:smoke');
  expect(output).toContain('answer hello you');
  expect(exitCode).toBe(0);
  await workspace.write(`${app}/project.json`, JSON.stringify({ name: 'probe' }));
});

test('services of a Compose file are projects that run in its order, with what it says', async () => {
  await writeKraftfile(['say', 'nothing']);
  await cp(workspace.path(app), workspace.path('apps/front'), { recursive: true });
  await workspace.edit('apps/front/Kraftfile', 'name: probe', 'name: front');
  await workspace.write('apps/front/project.json', JSON.stringify({ name: 'front' }));
  await workspace.write(
    'compose.yaml',
    `name: shop
services:
  front:
    build: apps/front
    command: [environment]
    environment: { PLACE: here }
    depends_on: [store]
  store:
    build: apps/probe
    command: [sleep, '400', serve, '80', 'hello you']
    ports: ['127.0.0.1:0:80']
`,
  );
  const { exitCode, output } = await workspace.nx('g', 'nx-kraft:compose', '.');
  expect(exitCode, output).toBe(0);
  expect((await workspace.nx('show', 'projects', '--projects=tag:compose:shop', '--json')).output).toContain(
    '["front","probe"]',
  );
  const ran = await workspace.nx('run', 'front:run');
  expect(ran.exitCode, ran.output).toBe(0);
  expect(ran.output).toMatch(/listening on port 80[^]*env <PLACE=here>/);
  await rm(workspace.path('apps/front'), { recursive: true });
  await workspace.write(`${app}/project.json`, JSON.stringify({ name: 'probe' }));
});

test('a log line and a URL are signs that it is ready, too', async () => {
  await writeKraftfile(['sleep', '400', 'serve', '80', 'hello you']);
  const port = await freePort();
  const url = `http://127.0.0.1:${port}/`;
  const ask = `fetch('${url}').then((a) => a.text()).then((t) => console.log('answer', t))`;
  for (const readyWhen of [{ logMatches: 'listening on port' }, { url }]) {
    const targets = {
      run: { options: { ports: [`127.0.0.1:${port}:80`] }, readyWhen },
      smoke: { command: `node -e "${ask}"`, dependsOn: [{ target: 'run', waitFor: 'ready' }] },
    };
    await workspace.write(`${app}/project.json`, JSON.stringify({ name: 'probe', targets }));
    const { exitCode, output } = await workspace.nx('run', 'probe:smoke');
    expect(output).toContain('answer hello you');
    expect(exitCode).toBe(0);
  }
  await workspace.write(`${app}/project.json`, JSON.stringify({ name: 'probe' }));
});

test('a run takes files of variables, volumes by name and a prefix', async () => {
  await writeKraftfile(['environment', 'cat', '/data/greeting'], 'env: { A: project, B: project }');
  await workspace.write(`${app}/local.env`, 'B=file\nC="two words"\n');
  const [volume] = JSON.parse(await workspace.nxKraft('volume', 'create', 'shared', '--json')) as [{ folder: string }];
  await writeFile(`${volume.folder}/greeting`, 'from a volume\n');
  const options = ['--envFile=local.env', '--env.C=option', '--volumes=shared:/data:ro', '--prefix=| '];
  const { output } = await workspace.nx('run', 'probe:run', ...options);
  for (const line of ['env <A=project>', 'env <B=file>', 'env <C=option>', 'from a volume']) {
    expect(output).toContain(`| ${line}\n`);
  }
  const unknown = await workspace.nx('run', 'probe:run', '--envFile=none.env');
  expect(unknown.output).toMatch(
    /\/apps\/probe\/none\.env: there is no such file or folder \(ENV_FILE_INVALID\)\n {2}A path /,
  );
  const missing = await workspace.nx('run', 'probe:run', '--volumes=./none:/data');
  expect(missing.output).toMatch(/there is no folder \S+\/apps\/probe\/none to share \(MACHINE_BAD_VOLUME\)/);
});

test('numbers on the command line and in project.json arrive as they were written', async () => {
  await writeKraftfile(['say', 'up']);
  const targets = { run: { options: { env: { FIXED: 7, FLAG: true } } } };
  await workspace.write(`${app}/project.json`, JSON.stringify({ name: 'probe', targets }));
  const fixed = await workspace.nx('run', 'probe:run', '--args=environment');
  expect(fixed.output).toContain('env <FIXED=7>\n');
  expect(fixed.output).toContain('env <FLAG=true>\n');
  const words = ['--env.PORT=9090', '--env.VERSION=1.10', '--memory=134217728', '--args=environment,arguments,5'];
  const typed = await workspace.nx('run', 'probe:run', ...words);
  for (const line of ['env <PORT=9090>', 'env <VERSION=1.10>', '=<5>']) expect(typed.output).toContain(`${line}\n`);
  const alone = await workspace.nx('run', 'probe:run', '--args=12');
  expect(alone.output).toContain('unknown word: 12');
  await workspace.write(`${app}/project.json`, JSON.stringify({ name: 'probe' }));
});

test('stop ends the machines of a project and no others', async () => {
  await writeKraftfile(['say', 'up', 'hang']);
  await workspace.nx('run', 'probe:run', '--detach', '--name=mine');
  const other = workspace.path('other-kernel');
  await cp(workspace.path(`${app}/.unikraft/build/probe_qemu-x86_64`), other);
  await workspace.nxKraft('run', '--detach', '--name', 'other', other, 'hang');
  const stopped = await workspace.nx('run', 'probe:stop');
  expect(stopped.output).toContain('mine is stopped');
  const states = JSON.parse(await workspace.nxKraft('ps', '--all', '--json')) as { name: string; state: string }[];
  expect(states.map(({ name, state }) => [name, state])).toEqual([
    ['mine', 'exited'],
    ['other', 'running'],
  ]);
  expect((await workspace.nx('run', 'probe:stop', '--rm')).output).toContain('mine is removed');
});

test('a run that watches starts again when its build changed', async () => {
  await writeKraftfile(['say', 'first', 'hang']);
  await workspace.nx('run', 'probe:build');
  const { child, ended, output } = workspace.start('run', 'probe:run', '--watch');
  await until(() => output().includes('first'), 'the first run is up');
  await workspace.edit(`${app}/main.c`, 'printf("unknown word', 'printf("strange word');
  await workspace.nx('run', 'probe:build');
  await until(() => output().split('first').length > 2, 'the second run is up');
  await writeKraftfile(['say', 'third', 'exit', '4']);
  await until(() => output().includes('third'), 'the third run is up');
  await until(() => output().includes('the program ended with 4; it starts again when'), 'its end is told');
  child.kill('SIGINT');
  await ended;
});

test('boots are measured, stored and compared with a commit', async () => {
  await writeKraftfile(['say', 'up']);
  const options = ['--boots=3', '--output=boots/report.json'];
  const first = await workspace.nx('run', 'probe:boot-report', ...options);
  expect(first.output).toContain('| ready, p50 |');
  const report = JSON.parse(await readFile(workspace.path(`${app}/boots/report.json`), 'utf8')) as object;
  expect(report).toMatchObject({ name: 'probe', boots: 3, accelerator: expect.stringMatching(/kvm|tcg/) as unknown });
  const git = (...words: readonly string[]): Promise<string> => run('git', words, { cwd: workspace.folder });
  await git('init', '--quiet');
  await git('add', '.');
  await git('-c', 'user.name=a', '-c', 'user.email=a@b', 'commit', '--quiet', '-m', 'first');
  await workspace.edit(
    `${app}/main.c`,
    'puts(value);',
    'static volatile char ballast[300000] = { 1 }; printf("%d", ballast[argc]); puts(value);',
  );
  const second = await workspace.nx('run', 'probe:boot-report', ...options, '--base=HEAD');
  expect(second.output).toMatch(/\| `appprobe` \| [\d.]+ KiB \| 2\d\d\.\d KiB \| \*\*\+\d+\.\d %\*\* \|/);
  expect(await readFile(workspace.path(`${app}/boots/report.md`), 'utf8')).toContain('|  | base | now | change |');
  const none = await workspace.nx('run', 'probe:boot-report', '--base=nowhere');
  expect(none.output).toContain("there is neither a report nor a revision of git 'nowhere' (KRAFTFILE_NO_REPORT)");
});

test('tests that are stopped end their machines, and say no more than that', async () => {
  await writeKraftfile(['say', 'up']);
  const scenarios = [{ name: 'waits', args: ['say', 'until-it-is-stopped', 'hang'], idle: 500, timeout: 600 }];
  await workspace.write(`${app}/kraft.test.json`, JSON.stringify({ scenarios }));
  const machines = () => findProcesses('say until-it-is-stopped hang');
  const { child, ended } = workspace.start('run', 'probe:test');
  await until(async () => (await machines()).length > 0, 'QEMU runs');
  child.kill('SIGINT');
  const { output } = await ended;
  expect(output).not.toMatch(/^ +at /m);
  await until(async () => (await machines()).length === 0, 'QEMU is gone');
  await rm(workspace.path(`${app}/kraft.test.json`));
});

test('debug waits for gdb, shows its line, and gdb sees the program', async () => {
  await writeKraftfile(['say', 'hello gdb']);
  const port = await freePort();
  const { ended, output } = workspace.start('run', 'probe:debug', `--port=${port}`);
  await until(() => output().includes(`target remote 127.0.0.1:${port}`), 'the line for gdb is shown');
  const line =
    output()
      .split('\n')
      .find((each) => each.includes('gdb -q')) ?? '';
  const words = [...line.trim().matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? '');
  const inspect = ['-batch', '-ex', 'print argv[argc - 1]', '-ex', 'delete', '-ex', 'detach'];
  const seen = await run('gdb', [...words.slice(1, -1), ...inspect, words.at(-1) ?? '']);
  expect(seen).toContain('"hello gdb"');
  expect((await ended).output).toContain('the guest shut down');
});

test('debug with --gdb starts gdb in the terminal, and ends the machine with it', async () => {
  await writeKraftfile(['say', 'hello gdb', 'hang']);
  const port = await freePort();
  const typed = 'print argv[2]\nlist main\nset confirm off\nquit\n';
  const shown = await workspace.nxOnTerminal('Breakpoint 1', typed, 'run', 'probe:debug', `--port=${port}`, '--gdb');
  expect(shown).toContain('"hello gdb"');
  expect(shown).toContain('int main(int argc, char *argv[])');
  expect(shown).toContain('Successfully ran target debug for project probe');
  expect(await findProcesses(`tcp:127.0.0.1:${port}`)).toEqual([]);
  expect((await workspace.nx('run', 'probe:debug', '--gdb')).output).toContain('gdb needs a terminal (NO_TERMINAL)');
});

test('what a test reads of the host is part of its key, and what it writes is not left', async () => {
  await workspace.write(`${app}/shared/input`, 'one\n');
  await writeKraftfile(['environment'], 'volumes: [./shared:/data]', 'env: { FROM_HOST: "" }');
  const scenario = {
    name: 'reads and writes',
    args: ['cat', '/data/input', 'write', '/data/output', 'made'],
    files: [{ path: 'shared/output', content: 'made' }, { path: '../beside' }],
  };
  await workspace.write(`${app}/../beside`, '');
  await workspace.write(`${app}/kraft.test.json`, JSON.stringify({ scenarios: [scenario] }));
  const again = async (): Promise<boolean> => {
    const { exitCode, ran } = await workspace.nx('run', 'probe:test');
    expect(exitCode).toBe(0);
    return ran.includes('probe:test');
  };
  expect(await again()).toBe(true);
  expect(await readdir(workspace.path(`${app}/shared`))).toEqual(['input']);
  expect(await again()).toBe(false);
  await workspace.write(`${app}/shared/input`, 'two\n');
  expect(await again()).toBe(true);
  await workspace.write(`${app}/../beside`, 'other');
  expect(await again()).toBe(true);
  // Nx sees none of these.
  await chmod(workspace.path(`${app}/shared/input`), 0o755);
  expect(await again()).toBe(true);
  await symlink('input', workspace.path(`${app}/shared/link`));
  expect(await again()).toBe(true);
  await mkdir(workspace.path(`${app}/shared/empty`));
  expect(await again()).toBe(true);
  await workspace.write(`${app}/shared/node_modules/module.js`, '');
  expect(await again()).toBe(true);
  expect(await again()).toBe(false);
  workspace.environment.FROM_HOST = 'changed';
  expect(await again()).toBe(true);
  await workspace.write(
    '.caches/bin/qemu-system-x86_64',
    '#!/bin/sh\n[ "$1" = --version ] && echo "QEMU 99" && exit\nexec /usr/bin/qemu-system-x86_64 "$@"\n',
  );
  await chmod(workspace.path('.caches/bin/qemu-system-x86_64'), 0o755);
  workspace.environment.PATH = `${workspace.path('.caches/bin')}:${process.env.PATH}`;
  expect(await again()).toBe(true);
  delete workspace.environment.PATH;
  delete workspace.environment.FROM_HOST;
});

test('a test of another target waits for its kernel, and is none of the results of the best one', async () => {
  await rm(workspace.path(`${app}/kraft.test.json`), { force: true });
  await writeKraftfile(['say', 'up'], 'labels: {}');
  await workspace.edit(`${app}/Kraftfile`, '[qemu/x86_64]', '[qemu/x86_64, fc/x86_64]');
  const again = async (...words: readonly string[]): Promise<string> =>
    (await workspace.nx('run', 'probe:test', ...words)).output;
  await workspace.nx('run', 'probe:build');
  expect(await again('--for=qemu-x86_64')).toContain('boots and ends well');
  expect(await again('--for=qemu-x86_64')).toMatch(/^> nx run probe:test --for=qemu-x86_64$/m);

  const targets = { test: { options: { for: 'fc-x86_64' } } };
  await workspace.write(`${app}/project.json`, JSON.stringify({ name: 'probe', targets }));
  await rm(workspace.path(`${app}/.unikraft/build`), { recursive: true });
  const other = await workspace.nx('run', 'probe:test');
  expect([...other.ran, ...other.cached].toSorted()).toEqual(['probe:build:fc-x86_64', 'probe:test']);
  expect(other.output).not.toContain('KRAFTFILE_NOT_BUILT');
  await workspace.write(`${app}/project.json`, JSON.stringify({ name: 'probe' }));
});

test('a runtime without an initrd runs without the one that another image left', async () => {
  await rm(workspace.path(`${app}/kraft.test.json`), { force: true });
  const targets = { package: { options: { name: 'registry.example.com/base:1' } } };
  await workspace.write(`${app}/project.json`, JSON.stringify({ name: 'probe', targets }));
  await workspace.write(`${app}/files/motd`, 'of the initrd\n');
  await workspace.write(
    'apps/user/Kraftfile',
    'spec: v0.6\nname: user\nruntime: registry.example.com/base:1\ncmd: [cat, /motd]\n',
  );
  const shown = async (...more: readonly string[]): Promise<string> => {
    await writeKraftfile(['say', 'up'], ...more);
    return (await workspace.nx('run', 'user:run')).output;
  };
  expect(await shown('rootfs: ./files')).toContain('of the initrd');
  expect(await shown()).toContain('/motd: No such file');
  expect(await shown('rootfs: ./files')).toContain('of the initrd');
  // All but the run comes from the cache now.
  expect(await shown()).toContain('/motd: No such file');
  await rm(workspace.path('apps/user'), { recursive: true });
});
