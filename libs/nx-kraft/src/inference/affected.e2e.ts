import { rm } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { lockField } from '@nx-kraft/components';
import { TestWorkspace } from '../../test/workspace.ts';

const commit = 'a'.repeat(40);
const digest = `sha256:${'b'.repeat(64)}`;
const lock = {
  components: Object.fromEntries(
    ['core/unikraft@stable', 'lib/musl@stable', 'lib/lwip@stable'].map((name) => [lockField(name), { commit }]),
  ),
  images: Object.fromEntries(
    ['unikraft.org/base:latest', 'unikraft.org/redis:7', 'docker.io/library/debian:12'].map((name) => [
      lockField(name),
      digest,
    ]),
  ),
};

const core = 'unikraft: { source: ../../core }';

/** Applications that share libraries, a template, a runtime and a base image, some of each. */
const sources: Readonly<Record<string, string>> = {
  'core/Makefile': '',
  'core/plat/start.c': '',
  'libs/net/Makefile.uk': '',
  'libs/net/net.c': '',
  'libs/fmt/Makefile.uk': '',
  'libs/fmt/fmt.c': '',
  'apps/web/Kraftfile': `spec: v0.6\n${core}\nlibraries: { net: { source: ../../libs/net } }\nrootfs: ./rootfs\ntargets: [qemu/x86_64, fc/x86_64]\n`,
  'apps/web/Makefile.uk': '',
  'apps/web/main.c': '',
  'apps/web/README.md': '',
  'apps/web/kraft.test.json': '{}',
  'apps/web/rootfs/motd': '',
  'apps/api/Kraftfile': `spec: v0.6\n${core}\nlibraries:\n  net: { source: ../../libs/net }\n  fmt: { source: ../../libs/fmt }\nrootfs: ./Dockerfile\ntargets: [qemu/x86_64]\n`,
  'apps/api/Dockerfile': 'FROM debian:12\nCOPY site /site\n',
  'apps/api/site/index.html': '',
  'apps/admin/Kraftfile': `spec: v0.6\n${core}\nlibraries: { fmt: { source: ../../libs/fmt } }\ntargets: [qemu/x86_64]\n`,
  'apps/shop/Kraftfile': 'spec: v0.6\ntemplate: { source: ../web }\nrootfs: ./files\ntargets: [qemu/x86_64]\n',
  'apps/shop/files/motd': '',
  'apps/cache/Kraftfile': 'spec: v0.6\nruntime: base:latest\nrootfs: ./files\n',
  'apps/cache/files/motd': '',
  'apps/cron/Kraftfile': 'spec: v0.6\nruntime: base:latest\nrootfs: ./files\n',
  'apps/cron/files/motd': '',
  'apps/cron/kraft.deploy.json': '{}',
  'apps/queue/Kraftfile': 'spec: v0.6\nruntime: redis:7\nrootfs: ./Dockerfile\n',
  'apps/queue/Dockerfile': 'FROM debian:12\nCOPY conf /conf\n',
  'apps/queue/conf/redis.conf': '',
  'apps/far/Kraftfile': 'spec: v0.6\nunikraft: stable\nlibraries: { musl: stable }\ntargets: [qemu/x86_64]\n',
  'tool/project.json': '{ "name": "tool", "targets": { "build": { "command": "true" } } }',
  'kraft.lock': JSON.stringify(lock),
};

let workspace: TestWorkspace;

beforeAll(async () => {
  workspace = await TestWorkspace.create();
  for (const [path, text] of Object.entries(sources)) await workspace.write(path, text);
  await workspace.commit('all');
});
afterEach(async () => {
  await workspace.git('checkout', '--quiet', '.');
  await workspace.git('clean', '--quiet', '-d', '--force');
});
afterAll(() => workspace.remove());

type Change = () => Promise<unknown>;

const write =
  (path: string, text = 'new'): Change =>
  () =>
    workspace.write(path, text);
const relock =
  (kind: 'components' | 'images', name: string, value: unknown): Change =>
  () => {
    const changed = { ...lock, [kind]: { ...lock[kind], [lockField(name)]: value } };
    return workspace.write('kraft.lock', JSON.stringify(changed));
  };

const everybody = ['admin', 'api', 'cache', 'cron', 'far', 'queue', 'shop', 'web'];
const moved = { commit: 'c'.repeat(40) };
const other = `sha256:${'d'.repeat(64)}`;

test.each<readonly [string, Change, readonly string[]]>([
  ['the core', write('core/plat/start.c'), ['admin', 'api', 'shop', 'web']],
  ['a library that two share, and one by its template', write('libs/net/net.c'), ['api', 'shop', 'web']],
  ['another library', write('libs/fmt/fmt.c'), ['admin', 'api']],
  ['a document of a library', write('libs/net/README.md'), []],
  ['an application that is a template, too', write('apps/web/main.c'), ['shop', 'web']],
  ['the Kraftfile of a template', () => workspace.edit('apps/web/Kraftfile', 'fc/x86_64', 'fc/arm64'), ['shop', 'web']],
  ['the root file system of a template', write('apps/web/rootfs/motd'), ['web']],
  ['a document of an application', write('apps/web/README.md'), []],
  ['scenarios', write('apps/web/kraft.test.json'), ['web']],
  ['settings of a deployment', write('apps/cron/kraft.deploy.json', '{ }'), ['cron']],
  ['the root file system of one on a template', write('apps/shop/files/motd'), ['shop']],
  ['the root file system of one on a runtime', write('apps/cache/files/motd'), ['cache']],
  ['a Dockerfile', write('apps/api/Dockerfile', 'FROM debian:12\nCOPY site /www\n'), ['api']],
  ['what a Dockerfile copies', write('apps/queue/conf/redis.conf'), ['queue']],
  ['what nobody reads', write('docs/index.html'), []],
  ['a project of another kind', write('tool/index.js'), ['tool']],
  ['a new application', write('apps/new/Kraftfile', 'spec: v0.6\nruntime: base:latest\n'), ['new']],
  ['the lock: a runtime', relock('images', 'unikraft.org/base:latest', other), ['cache', 'cron']],
  ['the lock: a base image', relock('images', 'docker.io/library/debian:12', other), ['api', 'queue']],
  ['the lock: a library', relock('components', 'lib/musl@stable', moved), ['far']],
  ['the lock: the core', relock('components', 'core/unikraft@stable', moved), ['far']],
  ['the lock: what nobody names', relock('components', 'lib/lwip@stable', moved), []],
  ['no lock', () => rm(workspace.path('kraft.lock')), ['api', 'cache', 'cron', 'far', 'queue']],
  ['nx.json', () => workspace.edit('nx.json', '"analytics"', '"parallel":2,"analytics"'), [...everybody, 'tool']],
])('%s', async (_what, change, projects) => {
  await change();
  const { output } = await workspace.nx(
    ...['affected', '--targets=build,rootfs,package,push,test,lint,deploy', '--base=HEAD', '--graph=stdout'],
  );
  const { tasks } = JSON.parse(output.slice(output.indexOf('{'))) as {
    tasks: { tasks: Record<string, { target: { project: string } }> };
  };
  const affected = new Set(Object.values(tasks.tasks).map(({ target }) => target.project));
  expect([...affected].toSorted(), Object.keys(tasks.tasks).join(' ')).toEqual(projects.toSorted());
});

test('where Nx takes whole projects, a change of the lock takes all that something is locked for', async () => {
  const affected = async (): Promise<readonly string[]> =>
    (await workspace.nx('show', 'projects', '--affected', '--base=HEAD')).output.trim().split('\n').toSorted();
  Object.assign(workspace.environment, { NX_LEGACY_AFFECTED: 'true' });
  try {
    await relock('components', 'lib/musl@stable', moved)();
    expect(await affected()).toEqual(['api', 'cache', 'cron', 'far', 'queue']);
  } finally {
    delete workspace.environment.NX_LEGACY_AFFECTED;
  }
});
