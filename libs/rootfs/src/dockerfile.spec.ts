import { mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { tarEnd, tarHeader, tarPadding } from '@nx-kraft/archive';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { defaultPath, Workspace } from '../test/workspace.ts';
import type { ImageDefaults, ImageSource, RootfsRequest, SourceLayer } from './index.ts';

let workspace: Workspace;
beforeEach(() => {
  workspace = new Workspace();
});
afterEach(() => workspace.remove());

/** Builds a Dockerfile with the embedded builder alone. */
async function build(lines: readonly string[], request: Partial<RootfsRequest> = {}) {
  workspace.put('Dockerfile', `${lines.join('\n')}\n`);
  return workspace.build('Dockerfile', { builder: 'embedded', env: {}, architecture: 'x86_64', ...request });
}

describe('COPY', () => {
  test('puts files where Docker would', async () => {
    for (const name of ['app/server', 'conf/a.conf', 'conf/sub/b.conf', 'one.txt', 'two.txt']) workspace.put(name);
    symlinkSync('one.txt', workspace.path('link.txt'));
    mkdirSync(workspace.path('conf/empty'));
    await build([
      'FROM scratch',
      'WORKDIR /srv',
      'COPY app/server /bin/',
      'COPY app/server renamed',
      'COPY app/server /dot/.',
      'COPY conf /etc',
      'COPY ["one.txt", "/with blank/"]',
      'COPY *.txt ./texts/',
      'COPY link.txt /linked',
      `COPY "one.txt" '/quoted'`,
      'COPY --chmod=4755 two.txt /bin/two',
    ]);
    expect(workspace.list()).toEqual([
      '755 0 bin',
      '644 0 bin/server=app/server',
      '4755 0 bin/two=two.txt',
      '755 0 dot',
      '644 0 dot/server=app/server',
      '755 0 etc',
      '644 0 etc/a.conf=conf/a.conf',
      '755 0 etc/empty',
      '755 0 etc/sub',
      '644 0 etc/sub/b.conf=conf/sub/b.conf',
      '644 0 linked=one.txt',
      '644 0 quoted=one.txt',
      '755 0 srv',
      '644 0 srv/renamed=app/server',
      '755 0 srv/texts',
      '644 0 srv/texts/link.txt=one.txt',
      '644 0 srv/texts/one.txt=one.txt',
      '644 0 srv/texts/two.txt=two.txt',
      '755 0 with blank',
      '644 0 with blank/one.txt=one.txt',
    ]);
  });

  test('takes from stages by name and number, and leaves those alone that nobody needs', async () => {
    workspace.put('a');
    await build([
      'FROM scratch AS first',
      'COPY a /from/first',
      'FROM image-that-does-not-exist AS unused',
      'RUN make',
      'FROM first AS second',
      'COPY a /from/second',
      'FROM scratch',
      'COPY --from=second /from /',
      'COPY --from=0 /from/first /zero',
    ]);
    expect(workspace.list()).toEqual(['644 0 first=a', '644 0 second=a', '644 0 zero=a']);
  });

  test('does first what the stage that it begins with says by ONBUILD, and what begins with that does not', async () => {
    workspace.put('a');
    const { config } = await build([
      'FROM scratch AS first',
      'ONBUILD COPY a /from/first',
      'ONBUILD ENV A=1',
      'FROM first AS second',
      'COPY --from=first / /',
      'FROM second',
      'ENV B=$A',
      'COPY --from=second / /second',
    ]);
    expect(workspace.list().map((entry) => entry.split(' ')[2])).toEqual([
      'from',
      'from/first=a',
      'second',
      'second/from',
      'second/from/first=a',
    ]);
    expect(config?.env).toEqual([defaultPath, 'A=1', 'B=1']);
  });

  test('writes here-documents, with variables unless their name is quoted', async () => {
    await build([
      'FROM scratch',
      'ARG NAME=world',
      'COPY <<EOF /hello.txt',
      'Hello $NAME, "quoted" and \\$escaped\\\\n\\o',
      'EOF',
      "COPY <<-'END' <<SECOND /texts/",
      '\t$NAME',
      'END',
      'second',
      'SECOND',
    ]);
    expect(workspace.list()).toEqual([
      '644 0 hello.txt=Hello world, "quoted" and $escaped\\no\n',
      '755 0 texts',
      '644 0 texts/END=$NAME\n',
      '644 0 texts/SECOND=second\n',
    ]);
  });

  test("sees the context after .dockerignore, the Dockerfile's own first", async () => {
    for (const name of ['a.log', 'keep.log', 'src/b.log', 'src/c.ts', 'dist/x', 'node_modules/m/i.js'])
      workspace.put(name);
    workspace.put(
      '.dockerignore',
      '# comment\n**/*.log\n!keep.log\nnode_modules\n/dist/\nDockerfile\n.dockerignore\nout\n',
    );
    await build(['FROM scratch', 'COPY . /']);
    expect(workspace.list().map((entry) => entry.split(' ')[2])).toEqual([
      'keep.log=keep.log',
      'src',
      'src/c.ts=src/c.ts',
    ]);
    workspace.put('Dockerfile.dockerignore', '*\n!dist\n');
    await build(['FROM scratch', 'COPY . /']);
    expect(workspace.list()).toEqual(['755 0 dist', '644 0 dist/x=dist/x']);
  });

  test('takes patterns as BuildKit does', async () => {
    for (const name of ['far/y', 'ü.txt', 'a\\b', '[id]/x', 'dir/b]']) workspace.put(name);
    symlinkSync('far', workspace.path('linked'));
    symlinkSync('circle', workspace.path('circle'));
    const names = async (...words: readonly string[]): Promise<readonly string[]> => {
      await build(['FROM scratch', `COPY ${JSON.stringify([...words, '/'])}`]);
      return workspace.list().map((entry) => Buffer.from(entry, 'latin1').toString().split(/[ =]/)[2] ?? '');
    };
    await expect(names('l*/y', '*/y')).resolves.toEqual(['y']);
    await expect(names('linked/*')).resolves.toEqual(['y']);
    await expect(names('l*')).resolves.toEqual(['y']);
    await expect(names('?.txt', '[ü]*', '[^a-z]?txt')).resolves.toEqual(['ü.txt']);
    await expect(names('a\\\\b')).resolves.toEqual(['a\\b']);
    await expect(names('[[]id]/*', 'd[i]r/b[\\\\]]')).resolves.toEqual(['b]', 'x']);
    await expect(names('l*/y')).resolves.toEqual([]);
    for (const word of ['missing/*', '\\\\ü.txt', '[id', 'ü[a-]']) {
      await expect(names(word), word).rejects.toMatchObject({ code: 'DOCKERFILE_INVALID' });
    }
  });

  test('leaves out what an ignore file means, and nothing that it names outside of the context', async () => {
    for (const name of ['a.log', 'x/b.log', 'x/c', 'up', '[id]/x']) workspace.put(name);
    workspace.put(
      '.dockerignore',
      '**.log\n../up\nx/../../up\n/../x/d\n\\[id\\]\n!.\nDockerfile\n.dockerignore\nout\n',
    );
    await build(['FROM scratch', 'COPY . /']);
    expect(workspace.list()).toEqual(['644 0 up=up', '755 0 x', '644 0 x/c=x/c']);
  });

  test('never takes in what the build itself writes', async () => {
    workspace.put('a');
    workspace.put('.unikraft/build/kernel');
    workspace.put('.unikraft/seals/rootfs.json');
    const lines = ['FROM scratch', 'COPY . /'];
    const first = await build(lines);
    const second = await build(lines);
    expect(second.digest).toBe(first.digest);
    expect(workspace.list().join()).not.toContain('unikraft');
    workspace.put('app/.unikraft/seals/rootfs.json');
    const request = { baseDirectory: workspace.path('app'), builder: 'embedded' } as const;
    await workspace.build('../Dockerfile', request, '../out/rootfs.cpio');
    expect(workspace.list().filter((entry) => /app|unikraft/.test(entry))).toEqual(['755 0 app']);
  });

  test('from a named context, which may lie anywhere, and counts more than a stage of its name', async () => {
    workspace.put('libs/api/dist/main.js');
    workspace.put('app/Dockerfile', 'FROM scratch\nCOPY --from=dist main.js /\n');
    await workspace.build('app/Dockerfile', { builder: 'embedded', buildContexts: { dist: 'libs/api/dist' } });
    expect(workspace.list()).toEqual(['644 0 main.js=libs/api/dist/main.js']);
    workspace.put(
      'app/Dockerfile',
      'FROM scratch AS dist\nCOPY nothing /\nFROM dist\nCOPY --from=dist main.js /copy\n',
    );
    await workspace.build('app/Dockerfile', { builder: 'embedded', buildContexts: { dist: 'libs/api/dist' } });
    expect(workspace.list()).toEqual(['644 0 copy=libs/api/dist/main.js', '644 0 main.js=libs/api/dist/main.js']);
  });
});

test("the context is the base directory, the Dockerfile's own when it lies outside, or the one that is given", async () => {
  workspace.put('root.txt');
  workspace.put('apps/api/docker/Dockerfile', 'FROM scratch\nCOPY . /\n');
  workspace.put('Dockerfile', 'FROM scratch\nCOPY *.txt /\n');
  const baseDirectory = workspace.path('apps/api');
  const output = workspace.path('out.cpio');
  await workspace.build('docker/Dockerfile', { baseDirectory }, output);
  expect(workspace.list('out.cpio').join()).toContain('docker/Dockerfile');
  await workspace.build('../../Dockerfile', { baseDirectory }, output);
  expect(workspace.list('out.cpio')).toEqual(['644 0 root.txt=root.txt']);
  workspace.put('docker.txt');
  await workspace.build('../../Dockerfile', { baseDirectory, context: '../..' }, output);
  expect(workspace.list('out.cpio')).toHaveLength(2);
  await workspace.build('../..', { baseDirectory, type: 'dockerfile', dockerfile: 'Dockerfile' }, output);
  expect(workspace.list('out.cpio')).toHaveLength(2);
});

test('COPY --link lays over what is there, links and directories too, unless it has a mode to set', async () => {
  workspace.put('a');
  symlinkSync('usr', workspace.path('lib'));
  workspace.put('Dockerfile.dockerignore', '*\n!a\n!lib\n');
  await build(
    [
      'FROM scratch',
      'COPY --chown=3 . /usr/',
      'COPY . /',
      'COPY --link --chown=5:6 a /usr/',
      'COPY --link=false a /x/',
      'COPY --link a /lib/',
      'COPY --link a /x',
      'COPY --link --chmod=600 a /usr/b',
    ],
    { owners: 'keep' },
  );
  expect(workspace.list()).toEqual([
    '644 0 a=a',
    '755 0 lib',
    '644 0 lib/a=a',
    '755 5:6 usr',
    '644 5:6 usr/a=a',
    '600 0 usr/b=a',
    '777 3 usr/lib=usr',
    '644 0 x=a',
  ]);
});

test('COPY of several sources to a target without a slash puts each where the one before is, as BuildKit does', async () => {
  for (const name of ['a', 'b', 'dir/c', 'other/d']) workspace.put(name);
  const { warnings } = await build(['FROM scratch', 'COPY a b /file', 'COPY dir other /dir', 'COPY a b /dir']);
  expect(workspace.list()).toEqual([
    '755 0 dir',
    '644 0 dir/a=a',
    '644 0 dir/b=b',
    '644 0 dir/c=dir/c',
    '644 0 dir/d=other/d',
    '644 0 file=b',
  ]);
  expect(warnings).toEqual([
    'Dockerfile:2: of several sources only the last one stays, unless the target /file ends with /.',
  ]);
});

test('ADD unpacks tar archives and copies everything else', async () => {
  const archive = Buffer.concat([
    tarHeader({ name: 'inner/file', type: 'file', mode: 0o640, size: 2 }),
    Buffer.from('hi'),
    Buffer.alloc(tarPadding(2)),
    tarEnd,
  ]);
  workspace.put('a.tar', archive);
  workspace.put('a.tgz', gzipSync(archive));
  workspace.put('plain.gz', gzipSync('text'));
  await build(['FROM scratch', 'ADD a.tar /plain', 'ADD a.tgz /packed/', 'ADD plain.gz /', 'COPY a.tar /']);
  expect(workspace.list().map((entry) => entry.split('=')[0])).toEqual([
    '644 0 a.tar',
    '755 0 packed',
    '755 0 packed/inner',
    '640 0 packed/inner/file',
    '755 0 plain',
    '755 0 plain/inner',
    '640 0 plain/inner/file',
    '644 0 plain.gz',
  ]);
});

describe('what the image says of running it', () => {
  test.each([
    [['CMD ["/app", "-p", "80"]'], { cmd: ['/app', '-p', '80'], entrypoint: [] }],
    [['CMD'], { cmd: ['/bin/sh', '-c', ''], entrypoint: [], env: [defaultPath] }],
    [['CMD []', 'ENTRYPOINT []'], { cmd: [], entrypoint: [] }],
    [['CMD /app -p 80'], { cmd: ['/bin/sh', '-c', '/app -p 80'], entrypoint: [] }],
    [['ENTRYPOINT ["/app"]', 'CMD ["x"]'], { cmd: ['x'], entrypoint: ['/app'] }],
    [['CMD ["x"]', 'ENTRYPOINT ["/app"]'], { cmd: ['x'], entrypoint: ['/app'] }],
    [
      ['ENV A=1 B="two words" C=three\\ words', 'ENV OLD form $A'],
      { env: [defaultPath, 'A=1', 'B=two words', 'C=three words', 'OLD=form 1'] },
    ],
    [['ARG V=1', 'ENV V=$V', 'ENV W=${V:-x}${NONE:-y}${V:+z}'], { env: [defaultPath, 'V=given', 'W=givenyz'] }],
    [['ENV A=a$$b$-c$12d$ B=${NONE:+"}"\\}x}y C=${NONE:-{}}'], { env: [defaultPath, 'A=abcd$', 'B=y', 'C={}'] }],
    [['ENV A=x\\\\', 'ENV B=1'], { env: [defaultPath, 'A=x\\', 'B=1'] }],
    [['ENV PATH=/app:$PATH'], { env: ['PATH=/app:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'] }],
    [['ARG TARGETARCH TARGETSTAGE', 'ENV ARCH=$TARGETARCH$TARGETSTAGE'], { env: [defaultPath, 'ARCH=amd64default'] }],
    [
      ['ARG X=abcabc', 'ENV A=${X#*b} B=${X##*b} C=${X%b*} D=${X%%b?}', 'ENV E=${X%%b*}${X#q}${N#a}'],
      { env: [defaultPath, 'A=cabc', 'B=c', 'C=abca', 'D=abca', 'E=aabcabc'] },
    ],
    [
      ['ARG X=a/b.b-b P=b', 'ENV A=${X/$P/*} B=${X//b/} C=${X/\\//:} D=${X//.?/$P} E=${X/*./}'],
      { env: [defaultPath, 'A=a/*.b-b', 'B=a/.-', 'C=a:b.b-b', 'D=a/bb-b', 'E=b-b'] },
    ],
    [
      ['ARG X=a\\\\b*c', 'ENV A=${X/\\*/x} B=${X#a\\\\} C=${X/\\\\/x} D=${X%\\*c}'],
      { env: [defaultPath, 'A=a\\bxc', 'B=b*c', 'C=axb*c', 'D=a\\b'] },
    ],
  ])('%j', async (lines, expected) => {
    const { config } = await build(['FROM scratch', ...lines], { buildArgs: { V: 'given' } });
    expect(config).toMatchObject(expected);
  });
});

describe('a base image', () => {
  function layer(...items: (readonly [name: string, content?: string])[]): SourceLayer {
    const tar = Buffer.concat([
      ...items.flatMap(([name, content = '']) => [
        tarHeader({ name, type: name.endsWith('/') ? 'directory' : 'file', mode: 0o755, size: content.length }),
        Buffer.from(content),
        Buffer.alloc(tarPadding(content.length)),
      ]),
      tarEnd,
    ]);
    async function* open() {
      for (let at = 0; at < tar.length; at += 100) yield await Promise.resolve(tar.subarray(at, at + 100));
    }
    return { digest: 'sha256:layer', openTar: () => Promise.resolve(open()) };
  }

  function images(config: ImageDefaults, ...layers: SourceLayer[]): ImageSource & { asked: string[] } {
    const asked: string[] = [];
    return {
      asked,
      open: (reference, platform) => {
        asked.push(`${reference} ${platform}`);
        return Promise.resolve({ digest: 'sha256:base', config, layers });
      },
    };
  }

  const base = () =>
    images(
      { Env: ['PATH=/bin'], Cmd: ['/bin/sh'], WorkingDir: '/work' },
      layer(['bin/sh', 'shell'], ['etc/'], ['etc/old', 'old'], ['var/'], ['var/log', 'x']),
      layer(['etc/.wh.old'], ['var/.wh..wh..opq'], ['var/new', 'new']),
    );

  test('brings its layers and defaults', async () => {
    workspace.put('a');
    const source = base();
    const { config, builder } = await build(['FROM --platform=linux/arm64 base:1', 'COPY a .'], { images: source });
    expect(workspace.list().map((entry) => entry.split(' ')[2])).toEqual([
      'bin',
      'bin/sh=shell',
      'etc',
      'var',
      'var/new=new',
      'work',
      'work/a=a',
    ]);
    expect({ config, builder }).toEqual({
      config: { cmd: ['/bin/sh'], entrypoint: [], env: ['PATH=/bin'] },
      builder: 'embedded',
    });
    expect(source.asked).toEqual(['base:1 linux/arm64']);
  });

  test('loses its CMD when the Dockerfile gives an ENTRYPOINT', async () => {
    const { config } = await build(['FROM base', 'ENTRYPOINT ["/app"]'], { images: base() });
    expect(config).toMatchObject({ cmd: [], entrypoint: ['/app'] });
  });

  test('can be the source itself, and gives what the Dockerfile "FROM image" gives', async () => {
    const direct = await workspace.build('registry.example/base:1', { images: base() });
    const built = await build(['FROM registry.example/base:1'], { images: base() });
    expect(direct).toMatchObject({ kind: 'image', digest: built.digest, config: built.config ?? {} });
  });

  test('with ONBUILD instructions is left to a real builder', async () => {
    const source = images({ OnBuild: ['RUN x'] }, layer(['a']));
    await expect(build(['FROM base'], { images: source })).rejects.toMatchObject({ code: 'BUILDER_MISSING' });
  });
});

test('what BuildKit takes of ports, signals and checks of health, though it looks odd, is taken', async () => {
  const { warnings } = await build(
    [
      '# check=skip=all;error=true',
      'FROM scratch AS Base.1_x-y',
      'ARG PORTS="80 81" SIGNAL=int',
      'EXPOSE $PORTS $NONE +53/UDP 8000-8010 80/ 127.0.0.1:80:8080 [::1]::9 1-3:7',
      'STOPSIGNAL $SIGNAL',
      'STOPSIGNAL SIGRTMIN+15',
      'STOPSIGNAL 9',
      'HEALTHCHECK --interval=1h2.5m --timeout=0 --start-period= --retries=3 cmd ["x"]',
      'HEALTHCHECK none',
      'ONBUILD EXPOSE nothing',
      'VOLUME /data /more',
    ],
    { target: 'BASE.1_X-Y' },
  );
  expect(warnings).toEqual([
    'Dockerfile: "check=error=true" counts for BuildKit only, whose linter is not part of this.',
  ]);
});

describe('a Dockerfile that cannot be built', () => {
  test.each([
    ['an unknown instruction', ['FROM scratch', '', 'COPPY a b'], 3],
    ['an instruction before FROM', ['# c', 'COPY a b', 'FROM scratch'], 2],
    ['no FROM', ['ARG A=1'], 1],
    ['a source that is not there', ['FROM scratch', 'COPY \\', '  # a comment', '  missing /'], 2],
    ['an empty COPY', ['FROM scratch', 'COPY a'], 2],
    ['a here-document without end', ['FROM scratch', 'COPY <<EOF /x', 'text'], 2],
    ['a quote without an end', ['FROM scratch', 'COPY "two words" /'], 2],
    ['a blank that is escaped', ['FROM scratch', 'COPY two\\ words /'], 2],
    ['a link that leads nowhere', ['FROM scratch', 'COPY linkage* /'], 2],
    ['a FROM whose argument is empty', ['FROM $BASE'], 1],
    ['an odd FROM', ['FROM a b c'], 1],
    ['a stage in capitals', ['FROM scratch AS one', 'FROM ONE'], 2],
    ['a stage whose name a later one has', ['FROM scratch AS a', 'FROM scratch AS a', 'COPY --from=a / /'], 3],
    ['a flag that comes twice', ['FROM scratch', 'COPY --chmod=1 --chmod=2 Dockerfile /'], 2],
    ['a flag without a value', ['FROM scratch', 'COPY --chmod Dockerfile /'], 2],
    ['a switch that is none', ['FROM scratch', 'COPY --link=x Dockerfile /'], 2],
    ['a list of numbers', ['FROM scratch', 'CMD ["a", 1]'], 2],
    ['a shell that is no list', ['FROM scratch', 'SHELL /bin/sh'], 2],
    ['a stage with a number in front', ['FROM scratch AS 1x'], 1],
    ['a stage with a variable', ['ARG A=b', 'FROM scratch AS $A'], 2],
    ['a variable in --from', ['FROM scratch AS a', 'FROM scratch', 'ARG S=a', 'COPY --from=$S / /'], 4],
    ['a number that no stage has', ['FROM scratch AS a', 'FROM scratch', 'COPY --from=1 / /'], 3],
    ['an ONBUILD of an ONBUILD', ['FROM scratch', 'ONBUILD onbuild COPY a /'], 2],
    ['an ONBUILD of FROM', ['FROM scratch', 'ONBUILD FROM scratch'], 2],
    ['an ONBUILD of MAINTAINER', ['FROM scratch', 'ONBUILD MAINTAINER me'], 2],
    ['an ONBUILD that is wrong when it comes', ['FROM scratch AS a', 'ONBUILD COPPY a /', 'FROM a'], 2],
    ['an EXPOSE of a word', ['FROM scratch', 'EXPOSE http'], 2],
    ['an EXPOSE of a number too large', ['FROM scratch', 'EXPOSE 80 65536'], 2],
    ['an EXPOSE of a protocol', ['FROM scratch', 'EXPOSE 80/http'], 2],
    ['an EXPOSE that counts down', ['FROM scratch', 'EXPOSE 90-80'], 2],
    ['an EXPOSE without its port', ['FROM scratch', 'EXPOSE $PORT/tcp'], 2],
    ['an EXPOSE of a host', ['FROM scratch', 'EXPOSE host:80:80'], 2],
    ['an EXPOSE of ranges that differ', ['FROM scratch', 'EXPOSE 80-81:90-92'], 2],
    ['a STOPSIGNAL that is none', ['FROM scratch', 'STOPSIGNAL SIGSTOPP'], 2],
    ['a STOPSIGNAL of nothing', ['FROM scratch', 'STOPSIGNAL 0'], 2],
    ['a STOPSIGNAL twice', ['FROM scratch', 'STOPSIGNAL SIGTERM SIGINT'], 2],
    ['a HEALTHCHECK of another kind', ['FROM scratch', 'HEALTHCHECK curl x'], 2],
    ['a HEALTHCHECK without a command', ['FROM scratch', 'HEALTHCHECK --retries=1 CMD'], 2],
    ['a HEALTHCHECK of NONE and more', ['FROM scratch', 'HEALTHCHECK NONE x'], 2],
    ['a HEALTHCHECK in numbers', ['FROM scratch', 'HEALTHCHECK CMD [1]'], 2],
    ['a HEALTHCHECK without a unit', ['FROM scratch', 'HEALTHCHECK --interval=30 CMD x'], 2],
    ['a HEALTHCHECK all too often', ['FROM scratch', 'HEALTHCHECK --timeout=5us CMD x'], 2],
    ['a HEALTHCHECK back in time', ['FROM scratch', 'HEALTHCHECK --timeout=-1s CMD x'], 2],
    ['a HEALTHCHECK tried less than never', ['FROM scratch', 'HEALTHCHECK --retries=-1 CMD x'], 2],
    ['a VOLUME without a name', ['FROM scratch', 'VOLUME ["/a", " "]'], 2],
    ['a VOLUME of an empty list', ['FROM scratch', 'VOLUME []'], 2],
    ['a LABEL without a value', ['FROM scratch', 'LABEL a=b c'], 2],
  ])('because of %s says in which line', async (_, lines, line) => {
    symlinkSync('nowhere', workspace.path('linkage'));
    await expect(build(lines)).rejects.toMatchObject({
      code: 'DOCKERFILE_INVALID',
      at: `${workspace.path('Dockerfile')}:${line}`,
      message: expect.stringContaining(`\n  ${line} | ${lines[line - 1] ?? ''}`) as string,
    });
    expect(readdirSync(workspace.folder).sort()).toEqual(['Dockerfile', 'linkage', 'out']);
    expect(readdirSync(workspace.path('out'))).toEqual([]);
  });

  test.each([
    ['COPPY a /', 'Did you mean COPY?'],
    ['COPY --chwon=1 a /', 'Did you mean --chown?'],
    ['COPY --form=0 a /', 'Did you mean --from?'],
  ])('because of a slip in "%s" says what may be meant', async (line, hint) => {
    workspace.put('a');
    await expect(build(['FROM scratch', line])).rejects.toMatchObject({ code: 'DOCKERFILE_INVALID', hint });
  });

  test.each([
    ['its context', { context: 'nowhere' }],
    ['a named context', { buildContexts: { dist: 'nowhere' } }],
    ['the Dockerfile itself', { type: 'dockerfile' as const, source: '.', dockerfile: 'nowhere' }],
  ])('because %s is missing says where it was looked for', async (_, request) => {
    await expect(build(['FROM scratch'], request)).rejects.toMatchObject({
      code: 'SOURCE_MISSING',
      at: workspace.path('nowhere'),
    });
  });

  test('because the name of a stage is mistyped names the stage', async () => {
    await expect(build(['FROM scratch AS build', 'FROM scratch', 'COPY --from=biuld a /'])).rejects.toMatchObject({
      code: 'BUILDER_MISSING',
      message: expect.stringContaining('(or is the stage build meant?)') as string,
    });
  });

  test.each(['three', '0'])('because its target %s is missing names the stages', async (target) => {
    await expect(build(['FROM scratch AS one', 'FROM scratch AS two'], { target })).rejects.toMatchObject({
      code: 'DOCKERFILE_INVALID',
      hint: 'The stages are: one, two.',
    });
  });

  test.each([
    ['RUN make', 'runs a command'],
    ['ADD https://example.org/x /', 'adds something from the network'],
    ['COPY --parents . /', 'takes . with --parents'],
    ['COPY --chmod=+xt a /', 'uses --chmod=+xt'],
    ['ENV A=${B^^}', 'replaces parts of a variable'],
    ['ENV A=${PATH#"/"}', 'replaces parts of a variable in an odd way'],
    ['ENV A="x', 'has a quote without an end'],
    ['ARG =x', 'has an argument without a name, =x'],
    ['ADD --from=0 a /', 'uses --from'],
    ['FROM --pull scratch', 'uses --pull'],
    ['HEALTHCHECK --log=all CMD x', 'uses --log'],
  ])('without a builder since it says "%s" tells so, and who else was asked', async (line, reason) => {
    workspace.put('a');
    const env = {
      DOCKER_HOST: 'unix:///nowhere/docker.sock',
      PATH: '/nowhere',
    };
    await expect(build(['FROM scratch', line], { builder: 'auto', env })).rejects.toMatchObject({
      code: 'BUILDER_MISSING',
      message: [
        'no builder can build this Dockerfile:',
        `  embedded: Dockerfile:2 ${reason}`,
        '  buildkit: there is no unix:///run/buildkit/buildkitd.sock',
        '  docker: there is no unix:///nowhere/docker.sock',
        '  podman: podman is not installed',
        '  buildah: buildah is not installed',
      ].join('\n'),
    });
  });

  test('at the address that was asked for is no reason to go elsewhere', async () => {
    const env = { KRAFTKIT_BUILDKIT_HOST: 'unix:///nowhere/buildkitd.sock' };
    await expect(build(['FROM scratch', 'RUN x'], { builder: 'auto', env })).rejects.toMatchObject({
      code: 'BUILDER_MISSING',
      at: 'unix:///nowhere/buildkitd.sock',
    });
  });

  test('because a directory meets a link says what to do', async () => {
    workspace.put('root/lib/x');
    symlinkSync('usr/lib', workspace.path('lib'));
    mkdirSync(workspace.path('usr/lib'), { recursive: true });
    workspace.put('Dockerfile.dockerignore', 'out');
    await expect(build(['FROM scratch', 'COPY . /', 'COPY root /'])).rejects.toMatchObject({
      code: 'ENTRY_MISPLACED',
      at: `${workspace.path('Dockerfile')}:3`,
    });
  });
});
