import { execFile } from 'node:child_process';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { run } from '@nx-kraft/base';
import { cycloneDxErrors } from '../../oci/test/cyclonedx.ts';
import { cosignPublicKey, sigstoreKey } from '../../oci/test/cosign-keys.ts';
import { startRegistry, type TestRegistry } from '../../oci/test/registry.ts';
import { TestWorkspace } from '../test/workspace.ts';

const git = ['-c', 'user.name=test', '-c', 'user.email=test@example.com', '-c', 'commit.gpgsign=false'];

let workspace: TestWorkspace;
let registry: TestRegistry;
let name: string;

beforeAll(async () => {
  registry = await startRegistry();
  name = `${registry.host}/team/hello`;
  workspace = await TestWorkspace.create('apps/hello', 'tools/test-kernel');
  workspace.environment.XDG_DATA_HOME = workspace.path('.caches/share');
  workspace.environment.XDG_CONFIG_HOME = workspace.path('.caches/config');
  workspace.environment.COSIGN_PASSWORD = 'secret';
  for (const key of ['GIT_AUTHOR', 'GIT_COMMITTER']) {
    Object.assign(workspace.environment, { [`${key}_NAME`]: 'test', [`${key}_EMAIL`]: 'test@example.com' });
  }
  await packageAs({ name: `${name}:dev` });
  await inWorkspace('git', 'init', '--quiet');
  await inWorkspace('git', 'add', '.');
  await inWorkspace('git', ...git, 'commit', '--quiet', '-m', 'feat: begin');
});
afterAll(async () => {
  await workspace.remove();
  await registry.stop();
});

/** Options of the package task, as a project has them. */
async function packageAs(options: object): Promise<void> {
  await workspace.write('apps/hello/project.json', JSON.stringify({ targets: { package: { options } } }));
}

function inWorkspace(program: string, ...args: readonly string[]): Promise<string> {
  return run(program, args, { cwd: workspace.folder });
}

async function ok(...args: readonly string[]): Promise<string> {
  const { exitCode, output } = await workspace.nx(...args);
  expect(output).toContain('Successfully ran target');
  expect(exitCode).toBe(0);
  return output;
}

interface Inspected {
  readonly Digest: string;
  readonly Labels: Record<string, string>;
}

/** What skopeo sees of an image for a platform. */
async function inspect(image: string, ...more: readonly string[]): Promise<Inspected> {
  const flags = ['--tls-verify=false', ...more, `docker://${image}`];
  const text = await run('skopeo', ['--override-os', 'qemu', '--override-arch', 'x86_64', 'inspect', ...flags]);
  return JSON.parse(text) as Inspected;
}

test('nx release gives images of apps a version and publishes them', async () => {
  await workspace.write(
    'nx.json',
    JSON.stringify({
      plugins: ['nx-kraft'],
      neverConnectToCloud: true,
      analytics: false,
      release: { projects: ['hello'], changelog: { projectChangelogs: false, workspaceChangelog: false } },
    }),
  );
  await inWorkspace('git', ...git, 'commit', '--quiet', '-am', 'chore: release');
  const dry = await workspace.nx('release', '1.2.0', '--yes', '--dry-run');
  expect(dry.output).toContain(`would push ${name}:1.2.0@sha256:`);
  const { exitCode, output } = await workspace.nx('release', '1.2.0', '--yes');
  expect(output).toContain(`${name}:1.2.0@sha256:`);
  expect(exitCode).toBe(0);
  expect(await readFile(workspace.path('apps/hello/Kraftfile'), 'utf8')).toContain(
    "labels:\n  org.opencontainers.image.version: '1.2.0'\n",
  );
  const released = await inspect(`${name}:1.2.0`, '--config');
  expect(JSON.stringify(released)).toContain('"org.opencontainers.image.version":"1.2.0"');
  expect((await inspect(`${name}:latest`)).Digest).toBe((await inspect(`${name}:1.2.0`)).Digest);
  expect(await inWorkspace('git', 'tag')).toContain('v1.2.0');

  // The next one follows from it; a version for trial leaves latest alone.
  const second = await workspace.nx('release', 'prepatch', '--preid=beta', '--yes');
  expect(second.output).toContain(`${name}:1.2.1-beta.0@sha256:`);
  expect((await inspect(`${name}:latest`)).Digest).toBe((await inspect(`${name}:1.2.0`)).Digest);
  // Nx runs nothing that comes before when it is told projects: what was packed last is another version.
  const early = await workspace.nx('release', '1.3.0', '--projects=hello', '--yes');
  expect(early).toMatchObject({ exitCode: 1, output: expect.stringContaining('(KRAFTFILE_NOT_BUILT)') as string });
  expect(early.output).toContain('it was packed as version 1.2.1-beta.0, and is 1.3.0 now');
  await ok('run', 'hello:package');
  const packed = await workspace.nx('release', 'publish', '--projects=hello');
  expect(packed.output).toContain(`${name}:1.3.0@sha256:`);
  // A version never changes.
  await workspace.edit('apps/hello/rootfs/etc/motd', 'This line', 'That line');
  const again = await workspace.nx('release', 'publish');
  expect(again).toMatchObject({ exitCode: 1, output: expect.stringContaining('(IMAGE_EXISTS)') as string });
});

test('options decide what is packed, and an archive is restored from the cache like the folder', async () => {
  const options = { name: `${name}:dev`, tags: ['edge'], targets: ['qemu-x86_64'], kconfig: false, archive: true };
  await packageAs({ ...options, urunc: true, args: ['x', 'y z'], env: ['A=1'], labels: ['team=a'], debugKernel: true });
  await ok('run', 'hello:package');
  const archive = workspace.path('apps/hello/.unikraft/build/hello.oci.tar');
  const { size } = await stat(archive);
  await inWorkspace('rm', '-r', 'apps/hello/.unikraft/build');
  expect((await workspace.nx('run', 'hello:package')).cached).toContain('hello:package');
  expect((await stat(archive)).size).toBe(size);
  const inside = `oci-archive:${archive}:edge`;
  const raw = await run('skopeo', ['inspect', '--raw', inside]);
  const { manifests } = JSON.parse(raw) as { manifests: { platform: { os: string }; digest: string }[] };
  expect(manifests.map(({ platform }) => platform)).toEqual([
    { architecture: 'x86_64', os: 'qemu', 'os.version': expect.any(String) as string },
    { architecture: 'amd64', os: 'linux' },
  ]);
  const config = await run('skopeo', [
    '--override-os',
    'qemu',
    '--override-arch',
    'x86_64',
    'inspect',
    '--config',
    inside,
  ]);
  const layer = expect.stringMatching(/^sha256:/) as string;
  expect(JSON.parse(config)).toMatchObject({
    config: { Env: ['A=1'], Cmd: ['x', 'y z'], Labels: { team: 'a' } },
    // The kernel, the one with its symbols, and the root file system.
    rootfs: { diff_ids: [layer, layer, layer] },
  });

  await packageAs({ ...options, env: ['HOME'] });
  const refused = await workspace.nx('run', 'hello:package');
  expect(refused).toMatchObject({ exitCode: 1, output: expect.stringContaining('(OPTION_INVALID)') as string });
});

test('an image goes up with the list of its components, its provenance and a signature that a policy asks for', async () => {
  await packageAs({ name: `${name}:safe`, sbom: true });
  const [key, publicKey] = ['key.pem', 'key.pub'];
  const kind = ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-aes-256-cbc', '-pass', 'pass:secret'];
  await inWorkspace('openssl', 'genpkey', ...kind, '-out', key);
  await inWorkspace('openssl', 'pkey', '-in', key, '-passin', 'pass:secret', '-pubout', '-out', publicKey);
  await ok('run', 'hello:push', '--provenance', `--key=${key}`, '--builder=https://ci.example/7', '--tags=1.0');

  const sbom = await workspace.nxKraft('pkg', 'attachments', `${name}:safe`, '--type', 'sbom');
  expect(cycloneDxErrors(JSON.parse(sbom))).toEqual([]);
  const { components } = JSON.parse(sbom) as { components: { name: string; licenses?: unknown }[] };
  expect(components.map(({ name }) => name)).toEqual(expect.arrayContaining(['unikraft', 'libvfscore']));
  const envelope = await workspace.nxKraft('pkg', 'attachments', `${name}:safe`, '--type', 'provenance');
  const { payload } = JSON.parse(envelope) as { payload: string };
  const { predicate } = JSON.parse(Buffer.from(payload, 'base64').toString()) as {
    predicate: {
      buildDefinition: { externalParameters: object; resolvedDependencies: { uri: string; digest: object }[] };
      runDetails: { builder: object };
    };
  };
  expect(predicate.runDetails.builder).toMatchObject({ id: 'https://ci.example/7' });
  expect(predicate.buildDefinition.externalParameters).toEqual({ task: 'hello:package' });
  const digest = await inWorkspace('sha256sum', 'apps/hello/main.c');
  expect(predicate.buildDefinition.resolvedDependencies).toEqual(
    expect.arrayContaining([
      { uri: 'file:apps/hello/main.c', digest: { sha256: digest.slice(0, 64) } },
      expect.objectContaining({ uri: 'file:apps/hello/rootfs/etc/motd' }),
      expect.objectContaining({ uri: 'env:SOURCE_DATE_EPOCH' }),
    ]),
  );

  const other = `${registry.host}/team/other:1`;
  await ok('run', 'hello:push', `--name=${other}`);
  for (const tag of ['safe', '1.0']) {
    expect(await workspace.nxKraft('pkg', 'verify', `${name}:${tag}`, '--key', publicKey)).toContain('verified');
  }
  const policy = {
    default: [{ type: 'insecureAcceptAnything' }],
    transports: { docker: { [`${registry.host}/team`]: [{ type: 'sigstoreSigned', keyPath: publicKey }] } },
  };
  await writeFile(workspace.path('policy.json'), JSON.stringify(policy));
  workspace.environment.NX_KRAFT_POLICY = workspace.path('policy.json');
  expect(await workspace.nxKraft('pkg', 'pull', `${name}:safe`)).toContain('qemu/x86_64');
  expect(await workspace.nxKraft('pkg', 'pull', other)).toBe('');
  // It holds for runtimes and base images as well, which tasks pull.
  await workspace.write(
    'apps/shop/Kraftfile',
    `spec: v0.6\nruntime: ${other}\nrootfs: Dockerfile\ntargets: [qemu/x86_64]\n`,
  );
  await workspace.write('apps/shop/Dockerfile', `FROM --platform=qemu/amd64 ${other}\n`);
  for (const task of ['build', 'rootfs']) {
    const refused = await workspace.nx('run', `shop:${task}`);
    expect(refused).toMatchObject({ exitCode: 1, output: expect.stringContaining('(SIGNATURE_INVALID)') as string });
  }
  expect(await workspace.nxKraft('pkg', 'sign', other, '--key', key)).toContain('signed');
  await ok('run', 'shop:package');
  expect(await workspace.nxKraft('pkg', 'pull', other)).toContain('qemu/x86_64');
  delete workspace.environment.NX_KRAFT_POLICY;
});

test("a key of cosign's own signs, with the password that is typed or set", async () => {
  await packageAs({ name: `${name}:cosign` });
  await workspace.write('cosign.key', sigstoreKey.pem);
  await workspace.write('cosign.pub', cosignPublicKey);
  const push = ['run', 'hello:push', '--key=cosign.key'];
  const refused = await workspace.nx(...push);
  expect(refused).toMatchObject({ exitCode: 1, output: expect.stringContaining('(KEY_INVALID)') as string });
  workspace.environment.COSIGN_PASSWORD = sigstoreKey.password;
  await ok(...push);
  expect(await workspace.nxKraft('pkg', 'verify', `${name}:cosign`, '--key', 'cosign.pub')).toContain('verified');

  delete workspace.environment.COSIGN_PASSWORD;
  const other = `${registry.host}/team/typed:1`;
  const typed = await workspace.nxOnTerminal(
    'Passphrase of cosign.key: ',
    `${sigstoreKey.password}\r`,
    ...push,
    `--name=${other}`,
  );
  expect(typed).toContain('signed');
  expect(typed).not.toContain(sigstoreKey.password);
  expect(await workspace.nxKraft('pkg', 'verify', other, '--key', 'cosign.pub')).toContain('verified');
});

test('a packed image is loaded, and what has its name is overwritten, merged with, or in the way', async () => {
  const list = async (...more: readonly string[]) =>
    (
      JSON.parse(await workspace.nxKraft('pkg', 'ls', '--all', '--json', ...more)) as {
        version: string;
        plat: string;
      }[]
    )
      .filter(({ version }) => version === 'mine')
      .map(({ plat }) => plat);
  await packageAs({ name: `${name}:mine`, targets: ['fc-x86_64'] });
  await ok('run', 'hello:load');
  await packageAs({ name: `${name}:mine`, targets: ['qemu-x86_64'] });
  const refused = await workspace.nx('run', 'hello:load', '--strategy=abort');
  expect(refused).toMatchObject({ exitCode: 1, output: expect.stringContaining('(IMAGE_EXISTS)') as string });
  const unasked = await workspace.nx('run', 'hello:load', '--strategy=prompt');
  expect(unasked).toMatchObject({ exitCode: 1, output: expect.stringContaining('(NO_TERMINAL)') as string });
  const asked = await workspace.nxOnTerminal(
    'overwrite, merge, abort?',
    'm\n',
    'run',
    'hello:load',
    '--strategy=prompt',
  );
  expect(asked).toContain(`${name}:mine@sha256:`);
  expect(await list()).toEqual(['qemu/x86_64', 'fc/x86_64']);
  await ok('run', 'hello:load', '--to=kraft');
  expect(await list()).toEqual(['qemu/x86_64']);
  expect(await list('--kraft')).toEqual(['qemu/x86_64']);
});

test('two clones pack the same index', async () => {
  await packageAs({ name: `${name}:same` });
  const digest = async (folder: string) => {
    const nx = promisify(execFile)('node', [workspace.path('node_modules/.bin/nx'), 'run', 'hello:package'], {
      cwd: folder,
      env: { ...process.env, ...workspace.environment, NX_DAEMON: 'false', NX_CACHE_DIRECTORY: `${folder}/.caches/nx` },
    });
    return /@(sha256:\S+)/.exec((await nx).stdout)?.[1];
  };
  await inWorkspace('git', 'add', '.');
  await inWorkspace('git', ...git, 'commit', '--quiet', '-m', 'chore: same');
  const [one, two] = ['.caches/one', '.caches/other/two'].map((path) => workspace.path(path));
  for (const clone of [one, two]) {
    await inWorkspace('git', 'clone', '--quiet', '.', clone ?? '');
    await inWorkspace('ln', '-s', workspace.path('node_modules'), `${clone}/node_modules`);
  }
  expect(await digest(one ?? '')).toMatch(/^sha256:/);
  expect(await digest(two ?? '')).toBe(await digest(one ?? ''));
});
