import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { link, mkdir, mkdtemp, readdir, readFile, readlink, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { run } from '@nx-kraft/base';
import { archiveLayout, packageImage } from '@nx-kraft/oci';
import { startRegistry } from '../../../oci/test/registry.ts';
import { loadedModules } from '../../test/loaded-modules.ts';
import { makeArchive, serveFiles, sha256 } from '../../../components/test/server.ts';

const command = join(import.meta.dirname, '../../bin/nx-kraft.js');

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cli-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** Where the command keeps things of the user. */
function isolated(home: string): NodeJS.ProcessEnv {
  return {
    XDG_CONFIG_HOME: join(home, 'config'),
    XDG_STATE_HOME: join(home, 'state'),
    XDG_DATA_HOME: join(home, 'data'),
    NX_KRAFT_IMAGES: join(home, 'images'),
    NX_KRAFT_STORE: join(home, 'sources'),
  };
}

function nxKraft(...args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((done) => {
    const env = { ...process.env, ...isolated(folder) };
    execFile(process.execPath, [command, ...args], { cwd: folder, env }, (error, stdout, stderr) => {
      done({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

/** What a command that succeeds gives as JSON. */
async function json(...args: readonly string[]): Promise<unknown> {
  const { code, stdout, stderr } = await nxKraft(...args, '--json');
  expect({ code, stderr }).toMatchObject({ code: 0 });
  return JSON.parse(stdout);
}

test('lint explains errors and ends with 1, with warnings alone with 0', async () => {
  await writeFile(join(folder, 'Kraftfile'), 'spec: v0.6\ntargets:\n  - qemu\n');
  const failed = await nxKraft('lint', '.');
  expect(failed.code).toBe(1);
  expect(failed.stdout).toContain('Kraftfile:3:5: error:');
  const json = JSON.parse((await nxKraft('lint', 'Kraftfile', '--json')).stdout) as { line: number; code: string }[];
  expect(json).toContainEqual(expect.objectContaining({ line: 3, code: 'TARGET_FORM' }));

  await writeFile(join(folder, 'Kraftfile'), 'spec: v0.6\nruntime: base:latest\nvolume: x\n');
  expect((await nxKraft('lint', '.')).code).toBe(0);
});

test('inspect prints the model as JSON', async () => {
  await writeFile(join(folder, 'Kraftfile'), 'spec: v0.6\nname: web\nruntime: base:latest\ntargets: [kvm/amd64]\n');
  const { code, stdout } = await nxKraft('inspect', 'Kraftfile', '--json');
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    name: 'web',
    runtime: { reference: 'base:latest' },
    targets: [{ id: 'qemu-x86_64' }],
  });
});

test('rootfs makes a folder into an archive outside of any project', async () => {
  await mkdir(join(folder, 'root/etc'), { recursive: true });
  await writeFile(join(folder, 'root/etc/motd'), 'hello\n');
  const { code, stdout } = await nxKraft('rootfs', 'root', '--output', 'root.cpio', '--json');
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ kind: 'directory', entries: 2 });
  expect((await readFile(join(folder, 'root.cpio'), 'latin1')).startsWith('070701')).toBe(true);

  await link(join(folder, 'root/etc/motd'), join(folder, 'root/etc/issue'));
  const options = ['--owners', 'keep', '--modes', 'keep', '--hard-links', 'link', '--memory', '8Mi'];
  const linked = await nxKraft('rootfs', 'root', '--output', 'root.cpio', ...options);
  expect(linked).toMatchObject({ code: 0, stdout: expect.stringContaining('the machine has 8.0 MiB') as string });
  expect((await readFile(join(folder, 'root.cpio'), 'latin1')).match(/hello/g)).toHaveLength(1);

  const missing = await nxKraft('rootfs', './nothing', '-o', 'x.cpio');
  expect(missing.code).toBe(1);
  expect(missing.stderr).toContain('(SOURCE_MISSING)');
});

test('rootfs of a folder loads neither machines, nor builders, nor packages of others', async () => {
  await mkdir(join(folder, 'root'));
  const modules = await loadedModules([command, 'rootfs', 'root', '-o', 'root.cpio'], { cwd: folder });
  expect(modules.filter((url) => url.includes('/rootfs/src/'))).not.toEqual([]);
  const known = /\/(nx-kraft\/(bin|src)|(archive|base|rootfs)\/src|machine\/src\/(memory|fault)\.ts)/;
  const unneeded = /\/(buildkit\/|dockerfile\/(?!platform\.ts))|base\/src\/packages\.ts/;
  expect(modules.filter((url) => !known.test(url) || unneeded.test(url))).toEqual([]);
});

test('rootfs that was killed leaves nothing that the next one does not take away', async () => {
  await mkdir(join(folder, 'root'));
  await writeFile(join(folder, 'root/large'), '');
  // Takes longer to write than to look for, and no room here.
  await truncate(join(folder, 'root/large'), 3 * 2 ** 30);
  const out = join(folder, 'out');
  const env = { ...process.env, ...isolated(folder) };
  const args = [command, 'rootfs', 'root', '-o', 'out/root.cpio'];
  const child = spawn(process.execPath, args, { cwd: folder, env, stdio: 'ignore' });
  while ((await readdir(out).catch(() => [])).length === 0) await sleep(1);
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(await readdir(out)).toEqual([expect.stringMatching(/^\.root\.cpio\..*\.tmp$/)]);

  await truncate(join(folder, 'root/large'), 10);
  expect(await nxKraft('rootfs', 'root', '-o', 'out/root.cpio')).toMatchObject({ code: 0 });
  expect(await readdir(out)).toEqual(['root.cpio']);
});

test('a Kraftfile that is a link stays one when it is edited', async () => {
  await mkdir(join(folder, 'shared'));
  await writeFile(join(folder, 'shared/Kraftfile'), 'spec: v0.6\nname: web\nunikraft: stable\n');
  await symlink('shared/Kraftfile', join(folder, 'Kraftfile'));
  expect(await nxKraft('target', 'add', 'Kraftfile', 'fc/x86_64')).toMatchObject({ code: 0 });
  expect(await readlink(join(folder, 'Kraftfile'))).toBe('shared/Kraftfile');
  expect(await readFile(join(folder, 'shared/Kraftfile'), 'utf8')).toContain('fc/x86_64');
});

test('a Kraftfile is edited in place, and keeps its comments', async () => {
  const file = join(folder, 'Kraftfile');
  await writeFile(file, 'spec: v0.5\nname: web # the shop\nunikraft: stable\ntargets:\n  - qemu/x86_64\n');
  const steps = [
    ['target add Kraftfile fc/x86_64', 'target fc/x86_64 added'],
    ['lib add Kraftfile musl', 'library musl added'],
    ['set Kraftfile CONFIG_A=y CONFIG_B=12', 'CONFIG_A=y, CONFIG_B=12 in the kconfig of unikraft'],
    ['set Kraftfile CONFIG_A=y', 'nothing to change'],
    ['unset Kraftfile CONFIG_B', 'CONFIG_B removed from the kconfig of unikraft'],
    ['set Kraftfile CONFIG_C=y --for fc-x86_64', 'CONFIG_C=y in the kconfig of target fc-x86_64'],
    ['target rm Kraftfile qemu-x86_64', 'target qemu-x86_64 removed'],
    ['upgrade Kraftfile', 'written as v0.6'],
  ] as const;
  for (const [step, told] of steps) {
    const outcome = await nxKraft(...step.split(' '));
    expect(outcome).toMatchObject({ code: 0, stderr: '', stdout: `Kraftfile: ${told}\n` });
  }
  expect(await readFile(file, 'utf8')).toContain('name: web # the shop');
  expect(JSON.parse((await nxKraft('inspect', 'Kraftfile')).stdout)).toMatchObject({
    spec: 'v0.6',
    unikraft: { version: 'stable', kconfig: { CONFIG_A: 'y' } },
    libraries: [{ name: 'musl', version: 'stable' }],
    targets: [{ id: 'fc-x86_64', kconfig: { CONFIG_C: 'y' } }],
  });
  const missing = await nxKraft('target', 'rm', 'Kraftfile', 'xen-arm64');
  expect(missing.code).toBe(1);
  expect(missing.stderr).toContain('(EDIT_NOT_FOUND)');
});

test('without machines the list is empty, and one that is not there is told', async () => {
  expect(JSON.parse((await nxKraft('ps', '--all', '--json')).stdout)).toEqual([]);
  const { code, stderr } = await nxKraft('stop', 'nobody');
  expect(code).toBe(1);
  expect(stderr).toContain("there is no machine 'nobody' (MACHINE_NO_INSTANCE)");
});

test('images are pulled, listed, exported, imported, pushed and removed', async () => {
  const registry = await startRegistry();
  try {
    const layout = join(folder, 'app.oci');
    await writeFile(join(folder, 'kernel'), 'KERNEL');
    const name = `${registry.host}/team/app:1`;
    const target = { architecture: 'x86_64', platform: 'qemu', kernel: join(folder, 'kernel'), command: ['/app'] };
    await packageImage({ reference: name, toolVersion: 'test', targets: [target] }, layout);
    await run('skopeo', ['copy', '-q', '--all', '--dest-tls-verify=false', `oci:${layout}:1`, `docker://${name}`]);

    expect(await nxKraft('pkg', 'pull', name, '--arch', 'x86_64')).toMatchObject({ code: 0, stderr: '' });
    const listed = JSON.parse((await nxKraft('pkg', 'ls', '--all', '--json')).stdout) as Record<string, string>[];
    expect(listed).toEqual([
      expect.objectContaining({ name: name.replace(/:1$/, ''), version: '1', plat: 'qemu/x86_64', pulled: 'yes' }),
    ]);
    expect((await nxKraft('pkg', 'ls', '--all')).stdout).toMatch(/^TYPE +NAME +VERSION +FORMAT +DIGEST +PLAT +SIZE/);
    expect((await nxKraft('pkg', 'info', name)).stdout).toContain('/app');
    expect((await nxKraft('pkg', 'export', name, 'app.oci.tar')).code).toBe(0);
    expect((await nxKraft('pkg', 'rm', name)).code).toBe(0);
    expect(JSON.parse((await nxKraft('pkg', 'ls', '--all', '--json')).stdout)).toEqual([]);
    expect((await nxKraft('pkg', 'import', 'app.oci.tar')).stdout).toContain(name);
    expect((await nxKraft('pkg', 'tag', name, 'mine:1')).code).toBe(0);
    target.command = ['/other'];
    const other = await packageImage({ reference: 'mine:1', toolVersion: 'test', targets: [target] }, `${layout}2`);
    for (const strategy of ['abort', 'prompt']) {
      const refused = await nxKraft('pkg', 'import', 'app.oci2', '--strategy', strategy);
      expect(refused).toMatchObject({ code: 1, stderr: expect.stringMatching(/IMAGE_EXISTS|NO_TERMINAL/) as string });
    }
    await archiveLayout(`${layout}2`, join(folder, 'other.oci.tar'));
    const refused = await nxKraft('pkg', 'import', 'other.oci.tar', '--strategy', 'abort');
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('(IMAGE_EXISTS)') as string });
    expect((await nxKraft('pkg', 'import', 'other.oci.tar', '--strategy', 'overwrite')).code).toBe(0);
    expect((await nxKraft('pkg', 'info', 'mine:1', '--json')).stdout).toContain(other.digest);
    const copy = `${registry.host}/team/copy:2`;
    expect((await nxKraft('pkg', 'push', name, copy)).stdout).toContain(copy);
    expect((await nxKraft('pkg', 'ls', copy, '--remote', '--all', '--json')).stdout).toContain('team/copy');
    expect((await nxKraft('pkg', 'info', copy, '--remote', '-o', 'yaml')).stdout).toMatch(/^reference: \S+copy:2\n/);

    // All of a registry has the tag latest only.
    expect((await nxKraft('pkg', 'push', name, `${registry.host}/team/newest`)).code).toBe(0);
    expect((await nxKraft('pkg', 'ls', `${registry.host}/`, '--remote', '--all', '-o', 'list')).stdout).toBe(
      `${registry.host}/team/newest:latest\n`,
    );
    expect(await json('pkg', 'tag', name, 'mine:2')).toEqual({ reference: 'unikraft.org/mine:2' });
    expect(await json('pkg', 'export', 'mine:2', 'mine.oci.tar')).toEqual({
      reference: 'unikraft.org/mine:2',
      file: 'mine.oci.tar',
    });
    expect(await json('pkg', 'rm', 'mine:1')).toEqual({ removed: ['unikraft.org/mine:1'] });
    expect((await nxKraft('pkg', 'ls', 'mi*', '--apps', '-o', 'list')).stdout).toBe('unikraft.org/mine:2\n');
    expect(await json('pkg', 'export', 'mine:2', '--kraft')).toEqual({ reference: 'unikraft.org/mine:2' });
    expect((await nxKraft('pkg', 'ls', '--kraft', '-o', 'list')).stdout).toBe('unikraft.org/mine:2\n');
    expect((await nxKraft('pkg', 'import', 'mine:2', 'other', '--kraft')).stdout).toBe('unikraft.org/other:latest\n');
    expect((await nxKraft('pkg', 'export', 'mine:2')).code).toBe(2);
    expect((await nxKraft('pkg', 'rm', '--all')).code).toBe(0);
    expect((await nxKraft('pkg', 'ls', '--all', '-o', 'list')).stdout).toBe('');
    const unpacked = await nxKraft('pkg', 'pull', name, '-o', 'out', '--kconfig', 'CONFIG_X=y');
    expect(unpacked.stderr).toContain('(PLATFORM_MISSING)');
    expect((await nxKraft('pkg', 'pull', name, copy, '-o', 'out')).code).toBe(0);
    expect(await readFile(join(folder, 'out/unikraft/bin/kernel'), 'utf8')).toBe('KERNEL');
    const missing = await nxKraft('pkg', 'pull', `${registry.host}/team/nothing`);
    expect(missing.code).toBe(1);
    expect(missing.stderr).toContain('(REGISTRY_MISSING)');
  } finally {
    await registry.stop();
  }
});

test('what a registry has is learnt without its layers, and only when asked', async () => {
  const registry = await startRegistry();
  try {
    await writeFile(join(folder, 'kernel'), 'KERNEL');
    const push = async (name: string, command: string): Promise<string> => {
      const target = { architecture: 'x86_64', platform: 'qemu', kernel: join(folder, 'kernel'), command: [command] };
      const layout = join(folder, 'app.oci');
      const { digest } = await packageImage({ reference: name, toolVersion: 'test', targets: [target] }, layout);
      const flags = ['--quiet', '--all', '--preserve-digests', '--dest-tls-verify=false'];
      await run('skopeo', ['copy', ...flags, `oci:${layout}`, `docker://${name}`]);
      return digest;
    };
    const [name, odd] = [`${registry.host}/team/app:latest`, `${registry.host}/team/odd:7`];
    const first = await push(name, '/one');
    await push(odd, '/odd');
    const listed = async (...more: readonly string[]) => json('pkg', 'ls', `${registry.host}/`, '--all', ...more);
    expect(await listed()).toEqual([]);
    expect(await json('pkg', 'update', registry.host)).toEqual({
      updated: [name],
      skipped: [`${registry.host}/team/odd:latest`],
    });
    expect(await listed()).toEqual([expect.objectContaining({ version: 'latest', pulled: 'never' })]);
    expect(await json('pkg', 'info', name)).toMatchObject({ digest: first });

    const second = await push(name, '/two');
    expect(await json('pkg', 'info', name)).toMatchObject({ digest: first });
    expect(await listed('--update')).toHaveLength(1);
    expect(await json('pkg', 'info', name)).toMatchObject({ digest: second });
    // Offline it stays what it was, and a pull brings the rest.
    expect((await nxKraft('pkg', 'pull', name, '--arch', 'x86_64')).code).toBe(0);
    expect(await listed()).toEqual([expect.objectContaining({ pulled: 'yes' })]);
  } finally {
    await registry.stop();
  }
  const gone = await nxKraft('pkg', 'update', registry.host);
  expect(gone).toMatchObject({ code: 1, stderr: expect.stringMatching(/\(REGISTRY_\w+\)/) as string });
});

test('a log-in is kept and forgotten', async () => {
  const registry = await startRegistry();
  const environment = { KRAFTKIT_LOGIN_USER: 'me', KRAFTKIT_LOGIN_TOKEN: 'secret' };
  Object.assign(process.env, environment);
  try {
    expect(await json('login', registry.host)).toEqual({ registry: registry.host, user: 'me' });
    const kept = () => readFile(join(folder, 'config/nx-kraft/auth.json'), 'utf8');
    expect(await kept()).toContain(registry.host);
    expect(await json('logout', registry.host)).toEqual({ registry: registry.host });
    expect(await kept()).not.toContain(registry.host);
  } finally {
    for (const name of Object.keys(environment)) delete process.env[name];
    await registry.stop();
  }
});

test('the store of sources is listed as table and JSON', async () => {
  expect(JSON.parse((await nxKraft('store', '--json')).stdout)).toEqual([]);
  expect((await nxKraft('store', 'prune')).stdout).toContain('Nothing to remove.');
});

test('components are listed, described, pulled and updated through indexes that are added and removed', async () => {
  const server = await serveFiles();
  try {
    const archive = await makeArchive([{ name: 'musl/Makefile.uk', content: '# musl' }]);
    server.files.set('/musl.tar.gz', archive);
    server.files.set(
      '/index.yaml',
      `manifests:
- {name: unikraft, type: core, description: The core}
- {name: nginx, type: app}
- {name: musl, type: lib, channels: [{name: stable, default: true, resource: ./musl.tar.gz, sha256: ${sha256(archive)}}]}
`,
    );
    const index = `${server.url}/index.yaml`;
    expect((await nxKraft('pkg', 'source', index)).stdout).toBe(`${index}\nhttps://manifests.kraftkit.sh/index.yaml\n`);
    expect((await nxKraft('pkg', 'unsource', 'https://manifests.kraftkit.sh/index.yaml')).stdout).toBe(`${index}\n`);
    const listed = await nxKraft('pkg', 'ls', '--core', '--libs', '--apps');
    expect(listed.stdout).toMatch(/^TYPE +NAME.*\napp +nginx\ncore +unikraft +The core\nlib +musl +stable\n$/);
    expect(JSON.parse((await nxKraft('pkg', 'ls', '--libs', 'mu*', '--json')).stdout)).toEqual([
      expect.objectContaining({ type: 'lib', name: 'musl' }),
    ]);
    expect((await nxKraft('pkg', 'ls', '--apps', 'musl')).stdout).toMatch(/^TYPE.*\n$/);
    expect((await nxKraft('pkg', 'info', 'lib/musl')).stdout).toContain('channels     stable');
    expect((await nxKraft('pkg', 'info', '--libs', 'musl')).stdout).toContain('component    lib/musl');
    const [pulled] = JSON.parse((await nxKraft('pkg', 'pull', 'lib/musl:stable', '--json')).stdout) as [
      { folder: string },
    ];
    expect(await readFile(join(pulled.folder, 'Makefile.uk'), 'utf8')).toBe('# musl');
    expect((await nxKraft('pkg', 'update', '--libs')).stdout).toMatch(/index\.yaml +3 +ok\n$/);
    expect(await nxKraft('pkg', 'pull', '--locked')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('there is no kraft.lock here or above') as string,
    });
    expect(await nxKraft('pkg', 'pull', 'lib/-x')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('COMPONENT_BAD_NAME') as string,
    });
    server.files.delete('/index.yaml');
    expect((await nxKraft('pkg', 'source', `${server.url}/none.yaml`)).stderr).toContain('(COMPONENT_NOT_FOUND)');
    expect((await nxKraft('pkg', 'unsource', index)).stdout).toBe('');
  } finally {
    await server.close();
  }
});

test.each([
  ['--key', ['pkg', 'sign', 'web']],
  ['--key', ['pkg', 'verify', 'web']],
  ['--key', ['pkg', 'pull', 'web']],
  ['--authority', ['pkg', 'pull', 'web']],
  ['--authority', ['login', '--user', 'a', 'registry.example.com']],
  ['--chain', ['cloud', 'certificate', 'create', '--cn', 'web', '--pkey', 'none']],
])('a file that is not there is told of %s of %j', async (option, words) => {
  const { code, stderr } = await nxKraft(...words, option, 'none');
  expect({ code, stderr }).toMatchObject({
    code: 2,
    stderr: expect.stringContaining(`${option} none: there is no such file or folder (USAGE)`) as string,
  });
});
