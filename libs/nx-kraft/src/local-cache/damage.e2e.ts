import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeSources } from '../../test/cache-inputs.ts';
import { type NxRun, TestWorkspace } from '../../test/workspace.ts';

const folder = 'apps/web/.unikraft';
const kernel = `${folder}/build/web_qemu-x86_64`;
const seal = `${folder}/seals/build-qemu-x86_64.json`;

let workspace: TestWorkspace;
let made: Readonly<Record<string, string>>;

/** Two tasks that take the same kernel at the same time. */
const look = { executor: 'nx-kraft:config', options: { kraftfile: 'apps/web/Kraftfile' }, dependsOn: ['build'] };

beforeAll(async () => {
  workspace = await TestWorkspace.create();
  await writeSources(workspace);
  await workspace.write('apps/web/project.json', JSON.stringify({ name: 'web', targets: { one: look, other: look } }));
  expect(await workspace.nx('run', 'web:package')).toMatchObject({ exitCode: 0 });
  made = await results();
});
afterAll(() => workspace.remove());

/** Does something to each entry of Nx's cache that has a file, and lets Nx take all from there. */
async function damage(file: string, how: (entry: string) => Promise<unknown>): Promise<void> {
  for (const name of await readdir(workspace.path('.caches/nx'))) {
    const entry = workspace.path(`.caches/nx/${name}`);
    if (existsSync(join(entry, file))) await how(entry);
  }
  await rm(workspace.path(folder), { recursive: true });
}

async function flipByte(file: string): Promise<void> {
  const bytes = await readFile(file);
  bytes[0] = (bytes[0] ?? 0) ^ 1;
  await writeFile(file, bytes);
}

/** All that tasks have made, by paths, with digests. */
async function results(): Promise<Readonly<Record<string, string>>> {
  const entries = await readdir(workspace.path(folder), { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && !/\.unikraft\/(work|config)/.test(entry.parentPath));
  const described = files.map(async ({ parentPath, name }) => {
    const content = await readFile(join(parentPath, name));
    return [join(parentPath, name), createHash('sha256').update(content).digest('hex')] as const;
  });
  return Object.fromEntries((await Promise.all(described)).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** Expects that a task was made again, once, and that the cache now has what it made. */
async function expectMended(run: NxRun, task: string): Promise<void> {
  expect(run.exitCode, run.output).toBe(0);
  expect(run.output.match(/^warning: .* made again$/gm), run.output).toEqual([expect.stringContaining(task)]);
  const again = await workspace.nx('run', 'web:package');
  expect(again).toMatchObject({ exitCode: 0, ran: [] });
  expect(again.output).not.toContain('warning: ');
  expect(await results()).toEqual(made);
}

describe('a kernel in the cache', () => {
  test.each([
    ['with another byte', (entry: string) => flipByte(join(entry, kernel))],
    ['that is cut short', (entry: string) => truncate(join(entry, kernel), 5)],
    ['that is missing', (entry: string) => rm(join(entry, kernel))],
    ['without its seal', (entry: string) => rm(join(entry, seal))],
    ['of which nothing is left', (entry: string) => rm(join(entry, 'apps'), { recursive: true })],
  ])('%s is made again before it is packed', async (_what, how) => {
    await damage(kernel, how);
    const run = await workspace.nx('run', 'web:package');
    expect(await results()).toEqual(made);
    await expectMended(run, 'web:build:qemu-x86_64');
  });
});

test.each([
  ['false', 'true'],
  ['true', 'true'],
  ['false', 'false'],
])(
  'what nothing takes is made again at the end of the run; with a daemon: %s; plugins in processes of their own: %s',
  async (daemon, isolated) => {
    Object.assign(workspace.environment, { NX_DAEMON: daemon, NX_ISOLATE_PLUGINS: isolated, CI: 'false' });
    try {
      await damage(kernel, (entry) => flipByte(join(entry, kernel)));
      const run = await workspace.nx('run-many', '-t', 'build', '-p', 'web');
      expect(run.exitCode, run.output).toBe(0);
      expect(made).toMatchObject(await results());
      // A daemon tells it in its log.
      const log = workspace.path('.caches/data/d/daemon.log');
      const output = daemon === 'true' ? await readFile(log, 'utf8') : run.output;
      await expectMended({ ...run, output }, 'web:build:qemu-x86_64');
    } finally {
      await workspace.nx('daemon', '--stop');
      for (const name of ['NX_DAEMON', 'NX_ISOLATE_PLUGINS', 'CI']) delete workspace.environment[name];
    }
  },
);

test('an image is, too, and before it is taken to anywhere', async () => {
  const blob = Object.keys(made).find((path) => path.includes('/blobs/sha256/')) ?? '';
  const path = blob.slice(workspace.folder.length + 1);
  for (const task of ['package', 'load']) {
    await damage(path, (entry) => flipByte(join(entry, path)));
    await expectMended(await workspace.nx('run', `web:${task}`), 'web:package');
  }
});

test('tasks that take the same at the same time have it made once', async () => {
  await damage(kernel, (entry) => flipByte(join(entry, kernel)));
  const run = await workspace.nx('run-many', '-t', 'one', 'other', '-p', 'web', '--parallel=2');
  expect(run.ran).toEqual(expect.arrayContaining(['web:one', 'web:other']));
  await expectMended(run, 'web:build:qemu-x86_64');
});

test('what cannot be made again fails what takes it, and the run in which nothing does', async () => {
  const calls = [
    ['run', 'web:package'],
    ['run-many', '-t', 'build', '-p', 'web'],
  ];
  for (const [index, tasks] of calls.entries()) {
    delete workspace.environment.PATH;
    expect(await workspace.nx('run', 'web:package')).toMatchObject({ exitCode: 0 });
    await workspace.withoutCompilers();
    await damage(kernel, (entry) => truncate(join(entry, kernel), 10 + index));
    const run = await workspace.nx(...tasks);
    expect(run.exitCode).not.toBe(0);
    expect(run.output).toContain(
      `web:build:qemu-x86_64: ${kernel} is missing or damaged, and it could not be made again (CACHE_DAMAGED)`,
    );
    expect(run.output).not.toMatch(/^ +at /m);
    expect(existsSync(workspace.path(kernel))).toBe(false);
  }
});
