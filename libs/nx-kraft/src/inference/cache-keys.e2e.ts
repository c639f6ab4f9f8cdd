import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { allTasks, inputCases, writeSources } from '../../test/cache-inputs.ts';
import { TestWorkspace } from '../../test/workspace.ts';

const sources = ['apps', 'core', 'libs', 'linked', 'single', 'template', 'tool', '.gitignore', 'nx.json'];

let workspace: TestWorkspace;
let pristine: string;

beforeAll(async () => {
  workspace = await TestWorkspace.create();
  await writeSources(workspace);
  pristine = await mkdtemp(join(tmpdir(), 'nx-kraft-pristine-'));
  await restore(workspace.folder, pristine);
  expect(await workspace.nx(...allTasks)).toMatchObject({ exitCode: 0 });
});
afterEach(async () => {
  for (const name of Object.keys(workspace.environment)) delete workspace.environment[name];
  for (const name of [...sources, 'kraft.lock']) await rm(workspace.path(name), { recursive: true, force: true });
  await restore(pristine, workspace.folder);
});
afterAll(async () => {
  await workspace.remove();
  await rm(pristine, { recursive: true, force: true });
});

/** Each change is made to the same state, of which all results are in the cache; outputs are gone. */
test.each(Object.entries(inputCases))('%s', async (_name, { change, ran }) => {
  await change(workspace);
  const run = await workspace.nx(...allTasks);
  expect(run.ran, run.output).toEqual([...ran].toSorted());
});

test('after all of these changes everything is in the cache still, at another place too', async () => {
  expect(await workspace.nx(...allTasks)).toMatchObject({ exitCode: 0, ran: [] });

  const other = await TestWorkspace.create();
  try {
    await restore(pristine, other.folder);
    for (const name of ['NX_CACHE_DIRECTORY', 'NX_WORKSPACE_DATA_DIRECTORY']) {
      other.environment[name] = workspace.path(name === 'NX_CACHE_DIRECTORY' ? '.caches/nx' : '.caches/data');
    }
    expect(await other.nx(...allTasks)).toMatchObject({ exitCode: 0, ran: [] });
  } finally {
    await other.remove();
  }
});

async function restore(from: string, to: string): Promise<void> {
  for (const name of sources) {
    await cp(join(from, name), join(to, name), { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
  }
}
