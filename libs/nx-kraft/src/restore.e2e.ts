import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { lstat, readFile, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { run } from '@nx-kraft/base';
import { type TestRegistry, startRegistry } from '../../oci/test/registry.ts';
import { writeSources } from '../test/cache-inputs.ts';
import { TestWorkspace } from '../test/workspace.ts';

let workspace: TestWorkspace;
let registry: TestRegistry;

beforeEach(async () => {
  registry = await startRegistry();
  workspace = await TestWorkspace.create('apps/hello', 'tools/test-kernel');
});
afterEach(async () => {
  await workspace.remove();
  await registry.stop();
});

test('what comes back from the cache is all that packing, pushing, testing and booting need', async () => {
  const tasks = ['run-many', '-t', 'build', 'rootfs', 'package', 'test'];
  expect(await workspace.nx(...tasks)).toMatchObject({ exitCode: 0, cached: [] });
  const made = await contents(workspace.path('apps/hello/.unikraft/build'));
  expect(await workspace.nx('run', 'hello:push', `--name=${registry.host}/team/hello:built`)).toMatchObject({
    exitCode: 0,
  });

  // All that this machine has but Nx's cache, its compilers too.
  for (const place of [
    'apps/hello/.unikraft',
    ...['objects', 'images', 'state', 'sources'].map((it) => `.caches/${it}`),
  ]) {
    await rm(workspace.path(place), { recursive: true, force: true });
  }
  await workspace.withoutCompilers();
  expect(await workspace.nx(...tasks)).toMatchObject({ exitCode: 0, ran: [] });
  expect(await contents(workspace.path('apps/hello/.unikraft/build'))).toEqual(made);

  await rm(workspace.path('apps/hello/.unikraft'), { recursive: true });
  const pushed = await workspace.nx('run', 'hello:push', `--name=${registry.host}/team/hello:restored`);
  expect(pushed.exitCode, pushed.output).toBe(0);
  expect(pushed.cached).toContain('hello:package');
  const [built, restored] = await Promise.all(['built', 'restored'].map(pushedDigest));
  expect(restored).toBe(built);

  await rm(workspace.path('apps/hello/.unikraft'), { recursive: true });
  const booted = await workspace.nx('run', 'hello:run');
  expect(booted).toMatchObject({ exitCode: 0, ran: ['hello:run'] });
  expect(booted.output).toContain('This line comes from the root file system.');
});

test('what is packed without the tasks before is what they made last, and not what they made before that', async () => {
  await writeSources(workspace);
  const image = workspace.path('apps/taken/.unikraft/build/taken.oci/index.json');
  const images = new Set<string>();
  for (const text of ['kernel', 'other']) {
    await workspace.write('apps/taken/made/kernel', text);
    expect(await workspace.nx('run', 'taken:build')).toMatchObject({ exitCode: 0 });
    const packed = await workspace.nx('run', 'taken:package', '--exclude-task-dependencies');
    expect(packed).toMatchObject({ exitCode: 0, ran: ['taken:package'] });
    images.add(await readFile(image, 'utf8'));
  }
  expect(images.size).toBe(2);
});

test('a result that the cache has lost or damaged is made again', async () => {
  await writeSources(workspace);
  const packed = await workspace.nx('run', 'taken:package');
  expect(packed).toMatchObject({ exitCode: 0, ran: ['taken:build:qemu-x86_64', 'taken:package'] });
  const again = async (damage: (entry: string) => Promise<unknown>) => {
    for (const hash of await readdir(workspace.path('.caches/nx'))) {
      const kept = workspace.path(`.caches/nx/${hash}/apps/taken/.unikraft/build`);
      if (existsSync(kept)) await damage(workspace.path(`.caches/nx/${hash}`));
    }
    await rm(workspace.path('apps/taken/.unikraft'), { recursive: true });
    return workspace.nx('run', 'taken:package');
  };

  const lost = await again((entry) => rm(entry, { recursive: true }));
  expect(lost).toMatchObject({ exitCode: 0, ran: packed.ran });

  const damaged = await again(async (entry) => {
    await rm(join(entry, 'apps'), { recursive: true });
  });
  expect(damaged).toMatchObject({ exitCode: 0, ran: packed.ran });
  expect(damaged.output).toMatch(/^warning: taken:build:qemu-x86_64: .* is made again$/m);
});

/** Every file below a folder with its mode and a digest, or a link's target. */
async function contents(folder: string): Promise<Readonly<Record<string, string>>> {
  const files = (await readdir(folder, { recursive: true, withFileTypes: true })).filter(
    (entry) => !entry.isDirectory(),
  );
  const described = await Promise.all(
    files.map(async (entry) => {
      const path = join(entry.parentPath, entry.name);
      const digest = createHash('sha256')
        .update(await readFile(path))
        .digest('hex');
      return [path, `${(await lstat(path)).mode.toString(8)} ${digest}`] as const;
    }),
  );
  return Object.fromEntries(described.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** As skopeo sees it. */
async function pushedDigest(tag: string): Promise<string> {
  const image = await run('skopeo', [
    'inspect',
    '--raw',
    '--tls-verify=false',
    `docker://${registry.host}/team/hello:${tag}`,
  ]);
  return createHash('sha256').update(image).digest('hex');
}
