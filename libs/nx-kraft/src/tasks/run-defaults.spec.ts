import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { describeError } from '@nx-kraft/base';
import { loadKraftproject } from './kraftproject.ts';
import { findCommand, writeRunDefaults } from './run-defaults.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'run-defaults-'));
  const text = 'spec: v0.6\nruntime: base:latest\nrootfs: ./Dockerfile\nenv: { COLOR: blue }\n';
  await writeFile(join(folder, 'Kraftfile'), text);
});
afterEach(() => rm(folder, { recursive: true }));

test('an image’s command and environment are those of the Kraftfile’s root file system', async () => {
  const project = await loadKraftproject(folder, 'Kraftfile');
  const config = { entrypoint: ['/app'], cmd: ['-v'], env: ['COLOR=red', 'SIZE=1'] };
  await writeRunDefaults(folder, project.kraftfile, 'x86_64', config);
  expect(await findCommand(project, 'x86_64')).toEqual({
    rootfsArgs: ['/app', '-v'],
    env: { COLOR: 'blue', SIZE: '1' },
  });
});

test('a root file system that has not been made is told as a sentence', async () => {
  const project = await loadKraftproject(folder, 'Kraftfile');
  const fault: unknown = await findCommand(project, 'arm64').catch((error: unknown) => error);
  expect(fault).toMatchObject({ code: 'KRAFTFILE_NOT_BUILT' });
  expect(describeError(fault)).toContain('its root file system for arm64 has not been made');
});
