// What the plugin costs Nx, against the same projects with as many tasks that do nothing, and against these with a plugin
// that does nothing. Needs `nx run nx-kraft-workspace:dist` first: the plugin is measured as it is published.
//   npx node tools/bench/nx/bench.ts graph [COUNT...]    the project graph: cold, warm, after a change; and with the daemon
//   npx node tools/bench/nx/bench.ts run [COUNT]         `nx run-many -t build package`, all of it from the cache
//   npx node tools/bench/nx/bench.ts batch [COUNT]       root file systems that are in no cache, one process each and in one
//   npx node tools/bench/nx/bench.ts memory              what the plugin keeps in memory for each Kraftfile
import { execFileSync } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildable, writeCore } from './buildable.ts';
import { type Files, applicationFiles } from './shapes.ts';
import { addEmptyPlugin, makePeer, makeWorkspace } from './workspaces.ts';

const rounds = 5;

/** Folders of workspaces, by what their column is called. */
type Contenders = ReadonlyMap<string, string>;
const ours = 'Kraftfiles';
const peer = 'peer';

const scratch = await mkdtemp(join(tmpdir(), 'bench-nx-'));

/** A workspace, its peer, and the peer with a plugin that does nothing: less than that no plugin can cost. */
async function makeContenders(count: number, filesOf: (index: number) => Files): Promise<Contenders> {
  const kraft = await makeWorkspace(join(scratch, `kraft-${count}`), count, filesOf);
  nx(kraft, ['show', 'projects']);
  const graph = join(dataOf(kraft), 'project-graph.json');
  const plain = await makePeer(join(scratch, `plain-${count}`), kraft, graph);
  const empty = await addEmptyPlugin(await makePeer(join(scratch, `empty-${count}`), kraft, graph));
  return new Map([
    [ours, kraft],
    [peer, plain],
    ['peer with an empty plugin', empty],
  ]);
}

/**
 * The contenders, and one more: the peer with an empty plugin, whose tasks find the results of ours where they declare theirs, so
 * that Nx has as much to keep and to restore.
 */
async function withSameResults(contenders: Contenders): Promise<Contenders> {
  const kraft = contenders.get(ours) ?? '';
  const same = `${kraft}-same`;
  const graph = join(dataOf(kraft), 'project-graph.json');
  await addEmptyPlugin(await makePeer(same, kraft, graph));
  await cp(join(kraft, 'apps'), join(same, 'apps'), {
    recursive: true,
    filter: (path) => !/\/(Kraftfile|\.unikraft\/work)$/.test(path),
  });
  return new Map([...contenders, ['empty plugin, same results', same]]);
}

/** Where Nx has its data by default: in any other folder its daemon watches its own log, and tells each of its lines there. */
function dataOf(folder: string): string {
  return join(folder, '.nx/workspace-data');
}

/** Runs Nx and gives how long it took, in milliseconds. */
function nx(folder: string, args: readonly string[], environment: Readonly<Record<string, string>> = {}): number {
  const started = performance.now();
  execFileSync(join(folder, 'node_modules/.bin/nx'), args, {
    cwd: folder,
    maxBuffer: 1 << 30,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      ...process.env,
      PATH: `${join(folder, 'node_modules/.bin')}:${process.env.PATH}`,
      NX_DAEMON: 'false',
      NX_WORKSPACE_DATA_DIRECTORY: dataOf(folder),
      NX_CACHE_DIRECTORY: join(folder, '.nx/cache'),
      NX_KRAFT_OBJECTS: join(scratch, 'objects'),
      ...environment,
    },
  });
  return performance.now() - started;
}

async function benchGraph(sizes: readonly number[]): Promise<void> {
  for (const count of sizes) {
    const contenders = await makeContenders(count, applicationFiles);
    const show = ['show', 'projects'];
    const times = new Times();
    for (let round = 0; round < rounds; round++) {
      for (const [name, folder] of contenders) {
        await rm(join(folder, '.nx'), { recursive: true, force: true });
        times.add('cold', name, nx(folder, show));
        times.add('warm', name, nx(folder, show));
        appendFileSync(join(folder, 'apps/group0/app0/src/main.c'), '\n');
        times.add('one change', name, nx(folder, show));
      }
    }
    for (const [name, folder] of contenders) withDaemon(folder, name, times);
    times.print('projects', count);
    for (const folder of contenders.values()) await rm(folder, { recursive: true });
  }
}

/** Where Nx's daemon is wanted, also in CI. */
const daemon = { NX_DAEMON: 'true', CI: 'false' };

function withDaemon(folder: string, name: string, times: Times): void {
  try {
    nx(folder, ['show', 'projects'], daemon);
    for (let round = 0; round < rounds; round++) {
      times.add('daemon, warm', name, nx(folder, ['show', 'projects'], daemon));
      appendFileSync(join(folder, 'apps/group0/app0/src/main.c'), '\n');
      // The daemon waits for more changes before it begins; whoever asks meanwhile waits for it.
      times.add('daemon, one change', name, nx(folder, ['show', 'projects'], daemon));
    }
  } finally {
    nx(folder, ['daemon', '--stop'], daemon);
  }
}

async function benchRun(count: number): Promise<void> {
  await writeCore(join(scratch, `kraft-${count}`));
  const args = ['run-many', '-t', 'build', 'package', '--outputStyle=static'];
  const few = await makeContenders(count, buildable);
  nx(few.get(ours) ?? '', args);
  const contenders = await withSameResults(few);
  for (const folder of contenders.values()) nx(folder, args);
  const times = new Times();
  for (let round = 0; round < rounds; round++) {
    for (const [name, folder] of contenders) times.add('all cached', name, nx(folder, args));
  }
  try {
    for (const folder of contenders.values()) nx(folder, args, daemon);
    for (let round = 0; round < rounds; round++) {
      for (const [name, folder] of contenders) times.add('all cached, daemon', name, nx(folder, args, daemon));
    }
  } finally {
    for (const folder of contenders.values()) nx(folder, ['daemon', '--stop'], daemon);
  }
  times.print('apps', count);
}

/** The same tasks with and without `--batch`: a process of Nx's for each, or one for all. */
async function benchBatch(count: number): Promise<void> {
  const folder = await makeWorkspace(join(scratch, `batch-${count}`), count, buildable);
  const args = ['run-many', '-t', 'rootfs', '--skip-nx-cache'];
  const together: number[] = [];
  const alone: number[] = [];
  for (let round = 0; round < 3; round++) {
    together.push(nx(folder, [...args, '--batch']));
    alone.push(nx(folder, args));
  }
  const [one, each] = [median(together), median(alone)];
  process.stdout.write(
    `${count} root file systems: ${one.toFixed(0)} ms in a batch, ${each.toFixed(0)} ms one by one\n`,
  );
}

/** The heap of a process that has inferred workspaces of two sizes, after all garbage is gone. */
async function benchMemory(): Promise<void> {
  const kept: number[] = [];
  const sizes = [1000, 5000] as const;
  for (const count of sizes) {
    const folder = await makeWorkspace(join(scratch, `memory-${count}`), count);
    await mkdir(dataOf(folder), { recursive: true });
    const script = `
      import { globSync } from 'node:fs';
      import { createNodes } from 'nx-kraft/plugin';
      const files = globSync('apps/*/*/{Kraftfile,kraft.yaml}').sort();
      if (files.length !== ${count}) throw new Error(files.length + ' Kraftfiles');
      await createNodes[1](files, undefined, { workspaceRoot: process.cwd(), nxJsonConfiguration: {} });
      gc();
      console.log(process.memoryUsage().heapUsed);`;
    const output = execFileSync(process.execPath, ['--expose-gc', '--input-type=module', '--eval', script], {
      cwd: folder,
      env: { ...process.env, NX_WORKSPACE_DATA_DIRECTORY: dataOf(folder) },
      encoding: 'utf8',
    });
    kept.push(Number(output) / 1024);
  }
  const [small = 0, large = 0] = kept;
  const each = (large - small) / (sizes[1] - sizes[0]);
  process.stdout.write(`kept for each Kraftfile: ${each.toFixed(1)} KiB (${small.toFixed(0)}, ${large.toFixed(0)})\n`);
}

/** Times by what was done and by contender, both in the order in which they were first told. */
class Times {
  readonly #all = new Map<string, Map<string, number[]>>();

  add(state: string, contender: string, time: number): void {
    const ofState = this.#all.get(state) ?? new Map<string, number[]>();
    this.#all.set(state, ofState.set(contender, [...(ofState.get(contender) ?? []), time]));
  }

  /** A table of medians in milliseconds, with the ratio of each to the peer. */
  print(what: string, count: number): void {
    const [first = new Map<string, number[]>()] = this.#all.values();
    row(what, 'state', ...first.keys());
    row('---', '---', ...[...first].map(() => '---'));
    for (const [state, times] of this.#all) {
      const least = median(times.get(peer) ?? []);
      const medians = [...times.values()].map(median);
      row(count, state, ...medians.map((time) => `${time.toFixed(0)} (${(time / least).toFixed(2)})`));
    }
  }
}

function row(...cells: readonly (string | number)[]): void {
  process.stdout.write(`| ${cells.join(' | ')} |\n`);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

try {
  const [what = 'graph', ...words] = process.argv.slice(2);
  const counts = words.map(Number);
  if (what === 'run') await benchRun(counts[0] ?? 100);
  else if (what === 'batch') await benchBatch(counts[0] ?? 100);
  else if (what === 'memory') await benchMemory();
  else await benchGraph(counts.length === 0 ? [10, 100, 1000, 5000] : counts);
} finally {
  await rm(scratch, { recursive: true, force: true });
}
