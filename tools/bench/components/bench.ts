// Resolving and fetching components against git clone of the same local remotes.
//   npx node tools/bench/components/bench.ts [KRAFTFILES] [COMPONENTS] [FILES]
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { run } from '@nx-kraft/base';
import {
  fetchComponent,
  openStore,
  readLock,
  resolveComponent,
  type Store,
  updateLock,
  writeLock,
} from '@nx-kraft/components';

const [kraftfiles = 200, components = 10, files = 300] = process.argv.slice(2).map(Number);
const folder = await mkdtemp(join(tmpdir(), 'bench-components-'));
const names = Array.from({ length: components }, (_, index) => `lib${index}`);

async function makeRemote(name: string): Promise<void> {
  const remote = join(folder, 'remotes', name);
  await mkdir(join(remote, 'src'), { recursive: true });
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=bench', '-c', 'user.email=bench@example.com', ...args], { cwd: remote });
  git('init', '--quiet', '--initial-branch=stable');
  for (let commit = 0; commit < 10; commit++) {
    for (let index = commit; index < files; index += commit === 0 ? 1 : 10) {
      const line = `int ${name}_${index}_${commit}(int a) { return a * ${index}; }\n`;
      await writeFile(join(remote, 'src', `file${index}.c`), line.repeat(60));
    }
    git('add', '--all');
    git('commit', '--quiet', '--message', `commit ${commit}`);
  }
}

const urlOf = (name: string): string => pathToFileURL(join(folder, 'remotes', name)).href;
const index = [
  'manifests:',
  ...names.map(
    (name) =>
      `- {name: ${name}, type: lib, origin: ${urlOf(name)}, channels: [{name: stable, resource: ${urlOf(name)}}]}`,
  ),
].join('\n');
let indexRequests = 0;
const server = createServer((_, response) => {
  indexRequests++;
  response.end(index);
});
await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
const address = server.address();
const indexes = [`http://127.0.0.1:${typeof address === 'object' ? (address?.port ?? 0) : 0}/index.yaml`];

let gitCalls = 0;
function openCountingStore(): Store {
  return openStore({
    folder: join(folder, 'store'),
    network: {
      git: (args, options) => {
        gitCalls++;
        return run('git', args, options);
      },
      fetch: (input, init) => fetch(input, init),
    },
  });
}

/** One Kraftfile with three of the components. */
const requests = Array.from({ length: kraftfiles }, (_, kraftfile) =>
  [0, 1, 2].map((step) => ({ type: 'library', name: names[(kraftfile + step) % components] ?? '' }) as const),
);
const noImages = (): Promise<string> => Promise.reject(new Error('no images'));
const lockFile = join(folder, 'kraft.lock');

async function time(work: () => Promise<unknown>): Promise<number> {
  const begin = performance.now();
  await work();
  return performance.now() - begin;
}

async function fetchAll(): Promise<void> {
  const store = openCountingStore();
  await Promise.all(
    requests.flat().map(async (request) => {
      const resolution = await resolveComponent(request, { store, baseDirectory: folder, indexes });
      await fetchComponent(resolution, store);
    }),
  );
}

async function cloneAll(times: number): Promise<void> {
  // Two at a time, as many as the machine of the figures has processors.
  const jobs = Array.from({ length: times }, (_, job) => job).values();
  const work = async (): Promise<void> => {
    for (const job of jobs) {
      const target = join(folder, 'clones', `${times}-${job}`);
      await run('git', ['clone', '--quiet', '--depth=1', urlOf(names[job % components] ?? ''), target]);
    }
  };
  await Promise.all([work(), work()]);
  await rm(join(folder, 'clones'), { recursive: true });
}

async function removeStore(): Promise<void> {
  await mkdir(join(folder, 'store'), { recursive: true });
  await run('chmod', ['-R', 'u+w', join(folder, 'store')]);
  await rm(join(folder, 'store'), { recursive: true });
}

/** Reads the lock and finds the three components of one app, as every task of that app does. */
async function warmApp(): Promise<void> {
  const store = openStore({ folder: join(folder, 'store') });
  const lock = await readLock(lockFile);
  for (const request of requests[0] ?? []) {
    const resolution = await resolveComponent(request, { store, baseDirectory: folder, lock, offline: true });
    await fetchComponent(resolution, store, { offline: true });
  }
}

function row(what: string, ours: number, peer: number, peerName: string, goal: string): void {
  const cells = [what, ours.toFixed(1), `${peer.toFixed(1)} (${peerName})`, (ours / peer).toFixed(3), goal];
  process.stdout.write(`| ${cells.join(' | ')} |\n`);
}

for (const name of names) await makeRemote(name);
// Disks are moody: the best of three rounds, in turns.
const colds: number[] = [];
const peers: number[] = [];
let asked = { indexRequests: 0, gitCalls: 0 };
for (let round = 0; round < 3; round++) {
  await removeStore();
  indexRequests = gitCalls = 0;
  colds.push(await time(fetchAll));
  asked = { indexRequests, gitCalls };
  peers.push(await time(() => cloneAll(components)));
}
const cold = Math.min(...colds);
const clones = Math.min(...peers);
const naive = await time(() => cloneAll(kraftfiles));

const placed = requests.flat().map((request) => ({ request, baseDirectory: folder }));
const store = openCountingStore();
await writeLock(
  lockFile,
  await updateLock(undefined, { components: placed, images: [] }, { store, indexes, resolveDigest: noImages }),
);
const first = await time(warmApp);
const runs: number[] = [];
for (let count = 0; count < 101; count++) runs.push(await time(warmApp));
const median = runs.toSorted((a, b) => a - b)[50] ?? 0;
const oneClone = await time(() => cloneAll(3));

process.stdout.write(
  `| ${components} components of ${files} files | ours, ms | peer, ms | ratio | goal |\n| - | - | - | - | - |\n`,
);
row(`${kraftfiles} Kraftfiles, empty store`, cold, clones, `${components} shallow clones`, '');
row('the same', cold, naive, `a shallow clone for each`, '');
row('one app, warm store and lock, first in a process', first, oneClone, '3 shallow clones', '5 ms');
row('one app, warm store and lock, median', median, oneClone, '3 shallow clones', '5 ms');
process.stdout.write(
  `\n${kraftfiles * 3} requests asked the index ${asked.indexRequests} times and git ${asked.gitCalls} times (goal: 1 and ${2 * components}: what is there, and its files).\n`,
);
server.close();
await removeStore();
await rm(folder, { recursive: true });
