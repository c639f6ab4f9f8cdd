import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageImage } from '@nx-kraft/oci';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { publishRelease, versionLabel } from './publish-release.ts';

const surroundings = { nxJsonConfiguration: {}, projectGraph: { nodes: {}, dependencies: {} } };

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'publish-'));
  vi.stubEnv('NX_KRAFT_IMAGES', join(folder, 'images'));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

test('what was packed as another version is not published, since Nx may have left its packing out', async () => {
  const kraftfile = `spec: v0.6\nname: app\nunikraft: stable\ntargets: [qemu/x86_64]\nlabels: { ${versionLabel}: 2.0.0 }\n`;
  await writeFile(join(folder, 'Kraftfile'), kraftfile);
  await writeFile(join(folder, 'kernel'), 'kernel');
  const layout = join(folder, '.unikraft/build/app.oci');
  const packAs = async (labels: Readonly<Record<string, string>>): Promise<void> => {
    const target = { platform: 'qemu', architecture: 'x86_64', kernel: join(folder, 'kernel'), labels };
    // Nobody listens there.
    await packageImage({ reference: 'localhost:1/team/app:dev', toolVersion: 'test', targets: [target] }, layout);
  };
  const publish = (options: { readonly dryRun?: boolean }) =>
    publishRelease(folder, { kraftfile: 'Kraftfile', ...options }, surroundings);

  await packAs({});
  await expect(publish({})).rejects.toThrow('it was packed before it had a version, and is 2.0.0 now');
  await packAs({ [versionLabel]: '1.0.0' });
  await expect(publish({})).rejects.toMatchObject({
    code: 'KRAFTFILE_NOT_BUILT',
    message: 'it was packed as version 1.0.0, and is 2.0.0 now',
  });
  await publish({ dryRun: true });
  await packAs({ [versionLabel]: '2.0.0' });
  await expect(publish({})).rejects.toMatchObject({ code: 'REGISTRY_UNREACHABLE' });
});
