import { mkdirSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Workspace } from '../test/workspace.ts';
import { inputsToCome, type InputsRequest, rootfsInputs, unexpectedReads } from './index.ts';

let workspace: Workspace;
beforeEach(() => {
  workspace = new Workspace();
});
afterEach(() => workspace.remove());

function inputs(source: string, request: Partial<InputsRequest> = {}) {
  return rootfsInputs({ source, baseDirectory: workspace.folder, ...request });
}

function dockerfile(lines: readonly string[], request: Partial<InputsRequest> = {}) {
  workspace.put('Dockerfile', lines.join('\n'));
  return inputs('Dockerfile', request);
}

const own = { files: ['Dockerfile', 'Dockerfile.dockerignore', '.dockerignore'], excluded: [] };

test('a directory is read without the folder of builds', () => {
  mkdirSync(workspace.path('app'));
  expect(inputs('app')).toMatchObject({
    kind: 'directory',
    files: ['app/**/*'],
    excluded: ['app/.unikraft', 'app/.unikraft/**/*'],
  });
  expect(inputs('.')).toMatchObject({ files: ['**/*'], excluded: ['.unikraft', '.unikraft/**/*'] });
  expect(inputs('../x', { baseDirectory: workspace.path('app'), type: 'image' })).toMatchObject({ images: ['../x'] });
});

test('a Dockerfile is read with what its needed stages take out of the context', () => {
  const found = dockerfile(
    [
      'ARG VERSION=1',
      'ARG TOKEN',
      'FROM node:$VERSION AS build',
      'ARG DIR=src',
      'COPY package.json *.lock ./',
      'COPY $DIR/app /app',
      'COPY $UNKNOWN/x lib/$UNKNOWN/y /',
      'RUN --mount=type=bind,source=tools,target=/t --mount=type=cache,target=/c make',
      'FROM other:1 AS unused',
      'COPY secret /',
      'FROM scratch',
      'COPY --from=build /app /',
      'COPY --from=nginx:1 /etc /etc',
      'COPY <<EOF /x',
      'text',
      'EOF',
    ],
    { buildArgs: { VERSION: '22', TOKEN: undefined, UNUSED: 'x' } },
  );
  expect(found).toEqual({
    kind: 'dockerfile',
    context: '',
    files: [
      '**/*',
      '*.lock',
      '*.lock/**/*',
      'lib',
      'lib/**/*',
      'package.json',
      'package.json/**/*',
      'tools',
      'tools/**/*',
    ].sort(),
    excluded: ['.unikraft', '.unikraft/**/*'],
    filtered: [],
    besides: [own],
    images: ['nginx:1', 'node:22'],
    moving: [],
    buildArgs: ['TOKEN', 'VERSION'],
    environment: ['TOKEN'],
    needsBuilder: 'runs a command',
  });
});

test('--parents takes folders on the way, and goes across them', () => {
  const { files } = dockerfile([
    'FROM scratch',
    'COPY --parents **/package.json libs/./a/src/*.ts ./x/../y z/./../w /',
  ]);
  expect(files).toEqual(
    expect.arrayContaining([
      '**/',
      '**/package.json',
      'libs/',
      'libs/a/',
      'libs/a/src/',
      'libs/a/src/*.ts',
      'y',
      'y/**/*',
      'z/w',
    ]) as string[],
  );
});

describe('what --exclude leaves out', () => {
  const filtered = (...lines: readonly string[]) => {
    const { files, filtered } = dockerfile(['FROM busybox', ...lines]);
    const withoutOutputs = (globs: readonly string[]) => globs.filter((glob) => !glob.startsWith('.unikraft'));
    return [files, ...filtered.map((reading) => [reading.files, withoutOutputs(reading.excluded)])];
  };

  test('is no input, for each source alone', () => {
    expect(filtered('ENV X=x', 'COPY --exclude=*.md --exclude=./{d}/ src$X lib?/a /', 'COPY srcx/README.md /')).toEqual(
      [
        ['srcx/README.md', 'srcx/README.md/**/*'],
        [
          ['srcx', 'srcx/**/*'],
          ['srcx/*.md', 'srcx/*.md/**/*', 'srcx/[{]d[}]', 'srcx/[{]d[}]/**/*'],
        ],
        [
          ['lib?/a', 'lib?/a/**/*'],
          ['lib?/a/*.md', 'lib?/a/*.md/**/*', 'lib?/a/[{]d[}]', 'lib?/a/[{]d[}]/**/*'],
        ],
      ],
    );
  });

  test('goes with what the context leaves out', () => {
    workspace.put('.dockerignore', '*.log\n');
    expect(filtered('ADD --exclude=**/x . /')).toEqual([[], [['**/*'], ['*.log', '*.log/**/*', '**/x', '**/x/**/*']]]);
  });

  test('counts where it may come back, cannot be told, or is something else to other builders', () => {
    const all = [['src', 'src/**/*'], []];
    expect(filtered('COPY --exclude=* --exclude=!a src /')).toEqual([[], all]);
    expect(filtered('COPY --exclude=/a --exclude=../b src /')).toEqual([[], all]);
    expect(filtered('COPY --exclude=a src/$UNKNOWN /')).toEqual([all[0]]);
    expect(filtered('COPY --parents --exclude=a src /')).toEqual([all[0]]);
    expect(filtered('COPY --exclude=a src /', 'RUN x')).toEqual([all[0]]);
    const deep = [all[0], ['src/**/a', 'src/**/a/**/*']];
    expect(filtered('COPY --exclude=**/a src /', 'RUN x')).toEqual([[], deep]);
    expect(filtered('COPY --from=0 --exclude=a src /')).toEqual([[]]);
  });

  test('may be shown to a builder', () => {
    const inputs = dockerfile(['FROM busybox', 'COPY --exclude=**/x src /', 'RUN y']);
    expect(unexpectedReads(['src/x', 'src/y', 'z'], inputs)).toEqual(['z']);
  });
});

test('** in what BuildKit is sent goes across folders, which COPY alone does not', () => {
  expect(dockerfile(['FROM scratch', 'COPY a/**/x /']).files).toEqual(['a/*/x', 'a/*/x/**/*']);
  const sent = dockerfile(['FROM busybox', 'COPY a/**/x /', 'RUN y']).files;
  expect(sent).toEqual(expect.arrayContaining(['a/**/x', 'a/**/x/**/*']) as string[]);
});

test('here-documents are no files, whatever their names are', () => {
  const lines = ['FROM scratch', 'COPY 3<<"a-b" <<EOF c /', 'a', 'a-b', 'EOF', 'ARG V=v1', 'COPY x/${V#v} /'];
  expect(dockerfile(lines).files).toEqual(['c', 'c/**/*', 'x/1', 'x/1/**/*']);
});

test('what a stage says by ONBUILD is read by those that begin with it', () => {
  const lines = ['FROM scratch AS base', 'ONBUILD COPY a /', 'ONBUILD RUN make'];
  expect(dockerfile(lines)).toMatchObject({ files: [], needsBuilder: undefined });
  expect(dockerfile([...lines, 'FROM base'])).toMatchObject({ files: ['a', 'a/**/*'], needsBuilder: 'runs a command' });
});

describe('an ignore file', () => {
  test('becomes exclusions', () => {
    workspace.put('.dockerignore', 'node_modules\n**/*.log\n');
    expect(dockerfile(['FROM scratch', 'COPY . /'])).toMatchObject({
      files: ['**/*'],
      excluded: ['node_modules', 'node_modules/**/*', '**/*.log', '**/*.log/**/*', '.unikraft', '.unikraft/**/*'],
      needsBuilder: undefined,
    });
  });

  test('that names what stays becomes just that', () => {
    workspace.put('.dockerignore', '*\n!dist\n!package.json\ndist/**/*.map\n');
    expect(dockerfile(['FROM scratch', 'COPY . /'])).toMatchObject({
      files: ['dist', 'dist/**/*', 'package.json', 'package.json/**/*'],
      excluded: ['dist/**/*.map', 'dist/**/*.map/**/*', '.unikraft', '.unikraft/**/*'],
    });
  });

  test('brings the folders above what stays', () => {
    workspace.put('.dockerignore', '*\n!a/b/c\n!d/*/e\n!**/f\n');
    expect(dockerfile(['FROM scratch', 'COPY . /']).files).toEqual(
      ['a/', 'a/b/', 'a/b/c', 'a/b/c/**/*', 'd/', 'd/*/', 'd/*/e', 'd/*/e/**/*', '**/', '**/f', '**/f/**/*'].sort(),
    );
  });

  test('that leaves out only what lies in folders lets in what lies above them', () => {
    workspace.put('.dockerignore', '*/*\n!dist/x\n');
    expect(dockerfile(['FROM scratch', 'COPY . /']).files).toEqual(['**/*']);
  });

  test('with exceptions excludes nothing that may come back', () => {
    workspace.put('.dockerignore', 'build\n!build/keep\n');
    expect(dockerfile(['FROM scratch', 'COPY . /']).excluded).toEqual(['.unikraft', '.unikraft/**/*']);
  });
});

test('names with signs of globs are told as such, and what only globs take for signs in patterns, too', () => {
  mkdirSync(workspace.path('app[1]/{a,b}'), { recursive: true });
  expect(inputs('app[1]/{a,b}')).toMatchObject({ files: ['app[[]1]/[{]a,b[}]/**/*'] });
  workspace.put('.dockerignore', '(x)/*.log\n\\*\n');
  const found = dockerfile(['FROM scratch', 'COPY (x) a{1,2} [a-c]?.txt /']);
  expect(found.files).toEqual(expect.arrayContaining(['[(]x[)]', 'a[{]1,2[}]', '[a-c]?.txt']));
  expect(found.excluded).toEqual(expect.arrayContaining(['[(]x[)]/*.log', '[*]']));
  expect(unexpectedReads(['(x)/a', 'a{1,2}', 'b1.txt', '*', 'x/a'], found)).toEqual(['*', 'x/a']);
});

test('what another task has yet to make may become anything but a Dockerfile', () => {
  const request = (source: string): InputsRequest => ({ source, baseDirectory: workspace.folder });
  expect(inputsToCome(request('../dist/[web]'))).toMatchObject({ files: ['../dist/[[]web]', '../dist/[[]web]/**/*'] });
  expect(inputsToCome(request('dist/Dockerfile'))).toBeUndefined();
  expect(inputsToCome({ ...request('dist'), type: 'dockerfile' })).toBeUndefined();
});

test('a mount takes a part of the context whose name holds variables', () => {
  const lines = ['FROM base', 'ENV DIR=tools', 'RUN --mount=type=bind,source=$DIR/bin,target=/t make'];
  expect(dockerfile(lines).files).toEqual(['tools/bin', 'tools/bin/**/*']);
  const odd = ['FROM base', 'RUN --mount=Type=Bind,Src=a,target=/t --mount=TYPE=cache,From=other,target=/c make'];
  expect(dockerfile(odd)).toMatchObject({ files: ['a', 'a/**/*'], images: ['base', 'other'] });
});

test('what only a builder can replace may be anything, and takes nobody down', () => {
  const lines = ['ARG B=${X^x}', 'FROM scratch', 'ARG X=x B', 'ARG C=${X^^}', 'ENV D=${X,}'];
  const replaced = dockerfile([...lines, 'WORKDIR ${X:1}', 'COPY b/$B/x c/$C d/$D e$X /']);
  const files = ['b', 'c', 'd', 'ex'].flatMap((path) => [path, `${path}/**/*`]);
  expect(replaced).toMatchObject({ files, needsBuilder: 'replaces parts of a variable' });
});

describe('the variables of a base image, which are not known,', () => {
  const files = (lines: readonly string[]): readonly string[] => dockerfile(lines).files;

  test('may be part of those that the Dockerfile sets', () => {
    const lines = ['ENV DIR=lib/$OF_BASE', 'FROM one', 'COPY a/$DIR/x b/${OF_BASE:+c}/y /'];
    expect(files(['FROM base AS one', ...lines])).toEqual(['a', 'a/**/*', 'b', 'b/**/*']);
    expect(files(['FROM scratch AS one', ...lines])).toEqual(['a/lib/x', 'a/lib/x/**/*', 'b/y', 'b/y/**/*']);
  });

  test('win over arguments with podman and buildah, which know no arguments of earlier stages either', () => {
    const copied = ['FROM base AS one', 'ARG DIR=src', 'COPY bin/$DIR/x /', 'FROM one', 'COPY lib/$DIR /'];
    expect(files(copied)).toEqual(['bin/src/x', 'bin/src/x/**/*', 'lib/src', 'lib/src/**/*']);
    expect(files([...copied, 'RUN make'])).toEqual(['bin', 'bin/**/*', 'lib', 'lib/**/*']);
    const own = ['FROM base', 'ENV DIR=src', 'COPY $DIR/x /', 'RUN make'];
    expect(files(own)).toEqual(['src/x', 'src/x/**/*']);
  });

  test('may lead ADD into the network', () => {
    const moving = (lines: readonly string[]): readonly string[] => dockerfile(lines).moving.map(({ name }) => name);
    expect(moving(['FROM base', 'ADD $PAGE /'])).toEqual(['what $PAGE stands for']);
    expect(moving(['FROM base', 'ARG PAGE=dist', 'ADD $PAGE a/$OTHER /', 'COPY $OTHER /'])).toEqual([]);
    expect(moving(['FROM scratch', 'ADD $PAGE /'])).toEqual([]);
    expect(moving(['FROM scratch', 'ADD https://${HOST^}/y /'])).toEqual(['https://${HOST^}/y']);
  });
});

test('what may be something else each time is told, but not what is named by its digest', () => {
  const commit = 'a'.repeat(40);
  const digest = 'b'.repeat(64);
  const moving = (lines: readonly string[], request: Partial<InputsRequest> = {}): string[] =>
    dockerfile(['FROM scratch', ...lines], request).moving.map(({ name }) => name);
  const added = [
    ['https://example.com/a.tar', ''],
    ['https://example.com/a.tar', `--checksum=sha256:${digest}`],
    ['https://example.com/a.tar', '--checksum=$UNKNOWN'],
    [`https://example.com/a.tar#${commit}`, ''],
    ['https://example.com/a.git#main', ''],
    [`https://example.com/a.git#${commit}:folder`, ''],
    [`https://example.com/a.git?ref=main&commit=${commit}`, ''],
    ['git@example.com:a.git', `--checksum=${commit}`],
    [`git@example.com:a.git#${commit.slice(0, 12)}`, ''],
  ] as const;
  expect(moving(added.map(([name, flags]) => `ADD ${flags} ${name} /`))).toEqual(
    [0, 2, 3, 4, 8].map((index) => added[index]?.[0]),
  );
  expect(moving([`ADD ["https://example.com/a b", "/"]`])).toEqual(['https://example.com/a b']);

  const variables = ['ARG URL=https://example.com/x SUM', 'ADD --checksum=sha256:$SUM $URL/y /'];
  expect(dockerfile(['FROM scratch', ...variables])).toMatchObject({
    files: [],
    needsBuilder: 'uses --checksum',
    moving: [{ name: 'https://example.com/x/y' }],
  });
  expect(moving(variables, { buildArgs: { SUM: digest } })).toEqual([]);
  const withoutSum = ['ARG URL=https://example.com/x', 'ADD $URL /'];
  expect(dockerfile(['FROM scratch', ...withoutSum]).needsBuilder).toBe('adds something from the network');

  const buildContexts = {
    ...{ folder: 'x', page: 'https://example.com/a.tar', image: 'docker-image://alpine', layout: 'oci-layout://x:1' },
    ...{ exact: `oci-layout://x@sha256:${digest}`, branch: 'https://example.com/a.git#main' },
    commit: `https://example.com/a.git#${commit}`,
  };
  const { page, layout, branch } = buildContexts;
  expect(moving(['COPY --from=page / /'], { buildContexts })).toEqual([page, layout, branch]);
  expect(dockerfile(['FROM scratch'], { buildContexts: { page } })).toMatchObject({
    files: [],
    needsBuilder: `is given the context page=${page}`,
  });

  expect(dockerfile(['ARG VERSION=v1', 'FROM node:${VERSION,,}'])).toMatchObject({
    images: [],
    moving: [{ name: 'the image node:${VERSION,,}' }],
  });
  for (const syntax of ['docker/dockerfile:1-labs', 'docker/dockerfile-upstream:master']) {
    expect(dockerfile([`# syntax=${syntax}`, 'FROM scratch']).moving).toEqual([]);
  }
  expect(dockerfile(['# syntax=example.com/frontend', 'FROM scratch']).moving).toMatchObject([
    { name: 'the frontend example.com/frontend' },
  ]);
});

test('what is no pattern is told', () => {
  for (const pattern of ['[z-a]', '[b', '[]', '[^]', '[a-]']) {
    expect(() => dockerfile(['FROM scratch', `COPY x/${pattern} /`])).toThrow(`"${pattern}" is no pattern`);
  }
  for (const pattern of ['[z-a]', 'x[', '!']) {
    workspace.put('.dockerignore', `${pattern}\n`);
    expect(() => dockerfile(['FROM scratch', 'COPY x /'])).toThrow(`"${pattern}" is no pattern`);
  }
});

test('patterns that no glob can say count as far as one can', () => {
  const files = (word: string): readonly string[] => dockerfile(['FROM scratch', `COPY ${word} /`]).files;
  expect(files('a**/b*')).toEqual(['a*/b*', 'a*/b*/**/*']);
  expect(files('x/[!a]*')).toEqual(['x', 'x/**/*']);
  expect(files(String.raw`a\\b c/[\\]]d`)).toEqual(['a[\\]b', 'a[\\]b/**/*', 'c', 'c/**/*']);
  workspace.put('.dockerignore', '*\n!x/[!a]\n**.log\na**b\n**/c\n[!d]\n');
  expect(dockerfile(['FROM scratch', 'COPY . /'])).toMatchObject({
    files: ['**/*'],
    excluded: ['**/c', '**/c/**/*', '.unikraft', '.unikraft/**/*'],
  });
});

test('contexts outside of the base directory are told relative to it', () => {
  workspace.put('Dockerfile', 'FROM scratch\nCOPY libs/api/dist /\nCOPY --from=extra x /\n');
  mkdirSync(workspace.path('apps/api'), { recursive: true });
  const baseDirectory = workspace.path('apps/api');
  expect(inputs('../../Dockerfile', { baseDirectory, buildContexts: { extra: '../extra' } })).toMatchObject({
    context: '../..',
    files: ['../../libs/api/dist', '../../libs/api/dist/**/*'],
    besides: [
      { files: ['../../Dockerfile', '../../Dockerfile.dockerignore', '../../.dockerignore'], excluded: [] },
      { files: ['../extra/**/*'], excluded: ['../extra/.unikraft', '../extra/.unikraft/**/*'] },
    ],
    images: [],
  });
});

test('what is read but is no input is found', () => {
  workspace.put('.dockerignore', '*.log\n');
  const found = dockerfile(['FROM scratch', 'COPY src /', 'COPY *.json /']);
  const reads = ['src/a.ts', 'src/sub/b.ts', 'package.json', 'other/c.ts', 'deep/d.json', 'x.log'];
  expect(unexpectedReads(reads, found)).toEqual(['other/c.ts', 'deep/d.json', 'x.log']);
});
