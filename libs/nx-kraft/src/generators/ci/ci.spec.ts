import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Tree } from '@nx/devkit';
import { createTreeWithEmptyWorkspace } from '@nx/devkit/testing';
import { check } from 'prettier';
import { beforeEach, expect, test } from 'vitest';
import ci, { type CiOptions } from './generator.ts';

let tree: Tree;

beforeEach(() => {
  tree = createTreeWithEmptyWorkspace();
  tree.write('apps/web/Kraftfile', 'spec: v0.6\nunikraft: stable\ntargets: [qemu/x86_64]\n');
});

async function generate(options: CiOptions): Promise<ReadonlyMap<string, string>> {
  await ci(tree, options);
  const written = tree.listChanges().filter(({ path }) => /^\.(github|gitlab|nx)/.test(path));
  return new Map(written.map(({ path, content }) => [path, String(content)]));
}

test.each<readonly [CiOptions, readonly string[]]>([
  [{ provider: 'github' }, ['.github/workflows/unikernels.yml']],
  [{ provider: 'gitlab' }, ['.gitlab-ci.yml', '.gitlab/unikernels.yml']],
  [{ provider: 'github', agents: true }, ['.github/workflows/unikernels.yml', '.nx/workflows/agents.yaml']],
  [{ provider: 'gitlab', agents: true }, ['.gitlab-ci.yml', '.gitlab/unikernels.yml', '.nx/workflows/agents.yaml']],
])('%o writes a workflow that is formatted, and the same the next time', async (options, paths) => {
  const first = await generate(options);
  expect([...first.keys()].toSorted()).toEqual(paths);
  for (const text of first.values()) {
    expect(await check(text, { parser: 'yaml', printWidth: 120 })).toBe(true);
    expect(text).not.toMatch(/<%|undefined/);
  }
  expect(await generate(options)).toEqual(first);
});

test('the machines get what the targets need, the branch is that of nx.json, and renamed tasks keep their names', async () => {
  tree.write('apps/far/Kraftfile', 'spec: v0.6\nunikraft: stable\ntargets: [qemu/arm64]\n');
  const plugin = { plugin: 'nx-kraft', options: { testTargetName: 'boot' } };
  tree.write('nx.json', JSON.stringify({ defaultBase: 'origin/trunk', plugins: [plugin] }));
  const text = [...(await generate({ provider: 'github', workers: 7 })).values()].join('');
  expect(text).toContain('gcc-aarch64-linux-gnu');
  expect(text).toContain('branches: [trunk]');
  expect(text).toContain('--targets=build,package,boot --workers=7');
});

test('commands are those of the package manager', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'nx-kraft-'));
  try {
    writeFileSync(join(folder, 'pnpm-lock.yaml'), "lockfileVersion: '9.0'\n");
    Object.assign(tree, { root: folder });
    await ci(tree, { provider: 'github' });
  } finally {
    rmSync(folder, { recursive: true });
  }
  const text = tree.read('.github/workflows/unikernels.yml', 'utf8');
  expect(text).toContain('- run: pnpm install --frozen-lockfile');
  expect(text).toContain('run: pnpm exec nx-kraft ci plan');
});

test('a token that writes into the trusted cache is seen by builds of protected branches alone', async () => {
  const github = (await generate({ provider: 'github' })).get('.github/workflows/unikernels.yml') ?? '';
  expect(github.match(/environment: .*/g)).toEqual(
    Array(2).fill("environment: ${{ github.event_name == 'push' && 'nx-cache-trusted' || 'nx-cache-branch' }}"),
  );
});

test('a workflow of GitLab that is there stays as it is', async () => {
  tree.write('.gitlab-ci.yml', 'ours: {}\n');
  await ci(tree, { provider: 'gitlab' });
  expect(tree.read('.gitlab-ci.yml', 'utf8')).toBe('ours: {}\n');
});
