import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  utimesSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { tarEnd, tarHeader, tarPadding } from '@nx-kraft/archive';
import { run } from '@nx-kraft/base';
import { parseReference, RegistryClient, signedDigest } from '@nx-kraft/oci';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { makeImage } from '../../oci/test/images.ts';
import { bound } from '../../base/test/bound.ts';
import { startRegistry, type TestRegistry } from '../../oci/test/registry.ts';
import { buildahEnvironment, type Engine, pushBusybox, startEngine } from '../test/engine.ts';
import { defaultPath, Workspace } from '../test/workspace.ts';
import {
  type BuilderName,
  findPackedImage,
  type ImageSource,
  openPackedImage,
  registryImages,
  type RootfsRequest,
  rootfsInputs,
  unexpectedReads,
} from './index.ts';

let registry: TestRegistry;
let engine: Engine;
let busybox: string;
let shared: Workspace;
let buildah: NodeJS.ProcessEnv;
let client: RegistryClient;
beforeAll(async () => {
  shared = new Workspace();
  registry = await startRegistry();
  engine = await startEngine(registry.host);
  busybox = await pushBusybox(engine, registry.host, shared.put('busybox.tar', busyboxTar()));
  mkdirSync(shared.path('buildah'));
  buildah = buildahEnvironment(shared.path('buildah'), registry.host);
  client = new RegistryClient({ credentials: () => Promise.resolve(undefined) });
});
afterAll(async () => {
  client.close();
  await engine.stop();
  await registry.stop();
  shared.remove();
});

let workspace: Workspace;
beforeEach(() => {
  workspace = new Workspace();
});
afterEach(() => workspace.remove());

function busyboxTar(version = ''): Buffer {
  const program = readFileSync('/bin/busybox');
  const links = ['sh', 'cat', 'echo', 'ln', 'mkdir', 'chmod', 'sleep', 'false', 'mkfifo'];
  return Buffer.concat([
    tarHeader({ name: 'bin/', type: 'directory', mode: 0o755, size: 0 }),
    tarHeader({ name: 'bin/busybox', type: 'file', mode: 0o755, size: program.length }),
    program,
    Buffer.alloc(tarPadding(program.length)),
    ...links.map((name) =>
      tarHeader({ name: `bin/${name}`, type: 'symlink', mode: 0o777, size: 0, linkName: 'busybox' }),
    ),
    tarHeader({ name: 'version', type: 'file', mode: 0o644, size: version.length }),
    Buffer.from(version.padEnd(version === '' ? 0 : 512, '\0')),
    tarHeader({ name: 'tmp/', type: 'directory', mode: 0o1777, size: 0 }),
    tarEnd,
  ]);
}

/** Each builder with what it takes to reach it here. */
function optionsFor(builder: BuilderName): Partial<RootfsRequest> {
  const everywhere = { builder, network: 'none', images: registryImages(client, shared.path('cache')) };
  if (builder === 'docker') return { ...everywhere, env: { ...process.env, DOCKER_HOST: engine.host } };
  if (builder === 'buildkit') return { ...everywhere, buildkitHost: engine.buildkitHost };
  // In a chroot, they know no other network.
  return builder === 'embedded' ? everywhere : { ...everywhere, network: 'host', env: buildah };
}

const all: BuilderName[] = ['embedded', 'buildkit', 'docker', 'podman', 'buildah'];

function putTree(): void {
  workspace.put('root/bin/run', 'run', 0o755);
  workspace.put('root/etc/conf.d/a.conf', 'a');
  workspace.put('root/etc.conf', 'sorts after etc/');
  workspace.put(`root/${'long/'.repeat(30)}${'n'.repeat(120)}`, 'long');
  workspace.put('root/Grüße/日本.txt', 'unicode');
  workspace.put('root/big', Buffer.alloc(700_000, 'x'));
  mkdirSync(workspace.path('root/empty'));
  symlinkSync('../etc/conf.d', workspace.path('root/bin/conf'));
  symlinkSync('/absolute', workspace.path('root/absolute'));
  workspace.put('Dockerfile', 'FROM scratch\nCOPY root /\nENV A=1\nCMD ["/bin/run"]\n');
}

test('one tree gives the same bytes as directory, tar archive, and through every builder', async () => {
  putTree();
  const { digest } = await workspace.build('root', {}, 'directory.cpio');
  await run('tar', ['-C', workspace.path('root'), '-cf', workspace.path('root.tar'), '.']);
  await expect(workspace.build('root.tar', {}, 'tar.cpio')).resolves.toMatchObject({ digest });
  for (const builder of all) {
    const built = await workspace.build('Dockerfile', optionsFor(builder), `${builder}.cpio`);
    expect(built).toMatchObject({
      digest,
      builder,
      config: { cmd: ['/bin/run'], entrypoint: [], env: [defaultPath, 'A=1'] },
    });
  }
});

// The engine's BuildKit is older than the flag.
test('--exclude leaves out of the context what an ignore file with these patterns does for BuildKit', async () => {
  putTree();
  const patterns = ['**/*.conf', 'root/e*', '!root/etc/conf.d/a.conf', 'root/long/**', 'Dockerfile*', '**/日本.*'];
  workspace.put('Dockerfile.dockerignore', [...patterns, '*.cpio'].join('\n'));
  workspace.put('Dockerfile', 'FROM scratch\nCOPY . /all\n');
  const { digest } = await workspace.build('Dockerfile', optionsFor('buildkit'), 'ignored.cpio');
  workspace.put('Dockerfile.dockerignore', '*.cpio');
  const flags = patterns.map((pattern) => `--exclude=${pattern}`).join(' ');
  workspace.put('Dockerfile', `FROM scratch\nCOPY ${flags} . /all\n`);
  await expect(workspace.build('Dockerfile', optionsFor('embedded'), 'excluded.cpio')).resolves.toMatchObject({
    digest,
  });
});

test('COPY means the same to us as to BuildKit', async () => {
  putTree();
  workspace.put('a.txt');
  workspace.put('b.txt');
  workspace.put('skip.log');
  symlinkSync('root/etc', workspace.path('etc-link'));
  symlinkSync('a.txt', workspace.path('file-link'));
  workspace.put('.dockerignore', '**/*.log\nroot/etc/conf.d\n!root/etc/conf.d/a.conf\n');
  workspace.put(
    'Dockerfile',
    [
      'ARG DIRECTORY=/srv',
      `FROM ${busybox} AS files`,
      'ARG DIRECTORY',
      'WORKDIR $DIRECTORY/x',
      'COPY *.txt ./',
      'COPY a.txt renamed',
      'COPY root/etc /new/directory',
      'COPY etc-link /from-link',
      'COPY file-link /copied-link',
      'COPY root/bin /tools/',
      'COPY --chmod=711 root/bin /tools/',
      'COPY root/bin/c* /tools2/',
      'COPY ["a.txt", "b.txt", "/two words/"]',
      'COPY a.txt b.txt /last',
      'COPY root/etc root/bin a.txt /together',
      'COPY a.txt b.txt /together',
      `COPY "a.txt" b"."txt '/quoted/'`,
      'FROM scratch',
      'COPY --from=files /srv /srv',
      'COPY --from=0 /tools /bin/',
      'COPY --from=0 /last /last',
      'COPY --from=0 /together /together',
      'COPY --from=0 /bin/sh /bin/s[hx] /shells/',
      'COPY --from=0 / /whole',
      'COPY . /context',
    ].join('\n'),
  );
  const embedded = await workspace.build('Dockerfile', optionsFor('embedded'));
  const entries = workspace.list();
  const docker = await workspace.build('Dockerfile', optionsFor('docker'));
  expect(entries.map(short)).toEqual(workspace.list().map(short));
  expect(embedded.digest).toBe(docker.digest);
});

test.each([
  'COPY "two words" /x/',
  'COPY a "/two words"',
  'COPY two\\ words /x/',
  'COPY ["it\'s", "/x/"]',
  'COPY --from=1 / /',
  'COPY --from=$A / /',
  'EXPOSE 80/http',
  'STOPSIGNAL 0',
])('%s is refused by us as by BuildKit', async (line) => {
  for (const name of ['a', 'two words', "it's"]) workspace.put(name);
  workspace.put('Dockerfile', `FROM scratch\n${line}\n`);
  const at = { at: `${workspace.path('Dockerfile')}:2` };
  const embedded = workspace.build('Dockerfile', optionsFor('embedded'));
  await expect(embedded).rejects.toMatchObject({ code: 'DOCKERFILE_INVALID', ...at });
  const docker = workspace.build('Dockerfile', optionsFor('docker'));
  await expect(docker).rejects.toMatchObject({ code: 'BUILD_FAILED' });
});

test('COPY over links and without a match, and ADD of archives, mean the same to us as to BuildKit', async () => {
  // Whose a file of the context is, does not matter.
  chownSync(workspace.put('a.txt'), 1234, 1234);
  workspace.put('links/file');
  symlinkSync('file', workspace.path('links/to-file'));
  symlinkSync('later', workspace.path('links/to-nothing'));
  workspace.put('日本 +.txt');
  workspace.put('tree/private', 'x', 0o640);
  workspace.put('tree/sub/run', 'x', 0o755);
  for (const [name, option] of Object.entries({ tar: '-c', tgz: '-cz', txz: '-cJ', tbz: '-cj' })) {
    const archive = ['-f', workspace.path(`tree.${name}`), '-C', workspace.path('tree'), '.'];
    await run('tar', ['--owner=9', '--group=9', option, ...archive]);
  }
  workspace.put('users/passwd', 'bob:x:1000:1001::/:\n');
  workspace.put('group.tar', groupTar());
  workspace.put('Dockerfile.dockerignore', 'out\n*.cpio\n');
  workspace.put(
    'Dockerfile',
    [
      'FROM scratch AS base',
      'ONBUILD COPY links /',
      'FROM base',
      'COPY a.txt /to-file',
      'COPY a.txt /to-nothing',
      'COPY a.txt *.none /matched/',
      'COPY *.none /unmatched/',
      'COPY tree/*.none tree/sub/*/none /unmatched/',
      'COPY ["日本 +.txt", "?本*", "/"]',
      'ENV ODD=a$$b${NONE:+"}"\\}x}y${NONE:-{}}\\\\',
      'COPY a.txt /odd/$ODD',
      'COPY users /etc/',
      'COPY --chown=bob a.txt /owned/by-name',
      'ADD --chmod=600 tree.tar /one',
      'ADD tree.t[gx]z tree.tbz a.txt /all/',
      'ADD group.tar /',
      'COPY a.txt /group/made/',
      'COPY --chown=bob:7 tree /group/tree',
      'USER bob',
      'WORKDIR /group/work/dir',
    ].join('\n'),
  );
  const embedded = await workspace.build('Dockerfile', { ...optionsFor('embedded'), owners: 'keep' });
  const entries = workspace.list();
  expect(embedded.warnings).toEqual([
    'Dockerfile:6: nothing is named like *.none.',
    'Dockerfile:7: nothing is named like *.none.',
    'Dockerfile:8: nothing is named like tree/*.none.',
    'Dockerfile:8: nothing is named like tree/sub/*/none.',
  ]);
  const docker = await workspace.build('Dockerfile', { ...optionsFor('docker'), owners: 'keep' });
  expect(entries).toEqual(workspace.list());
  expect(embedded.digest).toBe(docker.digest);
  for (const words of ['links/to-* /x/', 'nothing/* /x/', 'a[.txt /x/', 'a[.-]txt /x/', '\\\\a.txt /x/']) {
    workspace.put('Dockerfile', `FROM scratch\nCOPY ${words}\n`);
    for (const [builder, code] of [
      ['embedded', 'DOCKERFILE_INVALID'],
      ['docker', 'BUILD_FAILED'],
    ] as const) {
      const built = workspace.build('Dockerfile', { ...optionsFor(builder), noCache: true });
      await expect(built, words).rejects.toMatchObject({ code });
    }
  }
});

/** A directory with the setgid bit, over one that is there. */
function groupTar(): Buffer {
  const directory = { type: 'directory', mode: 0o2750, uid: 7, gid: 8, size: 0 } as const;
  return Buffer.concat([
    tarHeader({ name: 'group/', ...directory }),
    tarHeader({ name: 'etc/', ...directory }),
    tarEnd,
  ]);
}

function short(entry: string): string {
  return entry.slice(0, 100);
}

test.each([
  ['nothing', []],
  ['its own CMD, and loses it', ['CMD ["x"]', 'ENTRYPOINT exec /run "$A"']],
  ['CMD after ENTRYPOINT', ['ENTRYPOINT ["/run"]', 'CMD one   $A \\', '# why', '  "two"']],
  ['words that are no list', ["CMD ['a']", 'ENTRYPOINT []']],
  ['nothing to run', ['CMD', 'ENTRYPOINT']],
  ['a shell of its own', ['SHELL ["/bin/sh", "-ec"]', 'CMD run it', 'SHELL ["/x"]']],
  ['variables', ['ARG G', 'ARG V=own', 'ENV A=$G B="$V w" C=${N:-d}', 'ENV A=2 D=$A PATH=/x:$PATH', 'ENV OLD  a  $A']],
  ['quotes', ['ENV A=\'$X\' B=a\\ b C="a\\"b" D=\\$A E="x"y\'z\'']],
  [
    'a stage with triggers',
    ['CMD ["base"]', 'ONBUILD ENV O=$T', 'ONBUILD CMD ["o"]', 'ENV T=1', 'FROM start', 'ENTRYPOINT ["z"]'],
  ],
  ['a stage with a command', ['CMD ["base"]', 'ARG S=1', 'FROM start', 'ENV S=$S', 'ENTRYPOINT ["z"]']],
])('what a Dockerfile with %s says of running its image is what the builder puts into it', async (_, lines) => {
  for (const base of ['scratch', busybox]) {
    const text = ['ARG G=global', `FROM ${base} AS start`, ...lines, 'COPY Dockerfile /'].join('\n');
    workspace.put('Dockerfile', text);
    const { config } = await workspace.build('Dockerfile', { ...optionsFor('embedded'), buildArgs: { V: 'given' } });
    const env = { ...process.env, DOCKER_BUILDKIT: '1' };
    const docker = (...args: string[]): Promise<string> =>
      run('/usr/bin/docker', ['--host', engine.host, ...args], { env });
    const id = await docker('build', '--quiet', '--build-arg', 'V=given', workspace.folder);
    const image: unknown = JSON.parse(await docker('inspect', '--format', '{{json .Config}}', id.trim()));
    const made = image as { Cmd: string[] | null; Entrypoint: string[] | null; Env: string[] };
    expect(config).toEqual({ cmd: made.Cmd ?? [], entrypoint: made.Entrypoint ?? [], env: made.Env });
  }
});

describe('a Dockerfile that runs commands', () => {
  beforeEach(() => {
    workspace.put('input.txt', 'input');
    workspace.put('unused.txt');
    workspace.put(
      'Dockerfile',
      [
        `FROM ${busybox} AS build`,
        'ARG GREETING=hello',
        'COPY input.txt /in',
        'RUN mkdir -p /out/sub && cat /in > /out/a && ln /out/a /out/sub/hard && ln -s a /out/soft && chmod 4755 /out/a',
        'RUN echo "$GREETING" > /out/greeting && chmod 1777 /out/sub && mkfifo /out/pipe',
        'FROM scratch AS small',
        'COPY --from=build /out /',
        'ENTRYPOINT ["/a"]',
      ].join('\n'),
    );
  });

  const expected = ['4755 0 a=input', '644 0 greeting=', '777 0 soft=a', '1777 0 sub', '4755 0 sub/hard=input'];

  test.each(['buildkit', 'docker', 'podman', 'buildah'] as const)(
    'is built by %s, hard links and modes kept',
    async (builder) => {
      const built = await workspace.build('Dockerfile', { ...optionsFor(builder), buildArgs: { GREETING: builder } });
      const greeting = `644 0 greeting=${builder}\n`;
      expect(workspace.list()).toEqual(expected.map((entry) => (entry.startsWith('644 0 g') ? greeting : entry)));
      expect(built.config).toEqual({ cmd: [], entrypoint: ['/a'], env: [defaultPath] });
    },
  );

  test('by the first that answers, and it is told why not by the others', async () => {
    const env = { ...process.env, DOCKER_HOST: engine.host };
    const built = await workspace.build('Dockerfile', { network: 'none', env });
    expect(built).toMatchObject({
      builder: 'docker',
      passedOver: [
        { builder: 'embedded', reason: 'Dockerfile:4 runs a command' },
        { builder: 'buildkit', reason: 'there is no unix:///run/buildkit/buildkitd.sock' },
      ],
    });
    expect(workspace.lines).toContainEqual(expect.stringMatching(/^#\d+ \[build 3\/4\] RUN mkdir/));
  });

  test('up to its target only, and with the defaults of its base image', async () => {
    const built = await workspace.build('Dockerfile', { ...optionsFor('docker'), target: 'build' });
    expect(workspace.list().map(short)).toContain('644 0 in=input');
    expect(built.config).toEqual({ cmd: ['/bin/sh'], entrypoint: [], env: ['PATH=/bin'] });
  });

  test('is seen to read just what it names', async () => {
    const { reads = [] } = await workspace.build('Dockerfile', optionsFor('docker'));
    expect(reads).toEqual(['input.txt']);
    const inputs = rootfsInputs({ source: 'Dockerfile', baseDirectory: workspace.folder });
    expect(unexpectedReads(reads, inputs)).toEqual([]);
  });

  test('twice the same when a file changed and changed back', async () => {
    const first = await workspace.build('Dockerfile', optionsFor('docker'));
    workspace.put('input.txt', 'other');
    const second = await workspace.build('Dockerfile', optionsFor('docker'));
    expect(second.digest).not.toBe(first.digest);
    workspace.put('input.txt', 'input');
    await expect(workspace.build('Dockerfile', optionsFor('docker'))).resolves.toMatchObject({ digest: first.digest });
  });
});

test('BuildKit is reached over TCP, too', async () => {
  putTree();
  const { digest } = await workspace.build('root');
  const built = workspace.build('Dockerfile', { ...optionsFor('buildkit'), buildkitHost: engine.buildkitTcpHost });
  await expect(built).resolves.toMatchObject({ digest, builder: 'buildkit' });
});

test('BuildKit in a container is reached through "docker exec"', async () => {
  putTree();
  // Stands in for Docker's client and for buildctl in the container: joins its input and output with the socket.
  const socket = engine.buildkitHost.replace('unix://', '');
  workspace.put(
    'bin/docker',
    `#!${process.execPath}\nif (process.argv.slice(2).join(' ') !== 'exec -i builder buildctl dial-stdio') process.exit(1);\n` +
      `const socket = process.getBuiltinModule('node:net').connect('${socket}');\nprocess.stdin.pipe(socket).pipe(process.stdout);\n`,
    0o755,
  );
  const env = { ...process.env, PATH: `${workspace.path('bin')}:${process.env['PATH'] ?? ''}` };
  const { digest } = await workspace.build('root');
  const request = { builder: 'buildkit', env, images: registryImages(client, shared.path('cache')) } as const;
  const built = workspace.build('Dockerfile', { ...request, buildkitHost: 'docker-container://builder' });
  await expect(built).resolves.toMatchObject({ digest, builder: 'buildkit' });
  const other = workspace.build('Dockerfile', { ...request, buildkitHost: 'docker-container://other' });
  await expect(other).rejects.toMatchObject({ code: 'BUILDER_MISSING' });
});

describe('an image that is locked', () => {
  let old: string;
  let locked: ImageSource;
  beforeAll(async () => {
    const digests: string[] = [];
    for (const version of ['old', 'new']) {
      const archive = shared.put(`${version}.tar`, busyboxTar(version));
      const reference = await pushBusybox(engine, registry.host, archive, 'moving:1');
      digests.push((await registryImages(client, shared.path('cache')).open(reference, 'linux/amd64')).digest);
    }
    old = `${registry.host}/moving@${digests[0] ?? ''}`;
    const images = registryImages(client, shared.path('cache'));
    const exact = (name: string): string | undefined => (name === `${registry.host}/moving:1` ? old : undefined);
    locked = {
      open: (name, platform) => images.open(exact(name) ?? name, platform),
      exact: (name) => Promise.resolve(exact(name)),
    };
  });

  test.each(all)('is what %s takes, although its tag means another one by now', async (builder) => {
    workspace.put(
      'Dockerfile',
      [
        'ARG TAG=latest',
        `FROM --platform=$TARGETPLATFORM ${registry.host}/moving:$TAG \\`,
        '  AS base',
        ...(builder === 'embedded' ? [] : ['RUN cat /version > /ran']),
        'FROM scratch',
        'COPY --from=base /[rv][ae]* /',
        `COPY --from=${registry.host}/moving:1 /version /copied`,
      ].join('\n'),
    );
    await workspace.build('Dockerfile', { ...optionsFor(builder), images: locked, buildArgs: { TAG: '1' } });
    const ran = builder === 'embedded' ? [] : ['644 0 ran=old'];
    expect(workspace.list()).toEqual(['644 0 copied=old', ...ran, '644 0 version=old']);
  });
});

test('arguments and variables, of base images too, mean the same to us as to BuildKit', async () => {
  const base = `${registry.host}/variables:1`;
  const docker = (...args: readonly string[]): Promise<string> =>
    run('/usr/bin/docker', ['--host', engine.host, ...args]);
  await docker('import', '--change', 'ENV ONE=image TWO=image', shared.path('busybox.tar'), base);
  await docker('push', '--quiet', base);
  for (const name of ['image', 'argument', 'own', 'given']) workspace.put(`${name}/file`, name);
  const copied = ['FROM scratch', 'COPY --from=heir /x/ /'];
  const lines = [
    `FROM ${base} AS base`,
    'COPY $ONE /x/before/',
    'ARG ONE=argument',
    // Not on the line before, which old versions read as a whole.
    'ARG TWO THREE=$ONE FOUR=argument',
    'COPY $ONE /x/one/',
    'COPY $TWO /x/two/',
    'COPY $THREE /x/three/',
    'ENV TWO=own',
    'COPY $TWO /x/own/',
    'FROM base AS heir',
    'COPY $ONE /x/heir-one/',
    'COPY $TWO /x/heir-two/',
    'COPY $FOUR /x/heir-four/',
    ...copied,
  ];
  workspace.put('Dockerfile', lines.join('\n'));
  const buildArgs = { TWO: 'given' };
  const { digest, builder } = await workspace.build('Dockerfile', { ...optionsFor('embedded'), buildArgs });
  expect(builder).toBe('embedded');
  const found = ['before=image', 'heir-four=argument', 'heir-one=image', 'heir-two=own', 'one=argument', 'own=own'];
  expect(workspace.list().filter((entry) => entry.includes('file'))).toEqual(
    [...found, 'three=argument', 'two=given'].map((entry) => `644 0 ${entry.replace('=', '/file=')}`),
  );
  await expect(workspace.build('Dockerfile', { ...optionsFor('docker'), buildArgs })).resolves.toMatchObject({
    digest,
  });
});

test('what a base image does on its own is done by a real builder, or refused', async () => {
  const base = `${registry.host}/onbuild:1`;
  const docker = (...args: readonly string[]): Promise<string> =>
    run('/usr/bin/docker', ['--host', engine.host, ...args]);
  const changes = ['ONBUILD COPY extra /extra', 'ONBUILD ENV A=1'].flatMap((change) => ['--change', change]);
  await docker('import', ...changes, shared.path('busybox.tar'), base);
  await docker('push', '--quiet', base);
  workspace.put('extra');
  workspace.put('Dockerfile', `FROM ${base}\nENV B=$A\n`);
  for (const builder of ['docker', 'buildah'] as const) {
    const { config } = await workspace.build('Dockerfile', optionsFor(builder));
    expect(config?.env).toEqual(expect.arrayContaining(['A=1', 'B=1']));
    expect(workspace.list()).toContain('644 0 extra=extra');
  }
  const embedded = workspace.build('Dockerfile', optionsFor('embedded'));
  await expect(embedded).rejects.toMatchObject({ message: expect.stringContaining('ONBUILD') as string });
  const refusing = { ...optionsFor('buildah'), refuseOnBuild: true };
  const refused = { code: 'ONBUILD_REFUSED', at: `${workspace.path('Dockerfile')}:1` };
  await expect(workspace.build('Dockerfile', refusing)).rejects.toMatchObject(refused);
  workspace.put('Dockerfile', 'FROM named\n');
  const buildContexts = { named: `docker-image://${base}` };
  await expect(workspace.build('Dockerfile', { ...refusing, buildContexts })).rejects.toMatchObject(refused);
});

describe('an image that was packed on this machine', () => {
  const name = 'registry.invalid/team/base:1';
  let packed: ImageSource;
  beforeAll(async () => {
    const other = { architecture: 'arm64', kernel: shared.put('arm64') };
    const targets = [{ platform: 'fc', kernel: shared.put('fc') }, { platform: 'qemu' }, other];
    const { layoutFolder } = await makeImage(shared.folder, 'base', { kernel: 'KERNEL', targets });
    const find = async (reference: string, platform: string) =>
      reference === name ? await findPackedImage(layoutFolder, platform) : undefined;
    const images = registryImages(client, shared.path('cache'));
    packed = {
      open: async (reference, platform) => {
        const found = await find(reference, platform);
        return found === undefined ? images.open(reference, platform) : openPackedImage(found);
      },
      packed: find,
    };
  });

  test.each(all)('is what %s takes, for the architecture that is built', async (builder) => {
    const running = builder === 'embedded' ? [] : [`FROM ${busybox} AS run`, 'RUN echo ran > /ran'];
    workspace.put(
      'Dockerfile',
      [
        ...running,
        `FROM ${name} AS base`,
        ...(builder === 'embedded' ? [] : ['COPY --from=run /ran /']),
        `FROM --platform=fc/amd64 ${name} AS fc`,
        'FROM scratch',
        'COPY --from=base /*n /',
        'COPY --from=base /unikraft/bin/initrd /',
        `COPY --from=${name} /unikraft/bin/kernel /kernel`,
        'COPY --from=fc /unikraft/bin/kernel /fc',
      ].join('\n'),
    );
    await workspace.build('Dockerfile', { ...optionsFor(builder), images: packed, architecture: 'x86_64' });
    const ran = builder === 'embedded' ? [] : ['644 0 ran=ran\n'];
    expect(workspace.list()).toEqual(['755 0 fc=fc', '644 0 initrd=INITRD\n', '755 0 kernel=KERNEL', ...ran]);
  });
});

test("the user's log-in opens a registry to the builder", async () => {
  const guarded = await startRegistry({ user: { name: 'somebody', password: 'secret' } });
  try {
    const copy = ['copy', '--src-tls-verify=false', '--dest-tls-verify=false', '--dest-creds=somebody:secret'];
    await run('skopeo', [...copy, `docker://${busybox}`, `docker://${guarded.host}/busybox:1`]);
    const auth = Buffer.from('somebody:secret').toString('base64');
    workspace.put('docker/config.json', JSON.stringify({ auths: { [guarded.host]: { auth } } }));
    workspace.put(
      'Dockerfile',
      `FROM ${guarded.host}/busybox:1 AS b\nRUN echo in > /in\nFROM scratch\nCOPY --from=b /in /\n`,
    );
    const { env = process.env, ...options } = optionsFor('docker');
    const stranger = { ...env, HOME: workspace.path('nobody'), DOCKER_CONFIG: workspace.path('nobody') };
    const refused = workspace.build('Dockerfile', { ...options, env: stranger });
    await expect(refused).rejects.toMatchObject({ code: 'BUILD_FAILED' });
    const user = { ...stranger, DOCKER_CONFIG: workspace.path('docker') };
    await workspace.build('Dockerfile', { ...options, env: user });
    expect(workspace.list()).toEqual(['644 0 in=in\n']);
  } finally {
    await guarded.stop();
  }
});

test('SSH agents reach the build', async () => {
  const socket = workspace.path('agent.sock');
  const agent = spawn(...bound('ssh-agent', ['-D', '-a', socket]), { stdio: 'ignore' });
  try {
    await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'key of the test', '-f', workspace.path('key')]);
    while (!existsSync(socket)) await sleep(20);
    await run('ssh-add', ['-q', workspace.path('key')], { env: { ...process.env, SSH_AUTH_SOCK: socket } });
    await copyProgram('/usr/bin/ssh-add', workspace.path('client'));
    workspace.put(
      'Dockerfile',
      [
        `FROM ${busybox} AS b`,
        'COPY client /',
        'RUN --mount=type=ssh,id=agent ssh-add -l > /keys',
        'FROM scratch',
        'COPY --from=b /keys /',
      ].join('\n'),
    );
    for (const builder of ['buildkit', 'docker', 'buildah'] as const) {
      await workspace.build('Dockerfile', { ...optionsFor(builder), ssh: [`agent=${socket}`], noCache: true });
      expect(workspace.list()).toEqual([expect.stringMatching(/^644 0 keys=256 SHA256:\S+ key of the test /)]);
    }
  } finally {
    if (agent.kill()) await once(agent, 'exit');
  }
});

/** A program with the libraries that it is linked to, below a root. */
async function copyProgram(program: string, root: string): Promise<void> {
  const libraries = [...(await run('ldd', [program])).matchAll(/(\/\S+) \(/g)].map(([, path = '']) => path);
  for (const path of [program, ...libraries]) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    copyFileSync(path, join(root, path));
  }
  mkdirSync(join(root, 'bin'), { recursive: true });
  renameSync(join(root, program), join(root, 'bin', basename(program)));
}

test.each(['podman', 'buildah'] as const)('%s is given the modes and files that all are given', async (builder) => {
  workspace.put('dir/private', 'x', 0o600);
  workspace.put('dir/.unikraft/build/kernel');
  workspace.put('dir/skip');
  workspace.put('Dockerfile', 'FROM scratch\nCOPY . /\n');
  workspace.put('Dockerfile.dockerignore', 'skip\n');
  workspace.put('other/file', 'x', 0o640);
  const options = { ...optionsFor(builder), context: 'dir', buildContexts: { other: 'other' } };
  await workspace.build('Dockerfile', options);
  expect(workspace.list()).toEqual(['644 0 private=x']);
  workspace.put('Dockerfile', 'FROM scratch\nCOPY --from=other . /\n');
  await workspace.build('Dockerfile', options);
  expect(workspace.list()).toEqual(['644 0 file=x']);
});

test('a full disk is told, and nothing is left on it', async () => {
  mkdirSync(workspace.path('small'));
  workspace.put('root/big', Buffer.alloc(3 * 2 ** 20, 'x'));
  await run('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', workspace.path('small')]);
  try {
    await expect(workspace.build('root', {}, 'small/rootfs.cpio')).rejects.toMatchObject({
      code: 'DISK_FULL',
      at: workspace.path('small/rootfs.cpio'),
    });
    expect(readdirSync(workspace.path('small'))).toEqual([]);
  } finally {
    await run('umount', [workspace.path('small')]);
  }
});

test.each(['docker', 'buildah'] as const)('secrets reach the build by %s and nothing else', async (builder) => {
  workspace.put('token', 'from file');
  workspace.put(
    'Dockerfile',
    `FROM ${busybox} AS b\nRUN --mount=type=secret,id=one --mount=type=secret,id=two cat /run/secrets/one /run/secrets/two > /both\nFROM scratch\nCOPY --from=b /both /\n`,
  );
  const options = optionsFor(builder);
  await workspace.build('Dockerfile', {
    ...options,
    env: { ...(options.env ?? process.env), TWO: ' from variable' },
    secrets: ['id=one,src=token', 'id=two,env=TWO'],
  });
  expect(workspace.list()).toEqual(['644 0 both=from file from variable']);
});

test.each(['docker', 'podman', 'buildah'] as const)('%s reads anew what mounts show', async (builder) => {
  const mounts = ['source=dir,target=/t', 'target=/t/a', 'from=stage,source=/stage,target=/t'];
  const files = ['/t/file', '/t/a/dir/file', '/t/file'];
  const stages = mounts.map((mount, index) => [
    `FROM ${busybox} AS b${index}`,
    `RUN --mount=${mount} cat ${files[index] ?? ''} > /${index}`,
  ]);
  const copied = mounts.map((_mount, index) => `COPY --from=b${index} /${index} /`);
  const before = [`FROM ${busybox} AS stage`, 'COPY dir /stage'];
  workspace.put('Dockerfile', [...before, ...stages.flat(), 'FROM scratch', ...copied].join('\n'));
  for (const text of ['one', 'two']) {
    workspace.put('dir/file', text);
    await workspace.build('Dockerfile', optionsFor(builder));
    expect(workspace.list()).toEqual([0, 1, 2].map((index) => `644 0 ${index}=${text}`));
  }
});

test.each(['docker', 'podman', 'buildah'] as const)('%s notices a mode of a folder', async (builder) => {
  workspace.put('Dockerfile', `FROM ${busybox} AS b\nCOPY dir /dir\nRUN true\nFROM scratch\nCOPY --from=b /dir /\n`);
  mkdirSync(workspace.path('dir/sub'), { recursive: true });
  for (const mode of [0o755, 0o1777, 0o755]) {
    chmodSync(workspace.path('dir/sub'), mode);
    await workspace.build('Dockerfile', optionsFor(builder));
    expect(workspace.list()).toEqual([`${mode.toString(8)} 0 sub`]);
  }
});

test.each(['docker', 'podman', 'buildah'] as const)('%s notices a file of the old size and time', async (builder) => {
  workspace.put('Dockerfile', `FROM ${busybox} AS b\nCOPY file /file\nRUN true\nFROM scratch\nCOPY --from=b /file /\n`);
  for (const text of ['one', 'two', 'one']) {
    workspace.put('file', text);
    utimesSync(workspace.path('file'), 1, 1);
    await workspace.build('Dockerfile', optionsFor(builder));
    expect(workspace.list()).toEqual([`644 0 file=${text}`]);
  }
});

describe('a build that fails', () => {
  test('because it was not given its secret or agent', async () => {
    workspace.put('Dockerfile', `FROM ${busybox}\nRUN --mount=type=secret,id=token,required cat /run/secrets/token\n`);
    await expect(workspace.build('Dockerfile', optionsFor('docker'))).rejects.toMatchObject({
      code: 'BUILD_FAILED',
      message: expect.stringContaining('secret token not found') as string,
      hint: expect.stringContaining('--secret id=token') as string,
    });
    workspace.put('Dockerfile', `FROM ${busybox}\nRUN --mount=type=ssh,required true\n`);
    await expect(workspace.build('Dockerfile', optionsFor('docker'))).rejects.toMatchObject({
      code: 'BUILD_FAILED',
      message: expect.stringContaining('there is no SSH agent default: give it with --ssh') as string,
    });
  });

  test.each(['podman', 'buildah'] as const)(
    'since %s does not know where its image is from says how to tell',
    async (builder) => {
      workspace.put('Dockerfile', 'FROM nowhere-known:1\nRUN true\n');
      await expect(workspace.build('Dockerfile', optionsFor(builder))).rejects.toMatchObject({
        code: 'BUILD_FAILED',
        hint: expect.stringContaining('docker.io') as string,
      });
    },
  );

  test.each(['docker', 'buildah'] as const)('in %s says where, and leaves nothing', async (builder) => {
    workspace.put('Dockerfile', `FROM ${busybox}\nRUN true\n\nRUN echo before failing && false\n`);
    workspace.put('out/rootfs.cpio', 'old');
    await expect(workspace.build('Dockerfile', optionsFor(builder))).rejects.toMatchObject({
      code: 'BUILD_FAILED',
      at: `${workspace.path('Dockerfile')}:4`,
      message: expect.stringContaining('\n  4 | RUN echo before failing && false') as string,
    });
    expect(workspace.lines.join('\n')).toContain('before failing');
    expect(readdirSync(workspace.path('out'))).toEqual(['rootfs.cpio']);
    expect(readFileSync(workspace.path('out/rootfs.cpio'), 'utf8')).toBe('old');
  });

  test('because the engine dies half way', async () => {
    const other = await startEngine(registry.host);
    try {
      workspace.put('Dockerfile', `FROM ${busybox}\nRUN echo running && sleep 15\n`);
      const env = { ...process.env, DOCKER_HOST: other.host };
      const building = workspace.build('Dockerfile', { builder: 'docker', network: 'none', env });
      const failed = expect(building).rejects.toMatchObject({ code: 'BUILDER_FAILED' });
      while (!workspace.lines.some((line) => line.endsWith(' running'))) await sleep(50);
      await other.kill();
      await failed;
      expect(readdirSync(workspace.path('out'))).toEqual([]);
    } finally {
      await other.stop();
    }
  });

  test('because it was called off', async () => {
    workspace.put('Dockerfile', `FROM ${busybox}\nRUN echo running && sleep 60\n`);
    const stop = new AbortController();
    const building = workspace.build('Dockerfile', { ...optionsFor('docker'), signal: stop.signal });
    const failed = expect(building).rejects.toMatchObject({ code: 'BUILDER_FAILED' });
    while (!workspace.lines.some((line) => line.endsWith(' running'))) await sleep(50);
    stop.abort();
    await failed;
    expect(readdirSync(workspace.path('out'))).toEqual([]);
  });
});

describe('an image', () => {
  test('of a registry gives what "FROM image" gives, and is downloaded once', async () => {
    workspace.put('Dockerfile', `FROM ${busybox}\n`);
    const images = registryImages(client, workspace.path('cache'));
    const direct = await workspace.build(busybox, { images });
    const embedded = await workspace.build('Dockerfile', { images, builder: 'embedded' });
    const docker = await workspace.build('Dockerfile', optionsFor('docker'));
    expect([embedded.digest, docker.digest]).toEqual([direct.digest, direct.digest]);
    expect(direct).toMatchObject({ kind: 'image', config: { cmd: ['/bin/sh'], env: ['PATH=/bin'] } });
  });

  test('of a layout does, too', async () => {
    await run('skopeo', [
      'copy',
      '--src-tls-verify=false',
      `docker://${busybox}`,
      `oci:${workspace.path('layout')}:one`,
    ]);
    const direct = await workspace.build(busybox, { images: registryImages(client, workspace.path('cache')) });
    await expect(workspace.build('layout')).resolves.toMatchObject({ kind: 'image', digest: direct.digest });
  });

  test('that a policy refuses is read by nobody, neither by us nor by a builder', async () => {
    const policy = { rules: [{ prefix: registry.host, keys: [], isRejected: true }] };
    const images: ImageSource = {
      ...registryImages(client, workspace.path('cache'), policy),
      exact: (name) => signedDigest(client, parseReference(name), policy),
    };
    const refused = { code: 'SIGNATURE_INVALID', at: expect.stringContaining(registry.host) as string };
    workspace.put('Dockerfile', `FROM ${busybox}\n`);
    // Not even a second time, when something of it might have been kept; and none of the builders is a way around it.
    for (const builder of ['embedded', undefined, undefined] as const) {
      const options = builder === undefined ? {} : { builder };
      await expect(workspace.build('Dockerfile', { ...options, images })).rejects.toMatchObject(refused);
    }
    await expect(workspace.build('Dockerfile', { ...optionsFor('docker'), images })).rejects.toMatchObject(refused);
    await expect(workspace.build(busybox, { images })).rejects.toMatchObject(refused);
  });

  test('that is not there is told', async () => {
    const images = registryImages(client, workspace.path('cache'));
    await expect(workspace.build(`${registry.host}/nothing:1`, { images })).rejects.toMatchObject({
      at: expect.stringContaining('nothing') as string,
      code: expect.any(String) as string,
    });
  });
});
