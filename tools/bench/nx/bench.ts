// What the plugin costs Nx: the time of `nx show projects` in a workspace of Kraftfiles, against the same number of
// package.json projects with no-op tasks. Without Nx's daemon; rounds are interleaved, medians are told.
//   npx node tools/bench/nx/bench.ts [PROJECTS...]
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const counts = process.argv.length > 2 ? process.argv.slice(2).map(Number) : [1, 100, 1000];
const rounds = 5;
const repository = resolve(import.meta.dirname, '../../..');

async function makeWorkspace(count: number, kind: 'kraftfile' | 'package'): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), `bench-nx-${kind}-`));
  await symlink(join(repository, 'node_modules'), join(folder, 'node_modules'));
  const plugins = kind === 'kraftfile' ? ['nx-kraft'] : [];
  await writeFile(join(folder, 'nx.json'), JSON.stringify({ plugins, neverConnectToCloud: true, analytics: false }));
  const workspaces = kind === 'package' ? ['apps/*/*'] : [];
  await writeFile(join(folder, 'package.json'), JSON.stringify({ name: 'bench', private: true, workspaces }));
  for (let index = 0; index < count; index++) {
    const project = join(folder, 'apps', `group${index % 20}`, `app${index}`);
    await mkdir(join(project, 'rootfs'), { recursive: true });
    await writeFile(join(project, 'main.c'), `int main(void) { return ${index % 7}; }\n`);
    await writeFile(join(project, 'rootfs/file'), `${index}\n`);
    if (kind === 'kraftfile') await writeFile(join(project, 'Kraftfile'), kraftfile(index));
    else await writeFile(join(project, 'package.json'), packageJson(index));
  }
  return folder;
}

/** Of the shape that most Kraftfiles with a kernel from source have, each a little different. */
function kraftfile(index: number): string {
  return `spec: v0.6
name: app${index}
unikraft:
  version: stable
  kconfig:
    CONFIG_LIBVFSCORE: 'y'
    CONFIG_LIBUKDEBUG_PRINTK_INFO: 'y'
    CONFIG_STACK_SIZE_PAGE_ORDER: ${(index % 4) + 2}
libraries:
  musl: stable
  lwip:
    version: stable
    kconfig:
      CONFIG_LWIP_IPV6: 'n'
rootfs: ./rootfs
cmd: ["/app${index}", "--port", "${8000 + index}"]
targets:
  - qemu/x86_64
  - fc/x86_64
  - name: arm
    platform: qemu
    architecture: arm64
    kconfig:
      CONFIG_ARM64_GENERIC: 'y'
`;
}

function packageJson(index: number): string {
  const targets = Object.fromEntries(
    ['build', 'a', 'b', 'c', 'rootfs', 'package', 'run', 'test', 'lint'].map((name) => [name, { executor: 'nx:noop' }]),
  );
  return JSON.stringify({ name: `app${index}`, version: '1.0.0', nx: { targets } });
}

function showProjects(folder: string): number {
  const started = performance.now();
  const projects = execFileSync(join(repository, 'node_modules/.bin/nx'), ['show', 'projects'], {
    cwd: folder,
    env: {
      ...process.env,
      PATH: `${join(repository, 'node_modules/.bin')}:${process.env.PATH}`,
      NX_DAEMON: 'false',
      NX_WORKSPACE_DATA_DIRECTORY: join(folder, '.nx/data'),
      NX_CACHE_DIRECTORY: join(folder, '.nx/cache'),
    },
  });
  if (!projects.toString().includes('app')) throw new Error('Nx found no project');
  return performance.now() - started;
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

process.stdout.write(
  '| projects | graph | Kraftfiles, ms | package.json, ms | ratio | more for each Kraftfile, ms |\n',
);
process.stdout.write('| --- | --- | --- | --- | --- | --- |\n');
for (const count of counts) {
  const [kraft, plain] = await Promise.all([makeWorkspace(count, 'kraftfile'), makeWorkspace(count, 'package')]);
  try {
    const times = {
      cold: { kraft: [] as number[], plain: [] as number[] },
      warm: { kraft: [] as number[], plain: [] as number[] },
    };
    for (let round = 0; round < rounds; round++) {
      for (const [name, folder] of [
        ['kraft', kraft],
        ['plain', plain],
      ] as const) {
        await rm(join(folder, '.nx'), { recursive: true, force: true });
        times.cold[name].push(showProjects(folder));
        times.warm[name].push(showProjects(folder));
      }
    }
    for (const state of ['cold', 'warm'] as const) {
      const [ours, theirs] = [median(times[state].kraft), median(times[state].plain)];
      const each = (ours - theirs) / count;
      process.stdout.write(
        `| ${count} | ${state} | ${ours.toFixed(0)} | ${theirs.toFixed(0)} | ${(ours / theirs).toFixed(2)} | ${each.toFixed(2)} |\n`,
      );
    }
  } finally {
    await Promise.all([kraft, plain].map((folder) => rm(folder, { recursive: true, force: true })));
  }
}
