import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { expectAnswersOnHost, hostPort } from '../test/host-program.ts';
import { fileLine } from '../test/stand-in.ts';
import { useStandIn } from '../test/use-stand-in.ts';
import { TestWorkspace } from '../test/workspace.ts';
import { templates } from './generators/app/templates.ts';

const standIn = useStandIn();
let workspace: TestWorkspace;

beforeAll(async () => {
  workspace = await TestWorkspace.create('apps', 'tools/test-kernel');
  for (const { runtime } of [templates.python, templates.node, templates.nginx]) {
    await standIn.provide(runtime, workspace.path('.caches/images'));
  }
});
afterAll(() => workspace.remove());

test('all samples are sound, and those that need no network are built, boot and pass their tests', async () => {
  const lint = await workspace.nx('run-many', '-t', 'lint', 'compile', 'typecheck');
  expect(lint.exitCode, lint.output).toBe(0);
  workspace.environment.NX_KRAFT_OFFLINE = '1';
  const { exitCode, output, ran } = await workspace.nx(
    'run-many',
    '-t',
    'build',
    'test',
    'package',
    '--exclude=tag:network',
  );
  delete workspace.environment.NX_KRAFT_OFFLINE;
  expect(exitCode, output).toBe(0);
  expect(ran).toEqual(expect.arrayContaining(['hello:build:qemu-x86_64', 'hello:test', 'hello:package']));
});

/** Those on published runtimes: what the guest must get, sorted by its path there, and how a host runs their programs. */
const samples = {
  'hello-python': {
    folder: 'apps/hello-python',
    files: { '/app/greeting.py': 'src/greeting.py', '/app/server.py': 'src/server.py' },
    host: ['python3', 'src/server.py', '--port', `${hostPort}`],
  },
  'hello-node': {
    folder: 'apps/hello-node',
    files: { '/app/greeting.js': 'src/greeting.js', '/app/server.js': 'src/server.js' },
    host: [process.execPath, 'src/server.js', `${hostPort}`],
  },
  'hello-typescript': {
    folder: 'apps/hello-typescript/app',
    files: { '/app/main.js': 'dist/main.js' },
    host: [process.execPath, 'dist/main.js', `${hostPort}`],
  },
  'hello-nginx': { folder: 'apps/hello-nginx', files: { '/wwwroot/index.html': 'site/index.html' } },
} as const;

test.each(Object.entries(samples))(
  '%s boots with its files and arguments, on a stand-in that runs nothing',
  async (name, sample) => {
    const kraftfile = await readFile(workspace.path(`${sample.folder}/Kraftfile`), 'utf8');
    const command = /^cmd: \[(.*)\]$/m.exec(kraftfile)?.[1]?.replaceAll("'", '').split(', ') ?? [];
    const files = await Promise.all(
      Object.entries(sample.files).map(([guest, file]) => fileLine(guest, workspace.path(`${sample.folder}/${file}`))),
    );
    const own = await readFile(workspace.path(`${sample.folder}/kraft.test.json`), 'utf8');
    const expected = [
      ...command.map((word, index) => `argument ${index + 1}: ${word}`),
      ...(kraftfile.includes('GREETING: Hello') ? ['environment GREETING=Hello'] : []),
      ...files,
    ];
    expect(command.length).toBeGreaterThan(1);
    // In place of its own, which expects what the program answers.
    const scenario = {
      name: 'gets what it needs',
      env: { STAND_IN_READS: Object.keys(sample.files)[0] },
      console: expected,
    };
    await workspace.write(`${sample.folder}/kraft.test.json`, JSON.stringify({ scenarios: [scenario] }));
    const { exitCode, output } = await workspace.nx('run', `${name}:test`);
    await workspace.write(`${sample.folder}/kraft.test.json`, own);
    expect(exitCode, output).toBe(0);
  },
);

test.each(Object.entries(samples).flatMap(([name, sample]) => ('host' in sample ? [[name, sample] as const] : [])))(
  'the program of %s answers as its test expects (on this host)',
  (_, { folder, host }) => expectAnswersOnHost(workspace.path(folder), host, hostPort),
);

test('a change of the library is a change of the TypeScript app, and of nothing else', async () => {
  const task = 'hello-typescript:rootfs';
  await workspace.nx('run-many', '-t', 'rootfs');
  expect((await workspace.nx('run', task)).ran).toEqual([]);
  await workspace.edit('apps/hello-typescript/greeting/src/index.ts', '}!', '}?');
  expect((await workspace.nx('run-many', '-t', 'rootfs')).ran).toEqual(['hello-typescript:compile', task]);
});
