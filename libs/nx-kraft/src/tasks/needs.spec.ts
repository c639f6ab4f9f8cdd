import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { locate } from '@nx-kraft/components';
import { readKraftfile } from '@nx-kraft/kraftfile';
import { componentNeeds, namedComponents } from './needs.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'needs-'));
  for (const name of ['app', 'core', 'bare.git/objects', 'clone/.git'])
    await mkdir(join(folder, name), { recursive: true });
  await writeFile(join(folder, 'core.tar.gz'), '');
});
afterAll(() => rm(folder, { recursive: true }));

const commit = 'eaf6fda1d420ee079b3b612f0130ea2761cf1c56';
const https = 'https://example.com/u.git';
const ssh = 'git@example.com:team/u.git';

/** What people write → the component's name in `kraft.lock` (but for FOLDER), and what it is. */
const forms: readonly (readonly [text: string, key: string, kind: string, version?: string])[] = [
  ['unikraft: stable', 'core/unikraft@stable', 'named', 'stable'],
  ['unikraft: staging', 'core/unikraft@staging', 'named', 'staging'],
  ['unikraft: 0.17', 'core/unikraft@0.17', 'named', '0.17'],
  [`unikraft: ${commit}`, `core/unikraft@${commit}`, 'named', commit],
  ['unikraft: { kconfig: { CONFIG_A: y } }', 'core/unikraft@stable', 'named'],
  ['unikraft: { version: 0.16 }', 'core/unikraft@0.16', 'named', '0.16'],
  [`unikraft: ${https}`, `core/unikraft@${https}`, 'git'],
  [`unikraft: ${https}@feature/x`, `core/unikraft@${https}#feature/x`, 'git', 'feature/x'],
  [`unikraft: ${https}#v1`, `core/unikraft@${https}#v1`, 'git', 'v1'],
  [`unikraft: { source: '${https}', version: v1 }`, `core/unikraft@${https}#v1`, 'git', 'v1'],
  ["unikraft: { source: 'https://me:secret@example.com/u.git' }", `core/unikraft@${https}`, 'git'],
  [`unikraft: ${ssh}`, `core/unikraft@${ssh}`, 'git'],
  [`unikraft: ${ssh}@v1`, `core/unikraft@${ssh}#v1`, 'git', 'v1'],
  ['unikraft: ssh://git@example.com:2222/u.git@v1', 'core/unikraft@ssh://git@example.com:2222/u.git#v1', 'git', 'v1'],
  ['unikraft: github.com/unikraft/unikraft@v1', 'core/unikraft@github.com/unikraft/unikraft#v1', 'git', 'v1'],
  ['unikraft: file://FOLDER/bare.git@v1', 'core/unikraft@file://FOLDER/bare.git#v1', 'git', 'v1'],
  ['unikraft: file://FOLDER/clone', 'core/unikraft@file://FOLDER/clone', 'git'],
  ['unikraft: file://FOLDER/core.tar.gz', 'core/unikraft@file://FOLDER/core.tar.gz', 'tarball'],
  ['unikraft: https://example.com/u.tgz', 'core/unikraft@https://example.com/u.tgz', 'tarball'],
  ['unikraft: file://FOLDER/core', 'core/unikraft@file://FOLDER/core', 'folder'],
  ['unikraft: ../core', 'core/unikraft@../core', 'folder'],
  ['unikraft: { source: ../core, version: v1 }', 'core/unikraft@../core#v1', 'folder'],
  ['unikraft: FOLDER/core', 'core/unikraft@FOLDER/core', 'folder'],
  ['libraries: { musl: stable }', 'lib/musl@stable', 'named', 'stable'],
  ['libraries: { musl: }', 'lib/musl@stable', 'named'],
  ['libraries: { musl: 0.10 }', 'lib/musl@0.10', 'named', '0.10'],
  [`libraries: { lwip: ${https}@v1 }`, `lib/lwip@${https}#v1`, 'git', 'v1'],
  [`libraries: { lwip: { source: '${ssh}', version: v1 } }`, `lib/lwip@${ssh}#v1`, 'git', 'v1'],
  ['libraries: { mine: { source: ../core } }', 'lib/mine@../core', 'folder'],
  ['template: elfloader', 'app/elfloader@stable', 'named'],
  ['template: app/elfloader:staging', 'app/elfloader@staging', 'named', 'staging'],
  ['template: https://example.com/app-loader.git:v1', 'app/loader@https://example.com/app-loader.git#v1', 'git', 'v1'],
  [`template: { source: '${https}', version: v1 }`, `app/u@${https}#v1`, 'git', 'v1'],
  ['template: ../core', 'app/core@../core', 'folder'],
  ['unikraft: ../core.tar.gz', 'core/unikraft@../core.tar.gz', 'archive'],
  ['libraries: { mine: { source: ../core.tar.gz } }', 'lib/mine@../core.tar.gz', 'archive'],
];

test.each(forms.map((form) => [form[0], form] as const))('%s', async (_, [text, key, kind, version]) => {
  const filled = `spec: v0.6\n${text.replace('FOLDER', folder)}\n`;
  const { kraftfile } = readKraftfile(filled, { file: 'Kraftfile', directoryName: 'app' });
  if (kraftfile === undefined) throw new Error(filled);
  const [need] = componentNeeds(kraftfile, join(folder, 'app'));
  const [named] = namedComponents(kraftfile);
  if (need === undefined) throw new Error('it names nothing');
  const origin = await locate(need.request, need.baseDirectory);
  expect(named?.key).toBe(key.replace('FOLDER', folder));
  expect(origin.kind).toBe(kind);
  if ('version' in origin) expect(origin.version).toBe(version);
  // What the graph takes for local is so; a folder by its URL is never cached, which is all that it must not be.
  expect(named?.folder === undefined || kind === 'folder' || kind === 'archive').toBe(true);
});
