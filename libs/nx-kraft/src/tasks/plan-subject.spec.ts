import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { planSubject } from './plan-subject.ts';

let folder: string;
let app: string;
const here = process.cwd();

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'plan-'));
  vi.stubEnv('XDG_CACHE_HOME', join(folder, 'cache'));
  app = join(folder, 'app');
  await mkdir(join(app, '.unikraft/build'), { recursive: true });
  await writeFile(
    join(app, 'Kraftfile'),
    'spec: v0.6\nunikraft: stable\nrootfs: ./Dockerfile\nenv: { COLOR: blue }\ntargets: [qemu/x86_64]\n',
  );
  await writeFile(join(app, '.unikraft/build/app_qemu-x86_64.config'), '');
  await mkdir(join(folder, 'other'));
  await writeFile(join(folder, 'other/motd'), 'another day\n');
});
afterEach(async () => {
  vi.unstubAllEnvs();
  process.chdir(here);
  await rm(folder, { recursive: true });
});

test('another root file system needs none of the project’s own, which is asked for only where it is used', async () => {
  await expect(planSubject(app, {})).rejects.toMatchObject({ code: 'KRAFTFILE_NOT_BUILT' });
  const { initrd = '', args, env } = await planSubject(app, { rootfs: join(folder, 'other') });
  expect(await readFile(initrd, 'latin1')).toContain('another day\n');
  expect({ args, env }).toEqual({ args: [], env: { COLOR: 'blue' } });
});

test('a target is chosen by its platform and architecture, too, and one that is not there is told', async () => {
  await writeFile(
    join(app, 'Kraftfile'),
    'spec: v0.6\nunikraft: stable\ntargets: [qemu/x86_64, fc/x86_64, qemu/arm64]\n',
  );
  for (const id of ['fc-x86_64', 'qemu-arm64']) await writeFile(join(app, `.unikraft/build/app_${id}.config`), '');
  expect(await planSubject(app, { platform: 'fc' })).toMatchObject({ platform: 'fc', architecture: 'x86_64' });
  expect(await planSubject(app, { architecture: 'arm64' })).toMatchObject({ platform: 'qemu', architecture: 'arm64' });
  await expect(planSubject(app, { platform: 'fc', architecture: 'arm64' })).rejects.toMatchObject({
    code: 'KRAFTFILE_NO_TARGET',
    message: 'there is no target fc/arm64',
    hint: 'Its targets: qemu-x86_64, fc-x86_64, qemu-arm64.',
  });
});

test('another root file system brings the command and the variables of its image', async () => {
  const dockerfile = join(folder, 'other/Dockerfile');
  await writeFile(dockerfile, 'FROM scratch\nENV COLOR=red SIZE=1\nCOPY motd /\nENTRYPOINT ["cat"]\nCMD ["/motd"]\n');
  const options = { rootfs: dockerfile };
  expect(await planSubject(app, options)).toMatchObject({ args: ['cat', '/motd'], env: { COLOR: 'blue', SIZE: '1' } });
  expect(await planSubject(app, { ...options, args: ['-h'] })).toMatchObject({ args: ['-h'] });
});

test('an empty value stands for the host’s variable in a Kraftfile, and for nothing in an image', async () => {
  await writeFile(
    join(app, 'Kraftfile'),
    'spec: v0.6\nunikraft: stable\nrootfs: ./Dockerfile\nenv: { COLOR: "" }\ntargets: [qemu/x86_64]\n',
  );
  const said = JSON.stringify({ entrypoint: [], cmd: [], env: ['SIZE=', 'COLOR=red', 'SHAPE=round'] });
  await writeFile(join(app, '.unikraft/build/initramfs-x86_64.json'), said);
  for (const name of ['COLOR', 'SIZE', 'SHAPE']) vi.stubEnv(name, 'of the host');
  const { env } = await planSubject(app, {});
  expect(env).toEqual({ COLOR: 'of the host', SIZE: '', SHAPE: 'round' });
});

test('one that is not there is told with where it was looked for', async () => {
  await expect(planSubject(app, { rootfs: './none' })).rejects.toMatchObject({
    code: 'SOURCE_MISSING',
    hint: expect.stringContaining(`relative to ${process.cwd()}`) as unknown,
  });
});

test('paths in options start in the current folder, those of the Kraftfile in its own', async () => {
  await writeFile(
    join(app, 'Kraftfile'),
    'spec: v0.6\nunikraft: stable\nvolumes: [{ source: ./own, destination: /own }]\ntargets: [qemu/x86_64]\n',
  );
  await mkdir(join(app, 'own'));
  await writeFile(join(folder, 'local.env'), 'COLOR=green\n');
  process.chdir(folder);
  const { env, volumes } = await planSubject('app', { envFile: ['local.env'], volumes: ['./other:/other'] });
  expect(env).toEqual({ COLOR: 'green' });
  expect(volumes?.map(({ source }) => source)).toEqual([join(app, 'own'), join(folder, 'other')]);
});

test('mistakes in the options are told before an image is asked for', async () => {
  const options = { offline: true, envFile: [join(folder, 'none.env')] };
  await expect(planSubject('registry.example.com/none', options)).rejects.toMatchObject({ code: 'ENV_FILE_INVALID' });
});

test('a runtime for what has a kernel of its own is refused', async () => {
  await expect(planSubject('unikraft.org/nginx:1.25', { runtime: 'base' })).rejects.toMatchObject({
    code: 'MACHINE_BAD_ARGUMENT',
    message: 'there is a kernel in unikraft.org/nginx:1.25, which takes no other runtime',
  });
});
