import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { CpioWriter, createFile } from '@nx-kraft/archive';
import { outputNames, rootfsName } from '@nx-kraft/kraftfile';
import { sbomAttachment } from '@nx-kraft/oci';
import { cycloneDxErrors } from '../../../oci/test/cyclonedx.ts';
import { loadKraftproject, plannedTargets } from './kraftproject.ts';
import { listComponents } from './list-components.ts';
import type { UsedComponent } from './used-components.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'components-'));
});
afterEach(() => rm(folder, { recursive: true }));

const [core, lwip] = ['a'.repeat(40), 'b'.repeat(40)];
const used: readonly UsedComponent[] = [
  { name: 'unikraft', url: 'https://github.com/unikraft/Unikraft.git', revision: core, licence: 'BSD-3-Clause' },
  { name: 'lwip', url: 'https://git.example.org/lwip', revision: lwip, licence: 'BSD-3-Clause' },
  { name: 'local' },
];

test('an image is of source trees, what was linked from them, and the packages of its root file system', async () => {
  await writeFile(
    join(folder, 'Kraftfile'),
    'spec: v0.6\nname: app\nunikraft: stable\nrootfs: ./rootfs\ntargets: [qemu/x86_64]\n',
  );
  const project = await loadKraftproject(folder, 'Kraftfile');
  const [target = expect.fail()] = plannedTargets(project.kraftfile);
  const names = outputNames(project.kraftfile, target);
  const libraries = ['libvfscore', 'liblwip', 'appmain'].map((name) => ({ name }));
  await write(names.components, JSON.stringify(used));
  await write(names.sizes, JSON.stringify({ libraries }));
  const database = 'P:musl\nV:1.2.4-r2\nA:x86_64\nL:MIT\n\nP:odd\nV:1\nL:custom\n\n';
  createFile(join(folder, rootfsName(project.kraftfile, 'x86_64')), (output) => {
    const writer = new CpioWriter(output, 0);
    writer.file('lib/apk/db/installed', { mode: 0o644, uid: 0, gid: 0 }, database.length);
    output.bytes(Buffer.from(database));
    writer.endFile();
    writer.finish();
  });

  const components = await listComponents(project);
  const plan = { name: 'unikraft.org/app', version: `sha256:${'c'.repeat(64)}`, toolVersion: '1', components };
  const document = JSON.parse(sbomAttachment(plan).content.toString()) as { components: object[] };
  expect(cycloneDxErrors(document)).toEqual([]);
  const bsd = [{ license: { id: 'BSD-3-Clause' } }];
  const commit = (value: string) => expect.arrayContaining([{ name: 'nx-kraft:commit', value }]) as unknown[];
  const vcs = [{ type: 'vcs', url: 'https://github.com/unikraft/Unikraft.git' }];
  expect(document.components).toHaveLength(6);
  expect(document.components).toEqual(
    expect.arrayContaining([
      expect.objectContaining({
        name: 'unikraft',
        version: core,
        licenses: bsd,
        purl: `pkg:github/unikraft/unikraft@${core}`,
        externalReferences: vcs,
        properties: commit(core),
      }),
      expect.objectContaining({ name: 'libvfscore', version: core, licenses: bsd, properties: commit(core) }),
      expect.objectContaining({
        name: 'lwip',
        version: lwip,
        purl: `pkg:generic/lwip@${lwip}?vcs_url=git%2Bhttps%3A%2F%2Fgit.example.org%2Flwip%40${lwip}`,
      }),
      expect.objectContaining({ type: 'library', name: 'local' }),
      expect.objectContaining({
        name: 'musl',
        version: '1.2.4-r2',
        licenses: [{ license: { id: 'MIT' } }],
        purl: 'pkg:apk/alpine/musl@1.2.4-r2?arch=x86_64',
      }),
      expect.objectContaining({ name: 'odd', version: '1', licenses: [{ license: { name: 'custom' } }] }),
    ]),
  );
});

async function write(name: string, text: string): Promise<void> {
  const path = join(folder, name);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}
