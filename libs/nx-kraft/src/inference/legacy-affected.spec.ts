import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { affectsWholeProjects } from './legacy-affected.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'legacy-'));
});
afterEach(() => rm(folder, { recursive: true }));

test.each([
  ['23.2.1', {}, {}, true],
  ['24.0.6', {}, {}, false],
  ['24.0.6', { affected: { legacy: true } }, {}, true],
  ['24.0.6', { affected: { legacy: true } }, { NX_LEGACY_AFFECTED: 'false' }, false],
  ['24.0.6', {}, { NX_LEGACY_AFFECTED: 'true' }, true],
  [undefined, {}, {}, false],
])('Nx %s with %j and %j', async (version, nxJson, env, expected) => {
  if (version !== undefined) {
    await mkdir(join(folder, 'node_modules/nx'), { recursive: true });
    await writeFile(join(folder, 'node_modules/nx/package.json'), JSON.stringify({ name: 'nx', version }));
  }
  expect(affectsWholeProjects(folder, nxJson, env)).toBe(expected);
});
