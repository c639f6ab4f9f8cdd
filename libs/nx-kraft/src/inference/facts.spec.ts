import { chmod, mkdir, mkdtemp, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { NxJsonConfiguration, ProjectsConfigurations, TargetConfiguration } from '@nx/devkit';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createProjects } from './create-projects.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'facts-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function put(path: string, text: string): Promise<void> {
  await mkdir(dirname(join(folder, path)), { recursive: true });
  await writeFile(join(folder, path), text);
}

async function tasks(nxJsonConfiguration: NxJsonConfiguration = {}): Promise<Record<string, TargetConfiguration>> {
  const context = { workspaceRoot: folder, nxJsonConfiguration };
  const [[, { projects }] = ['', {}]] = await createProjects(['app/Kraftfile'], {}, context);
  return projects?.app?.targets ?? {};
}

async function rootfsTask(nxJson?: NxJsonConfiguration): Promise<TargetConfiguration> {
  return (await tasks(nxJson)).rootfs ?? {};
}

/** The files among the inputs of the rootfs task of app, without those that tell what a Dockerfile leaves out. */
async function rootfsFiles(nxJson?: NxJsonConfiguration): Promise<readonly string[]> {
  const { inputs = [] } = await rootfsTask(nxJson);
  return inputs
    .flatMap((input) => (typeof input === 'object' && 'fileset' in input ? (input.fileset ?? []) : []))
    .filter((glob) => !/ignore|file-details/.test(glob));
}

test.each([
  ['a Dockerfile', 'Dockerfile', './Dockerfile'],
  ['a Dockerfile of another name', 'web.Dockerfile', '{ source: { path: ., dockerfile: web.Dockerfile } }'],
])('what %s reads is found out anew when it changes', async (_, name, rootfs) => {
  await put('app/Kraftfile', `spec: v0.7\nruntime: base\nrootfs: ${rootfs}\n`);
  await put(`app/${name}`, 'FROM scratch\nCOPY a /\n');
  const path = (file: string): string => `{workspaceRoot}/app/${file}`;
  expect(await rootfsFiles()).toEqual([path('a'), path('a/**/*'), path(name)]);
  await put(`app/${name}`, 'FROM scratch\nCOPY b /\n');
  expect(await rootfsFiles()).toEqual([path('b'), path('b/**/*'), path(name)]);
});

test('an ignore file of its own takes the place of the common one, even when it is empty', async () => {
  await put('app/Kraftfile', 'spec: v0.6\nruntime: base\nrootfs: ./Dockerfile\n');
  await put('app/Dockerfile', 'FROM scratch\nCOPY . /\n');
  await put('app/.dockerignore', 'secret\n');
  const left = ['!{workspaceRoot}/app/secret', '!{workspaceRoot}/app/secret/**/*'];
  expect(await rootfsFiles()).toEqual(expect.arrayContaining(left));
  await put('app/Dockerfile.dockerignore', '');
  expect(await rootfsFiles()).not.toEqual(expect.arrayContaining(left));
});

test('what a Dockerfile takes for any of the architectures is read', async () => {
  await put('app/Kraftfile', 'spec: v0.6\nruntime: base\nrootfs: ./Dockerfile\ntargets: [qemu/x86_64, qemu/arm64]\n');
  await put('app/Dockerfile', 'FROM scratch\nARG TARGETARCH\nCOPY $TARGETARCH /\n');
  const both = ['amd64', 'arm64'].map((name) => `{workspaceRoot}/app/${name}`);
  expect(await rootfsFiles()).toEqual(expect.arrayContaining(both));
});

test('files are named by where they lie behind links, and by globs that match them alone', async () => {
  await put('app/Kraftfile', 'spec: v0.6\nruntime: base\nrootfs: ./fs.tar\n');
  await put('made/[1]/fs.tar', '070701');
  await symlink('../made/[1]/fs.tar', join(folder, 'app/fs.tar'));
  expect(await rootfsFiles()).toContain('{workspaceRoot}/made/[[]1]/fs.tar');
});

test('a file system that another task has yet to make is cached by what lies there then', async () => {
  await put('app/Kraftfile', 'spec: v0.6\nruntime: base\nrootfs: ../dist/app\n');
  expect(await rootfsTask()).toMatchObject({ cache: true });
  expect(await rootfsFiles()).toEqual(['{workspaceRoot}/dist/app', '{workspaceRoot}/dist/app/**/*']);
});

test('what another task has yet to make behind a link is named by where it will lie', async () => {
  await put('app/Kraftfile', 'spec: v0.6\nruntime: base\nrootfs: ./made/app\n');
  await put('dist/other', '');
  await symlink('../dist', join(folder, 'app/made'));
  expect(await rootfsFiles()).toEqual(['{workspaceRoot}/dist/app', '{workspaceRoot}/dist/app/**/*']);
});

test('what cannot be read as it is now is not cached', async () => {
  await put('app/Kraftfile', 'spec: v0.6\nruntime: base\nrootfs: ../dist/Dockerfile\n');
  expect(await rootfsTask()).toMatchObject({ cache: false });
  await put('dist/Dockerfile', 'FROM scratch\nCOPY a /\n');
  expect(await rootfsTask()).toMatchObject({ cache: true });
  await put('dist/Dockerfile', 'FORM scratch\n');
  expect(await rootfsTask()).toMatchObject({ cache: false });
});

test('what comes from the network is cached only by its digest', async () => {
  await put('app/Kraftfile', 'spec: v0.6\nruntime: base\nrootfs: ./Dockerfile\n');
  await put('app/Dockerfile', 'FROM scratch\nADD https://example.com/page /\n');
  expect(await rootfsTask()).toMatchObject({ cache: false });
  await put('app/Dockerfile', `FROM scratch\nADD --checksum=sha256:${'a'.repeat(64)} https://example.com/page /\n`);
  expect(await rootfsTask()).toMatchObject({ cache: true });
  const buildContexts = { more: 'https://example.com/more.git#main' };
  await put('app/project.json', JSON.stringify({ targets: { rootfs: { options: { buildContexts } } } }));
  expect(await rootfsTask()).toMatchObject({ cache: false });
});

test('what an ignore file leaves out is never what keys know of modes and links', async () => {
  await put('app/Kraftfile', 'spec: v0.6\nruntime: base\nrootfs: ./Dockerfile\n');
  await put('app/Dockerfile', 'FROM scratch\nCOPY . /\n');
  await put('app/.dockerignore', '.unikraft\n**/.*\n*.log\n');
  const { inputs = [] } = await rootfsTask();
  const filesets = inputs.flatMap((input) => (typeof input === 'object' && 'fileset' in input ? input.fileset : []));
  expect(filesets.filter((glob) => glob?.startsWith('!'))).toEqual([
    '!{workspaceRoot}/app/.unikraft/**/!(file-details)',
    '!{workspaceRoot}/app/*/**/.*',
    '!{workspaceRoot}/app/**/.*/**/!(file-details)',
    '!{workspaceRoot}/app/*.log',
    '!{workspaceRoot}/app/*.log/**/*',
  ]);
});

test('what --exclude leaves out counts where something else of the Dockerfile takes it, by a link, too', async () => {
  await put('app/Kraftfile', 'spec: v0.6\nruntime: base\nrootfs: ./Dockerfile\n');
  await put('app/src/notes.md', '');
  const leftOut = async (lines: readonly string[]): Promise<readonly string[]> => {
    await put('app/Dockerfile', ['FROM scratch', ...lines, ''].join('\n'));
    return (await rootfsFiles()).filter((glob) => glob.startsWith('!') && !glob.includes('.unikraft'));
  };
  const path = (glob: string): string => `!{workspaceRoot}/app/${glob}`;
  const notes = [path('src/*.md'), path('src/*.md/**/*')];
  expect(await leftOut(['COPY --exclude=*.md src /'])).toEqual(notes);
  expect(await leftOut(['COPY --exclude=*.md src /', 'COPY lib /lib'])).toEqual(notes);
  expect(await leftOut(['COPY --exclude=*.md src /', 'COPY src/notes.md /'])).toEqual([]);
  expect(await leftOut(['COPY --exclude=*.md src /', 'COPY . /all'])).toEqual([]);
  expect(await leftOut(['COPY --exclude=notes.md src src/notes.md /'])).toEqual([]);
  await symlink('../src/notes.md', join(folder, 'app/lib'));
  await symlink('src/notes.md', join(folder, 'app/link'));
  await symlink('src', join(folder, 'app/folder'));
  // A name that nothing has hides nothing.
  expect(await leftOut(['COPY --exclude=*.md src link /'])).toEqual([path('link/*.md'), path('link/*.md/**/*')]);
  expect(await leftOut(['COPY --exclude=notes.md s* l* /'])).toEqual([path('l*/notes.md'), path('l*/notes.md/**/*')]);
  expect(await leftOut(['COPY --exclude=*.md folder /'])).toEqual([path('folder/*.md'), path('folder/*.md/**/*')]);
});

test('what an ignore file leaves out counts where something else reads it', async () => {
  await put('app/Kraftfile', 'spec: v0.7\nruntime: base\nrootfs: ./Dockerfile\nroms: [./rom]\n');
  await put('app/Dockerfile', 'FROM scratch\nCOPY . /\n');
  await put('app/.dockerignore', 'Dockerfile\nrom\nmore\n*.log\n');
  await put('app/rom/data', '');
  await put(
    'app/project.json',
    JSON.stringify({ targets: { rootfs: { options: { buildContexts: { more: './more' } } } } }),
  );
  const files = await rootfsFiles();
  const hidden = ['Dockerfile', 'rom', 'rom/**/*', 'more', 'more/**/*'].map((path) => `!{workspaceRoot}/app/${path}`);
  expect(files.filter((glob) => hidden.includes(glob))).toEqual([]);
  expect(files).toEqual(expect.arrayContaining(['!{workspaceRoot}/app/*.log', '{workspaceRoot}/app/Dockerfile']));
});

test('what a Dockerfile takes with any of the options that its task may get is read', async () => {
  await put('app/Kraftfile', 'spec: v0.6\nname: web\nruntime: base\nrootfs: ./Dockerfile\n');
  const stages = [
    'FROM scratch AS small',
    'COPY a /',
    'FROM scratch AS big',
    'ARG WORD',
    'COPY b-$WORD /',
    'FROM small',
  ];
  await put('app/Dockerfile', stages.join('\n'));
  const at = (...names: readonly string[]): readonly string[] =>
    ['app/Dockerfile', ...names.flatMap((name) => [name, `${name}/**/*`])]
      .map((name) => `{workspaceRoot}/${name}`)
      .toSorted();
  const files = async (nxJson?: NxJsonConfiguration): Promise<readonly string[]> =>
    (await rootfsFiles(nxJson)).toSorted();
  expect(await files()).toEqual(at('app/a'));

  const configurations = { big: { target: 'big', buildArgs: { WORD: '{projectName}' } } };
  await put('app/project.json', JSON.stringify({ targets: { rootfs: { configurations } } }));
  expect(await files()).toEqual(at('app/a', 'app/b-web'));
  await put('app/project.json', JSON.stringify({ name: 'other', targets: { rootfs: { configurations } } }));
  expect(await files()).toEqual(at('app/a', 'app/b-other'));
  await rm(join(folder, 'app/project.json'));

  const options = { context: '..' };
  for (const name of ['nx-kraft:rootfs', 'rootfs', 'root*']) {
    expect(await files({ targetDefaults: { [name]: { options } } }), name).toEqual(at('a'));
  }
  expect(await files({ targetDefaults: { root: { options }, 'nx-kraft:rootfs': {}, rootfs: { options } } })).toEqual(
    at('app/a'),
  );
  await put(
    'app/project.json',
    JSON.stringify({ targets: { rootfs: { options: { target: 'big', buildArgs: { WORD: 1 } } } } }),
  );
  expect(await files({ targetDefaults: { rootfs: [{ options }] } })).toEqual(at('b-1'));
  // Of these Nx tells when the task runs.
  await put(
    'app/project.json',
    JSON.stringify({ targets: { rootfs: { options: { context: [], buildArgs: 'x', roms: 1 } } } }),
  );
  expect(await files()).toEqual(at('app/a'));
});

describe('variables in a Kraftfile', () => {
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  test('decide what is read, as they are when the graph is made', async () => {
    await put('app/Kraftfile', 'spec: v0.6\nruntime: base\nrootfs: ./${FILES:-a}\n');
    await put('app/a/file', '');
    await put('app/b/file', '');
    expect(await rootfsFiles()).toContain('{workspaceRoot}/app/a/**/*');
    vi.stubEnv('FILES', 'b');
    expect(await rootfsFiles()).toContain('{workspaceRoot}/app/b/**/*');
  });

  // A project's .env may give tasks other values, and then other files than Nx knows of.
  test.each(['rootfs: ./${FILES:-a}', 'name: ${FILES:-a}', 'runtime: base:${FILES:-a}'])(
    'let nothing be cached where they decide what is read or written: %s',
    async (line) => {
      const other = ['runtime: base', 'rootfs: ./a'].filter((one) => !line.startsWith(one.slice(0, 6)));
      await put('app/Kraftfile', ['spec: v0.6', ...other, line, ''].join('\n'));
      await put('app/a/file', '');
      const caches = Object.values(await tasks()).map(({ executor, cache }) => [executor, cache]);
      expect(caches).toContainEqual(['nx-kraft:package', false]);
      expect(caches).toContainEqual(['nx-kraft:rootfs', false]);
      expect(caches.filter(([executor, cache]) => executor !== 'nx-kraft:lint' && cache === true)).toEqual([]);
    },
  );

  test('are parts of the keys where they are mere values', async () => {
    await put('app/Kraftfile', 'spec: v0.6\nruntime: base\nrootfs: ./a\nenv: { A: "${COLOR:-red}", B: "${NONE:-}" }\n');
    await put('app/a/file', '');
    for (const task of ['package', 'test', 'rootfs', 'lint']) {
      expect((await tasks())[task], task).toMatchObject({ cache: true });
      expect((await tasks())[task]?.inputs, task).toContainEqual({ env: 'COLOR' });
    }
  });

  test('that have no value leave it to the task to tell', async () => {
    await put('app/Kraftfile', 'spec: v0.6\nruntime: ${REGISTRY}/base\nrootfs: ./${FILES:?is needed}\n');
    expect((await tasks()).package).toMatchObject({ executor: 'nx-kraft:package', cache: false });
  });
});

test.each(['null', '{"components":null}', '[]', '{', '<<<<<<< HEAD'])(
  'a lock that is %s is one without entries',
  async (lock) => {
    await put('app/Kraftfile', 'spec: v0.6\nunikraft: stable\ntargets: [qemu/x86_64]\n');
    await put('kraft.lock', lock);
    expect((await tasks())['build:qemu-x86_64']).toMatchObject({ executor: 'nx-kraft:build', cache: false });
  },
);

test('a name that no image can have breaks the tasks of its project alone', async () => {
  await put('app/Kraftfile', 'spec: v0.6\nruntime: Base Image\n');
  expect((await tasks()).package).toMatchObject({ executor: 'nx-kraft:package' });
});

const long = 'x'.repeat(300);

test.each([
  ['a root file system', (path: string) => `runtime: base\nrootfs: { source: "${path}", type: dockerfile }\n`],
  ['a Dockerfile', (path: string) => `runtime: base\nrootfs: { source: { path: ., dockerfile: "${path}" } }\n`],
  ['a read-only image', (path: string) => `runtime: base\nroms: [{ source: "${path}" }]\n`],
  ['a library', (path: string) => `unikraft: stable\nlibraries: { a: { source: "${path}" } }\n`],
])('%s at a path that leads nowhere takes no other project away', async (_, kraftfile) => {
  await put('good/Kraftfile', 'spec: v0.6\nruntime: base\n');
  await symlink('loop', join(folder, 'good/loop'));
  await put('good/file', '');
  for (const path of [
    './loop',
    './loop/x',
    './file/x',
    `./${long}`,
    `./${long}/x`,
    `./${'d/'.repeat(3000)}`,
    './a\\0b',
  ]) {
    await put('app/Kraftfile', `spec: v0.7\ntargets: [qemu/x86_64]\n${kraftfile(path.replace('./', '../good/'))}`);
    const context = { workspaceRoot: folder, nxJsonConfiguration: {} };
    const found = await createProjects(['app/Kraftfile', 'good/Kraftfile'], {}, context);
    expect(found.flatMap(([, { projects }]) => Object.keys(projects ?? {}))).toEqual(['app', 'good']);
  }
});

test('what may not be read takes no other project away', async () => {
  const isRoot = process.geteuid?.() === 0;
  const runtime = 'spec: v0.7\nruntime: base\n';
  await put('good/Kraftfile', runtime);
  await put('app/Kraftfile', `${runtime}rootfs: { source: ./private, type: dockerfile }\n`);
  await put('app/private/Dockerfile', 'FROM scratch\n');
  await put('app/kraft.test.json', '{}');
  const places = ['app/private/Dockerfile', 'app/private', 'app/Kraftfile', 'app/kraft.test.json'];
  const context = { workspaceRoot: folder, nxJsonConfiguration: {} };
  await mkdir(join(folder, '.nx'));
  await chmod(join(folder, '.nx'), 0o777);
  await chmod(folder, 0o755);
  for (const place of places) {
    const { mode } = await stat(join(folder, place));
    await chmod(join(folder, place), 0);
    // For root nothing is private.
    if (isRoot) process.seteuid?.(65534);
    try {
      const found = await createProjects(['app/Kraftfile', 'good/Kraftfile'], {}, context);
      const projects = Object.assign({}, ...found.map(([, one]) => one.projects)) as ProjectsConfigurations['projects'];
      expect(Object.keys(projects)).toEqual(['app', 'good']);
      if (place === 'app/Kraftfile')
        expect(projects.app?.metadata?.description).toMatch(/^app\/Kraftfile: you may not/);
      else expect(projects.app?.targets?.rootfs?.cache).toBe(place === 'app/kraft.test.json');
    } finally {
      if (isRoot) process.seteuid?.(0);
      await chmod(join(folder, place), mode);
    }
  }
});

test('a build file that leads nowhere hides no unikernel within the folder that another one names', async () => {
  const kraftfile = 'spec: v0.6\nunikraft: { source: ../core }\ntargets: [qemu/x86_64]\n';
  await put('core/Makefile', '');
  await put('app/Kraftfile', kraftfile);
  await put('app/Makefile.uk', 'APP_SRCS-y += $(APP_BASE)/part/part.c\n');
  await put('app/part/Kraftfile', kraftfile);
  await symlink('none', join(folder, 'app/gone.mk'));
  const context = { workspaceRoot: folder, nxJsonConfiguration: {} };
  const found = await createProjects(['app/Kraftfile', 'app/part/Kraftfile'], {}, context);
  const { projects } = found.find(([file]) => file === 'app/Kraftfile')?.[1] ?? {};
  const { inputs, cache } = projects?.app?.targets?.['build:qemu-x86_64'] ?? {};
  expect(cache).toBe(true);
  expect(JSON.stringify(inputs)).toContain('{workspaceRoot}/app/part/**/*');
});

test('a kernel that takes something in by an absolute path is cached only where that is in the workspace', async () => {
  await put('app/Kraftfile', 'spec: v0.6\nunikraft: { source: ../core }\ntargets: [qemu/x86_64]\n');
  await put('core/Makefile', '');
  await put('shared/include/shared.h', '');
  const outside = await mkdtemp(join(tmpdir(), 'outside-'));
  const kernelTask = async (path: string): Promise<TargetConfiguration> => {
    await put('app/Makefile.uk', `APP_CINCLUDES-y += -I${path}\n`);
    return (await tasks())['build:qemu-x86_64'] ?? {};
  };
  try {
    expect(await kernelTask(join(outside, 'none'))).toMatchObject({ cache: true });
    expect(await kernelTask(outside)).toMatchObject({ cache: false });
    const inside = await kernelTask(join(folder, 'shared/include'));
    expect(inside.cache).toBe(true);
    expect(JSON.stringify(inside.inputs)).toContain('{workspaceRoot}/shared/include/**/*');
  } finally {
    await rm(outside, { recursive: true });
  }
});

test('a kernel with a source that is a link out of the workspace is not cached', async () => {
  await put('app/Kraftfile', 'spec: v0.6\nunikraft: { source: ../core }\ntargets: [qemu/x86_64]\n');
  await put('app/Makefile.uk', 'APP_SRCS-y += $(APP_BASE)/main.c\n');
  await put('core/Makefile', '');
  const outside = await mkdtemp(join(tmpdir(), 'outside-'));
  const kernelTask = async (): Promise<TargetConfiguration> => (await tasks())['build:qemu-x86_64'] ?? {};
  try {
    await symlink(outside, join(folder, 'app/result'));
    expect(await kernelTask()).toMatchObject({ cache: true });
    await symlink(join(outside, 'main.c'), join(folder, 'app/main.c'));
    expect(await kernelTask()).toMatchObject({ cache: false });
  } finally {
    await rm(outside, { recursive: true });
  }
});

test('files that scenarios look at count for tests, wherever they lie', async () => {
  await put('app/Kraftfile', 'spec: v0.6\nruntime: base\n');
  const test = async (text: string): Promise<TargetConfiguration> => {
    await put('app/kraft.test.json', text);
    return (await tasks()).test ?? {};
  };
  const looking = (path: unknown) => test(JSON.stringify({ scenarios: [null, {}, { files: [{}, { path }] }] }));
  expect(await looking('../log[1].txt')).toMatchObject({
    cache: true,
    inputs: expect.arrayContaining([{ fileset: '{workspaceRoot}/log[[]1].txt', includeIgnored: true }]) as unknown,
  });
  expect(await looking('../../outside')).toMatchObject({ cache: false });
  for (const text of ['', 'null', '{"scenarios":{}}']) expect(await test(text)).toMatchObject({ cache: true });
});

test('a volume by name is none of the folders in the workspace, whatever these are called', async () => {
  await put('app/data/db', '1');
  const volumes = async (text: string): Promise<TargetConfiguration> => {
    await put('app/Kraftfile', `spec: v0.6\nruntime: base\n${text}\n`);
    return (await tasks()).test ?? {};
  };
  vi.stubEnv('XDG_STATE_HOME', join(folder, 'state'));
  try {
    const here = await volumes('volumes: [data:/data]');
    expect(here.cache).toBe(true);
    expect(here.inputs).toEqual(
      expect.arrayContaining([
        { fileset: '{workspaceRoot}/app/data/**/*', includeIgnored: true },
        { fileset: '{projectRoot}/.unikraft/volume-details', includeIgnored: true },
      ]),
    );
    // What git ignores other tasks may have yet to make.
    await put('.gitignore', 'data\n');
    const script = '"${NX_KRAFT_NODE:-true}" "$NX_KRAFT_DETAILS"';
    const later = { runtime: `${script} 'app/.unikraft/volume-details'` };
    expect((await volumes('volumes: [data:/data]')).inputs).toContainEqual(later);
    await rm(join(folder, '.gitignore'));
    expect(await volumes('volumes: { data: { destination: /data } }')).toMatchObject({ cache: false });
    await put('state/nx-kraft/volumes/data/db', '1');
    expect(await volumes('volumes: [data:/data]')).toMatchObject({ cache: false });
    expect(await volumes('volumes: [./data:/data]')).toMatchObject({ cache: true });
  } finally {
    vi.unstubAllEnvs();
  }
});

test('variables that the Kraftfile of a remote template mentions are in the keys of kernels', async () => {
  await put('app/Kraftfile', 'spec: v0.6\ntemplate: { name: loader, version: v1 }\ntargets: [qemu/x86_64]\n');
  const locked = { revision: '1', components: ['core/unikraft@v1'], variables: ['LEVEL'] };
  const components = { 'app/loader@v1': locked, 'core/unikraft@v1': { revision: '1' } };
  await put('kraft.lock', JSON.stringify({ components }));
  const { inputs } = (await tasks())['build:qemu-x86_64'] ?? {};
  expect(inputs).toContainEqual({ env: 'LEVEL' });
});
