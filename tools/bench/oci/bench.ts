// Pushes and pulls against skopeo on Docker's registry in memory; listings of a large store.
//   npx node tools/bench/oci/bench.ts [MEBIBYTES] [ROUNDS]
//   npx node tools/bench/oci/bench.ts list
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  catalogColumns,
  type Descriptor,
  formatTable,
  ImageStore,
  Layout,
  listStore,
  packageImage,
  type PackageTarget,
  parseReference,
  pullImage,
  pushImage,
  RegistryClient,
} from '@nx-kraft/oci';
import { startRegistry } from '../../../libs/oci/test/registry.ts';

const [first = '200', second = '5', third = ''] = process.argv.slice(2);
const nobody = () => Promise.resolve(undefined);

if (first === 'push') await pushOnce(second, third);
else if (first === 'pull') await pullOnce(second, third);
else if (first === 'nothing') report(performance.now());
else if (first === 'list') await listMany(1000);
else await compare(Number(first), Number(second));

async function pushOnce(layoutFolder: string, to: string): Promise<void> {
  const start = performance.now();
  const client = new RegistryClient({ credentials: nobody });
  const layout = await Layout.open(layoutFolder);
  const [descriptor] = await layout.roots();
  if (descriptor === undefined) throw new Error('empty layout');
  const root = { descriptor, bytes: await layout.readBlob(descriptor.digest) };
  await pushImage(client, layout, root, parseReference(to));
  client.close();
  report(start);
}

async function pullOnce(storeFolder: string, from: string): Promise<void> {
  const start = performance.now();
  const client = new RegistryClient({ credentials: nobody });
  await pullImage(client, parseReference(from), await ImageStore.open(storeFolder));
  client.close();
  report(start);
}

/**
 * Time since `start`, so without Node's own start and the loading of sources, and the most memory so far in KiB. The
 * system call for the latter would count the parent's memory before the program began.
 */
function report(start: number): void {
  const memory = /VmHWM:\s*(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
  process.stdout.write(`${performance.now() - start} ${memory}`);
}

async function compare(mebibytes: number, rounds: number): Promise<void> {
  // Blobs, the registry's too, lie in memory: a disk's moods are larger than what is compared.
  const folder = await mkdtemp('/dev/shm/bench-oci-');
  process.env.TMPDIR = folder;
  const registry = await startRegistry();
  const times: Record<string, number[]> = {};
  const memory: Record<'push' | 'pull', number[]> = { push: [], pull: [] };
  const take = (name: string, time: number) => (times[name] ??= []).push(time);
  try {
    for (let round = 0; round < rounds; round++) {
      for (const [kind, targets, size] of [
        ['one layer', 1, mebibytes],
        ['4 targets', 4, mebibytes / 10],
      ] as const) {
        const layoutFolder = join(folder, 'layout');
        const name = `${kind.replace(' ', '-')}-${round}`;
        await makeLayout(folder, layoutFolder, targets, size);
        const [ours, theirs] = [`${registry.host}/ours/${name}:1`, `${registry.host}/theirs/${name}:1`];
        const peerPush = () => copyBySkopeo(`oci:${layoutFolder}`, `docker://${theirs}`);
        const ourPush = () => runSelf('push', layoutFolder, ours, memory.push);
        // The registry stores equal blobs of two repositories once, but takes them both.
        pair(`push, ${kind}`, round, ourPush, peerPush, take);
        take(`push again, ${kind}, ours`, await pushAgain(layoutFolder, ours));
        const ourPull = () => runSelf('pull', join(folder, `store-${name}`), ours, memory.pull);
        const peerPull = () => copyBySkopeo(`docker://${ours}`, `oci:${join(folder, `copy-${name}`)}:1`);
        pair(`pull, ${kind}`, round, ourPull, peerPull, take);
        for (const copy of ['layout', `store-${name}`, `copy-${name}`])
          await rm(join(folder, copy), { recursive: true });
      }
    }
  } finally {
    await registry.stop();
    await rm(folder, { recursive: true });
  }
  const idle: number[] = [];
  const before = cpuOfChildren();
  runSelf('nothing', '', '', idle);
  const start = cpuOfChildren() - before;
  for (const [name, all] of Object.entries(times)) print(name, `${median(all).toFixed(0)} ms`);
  for (const kind of ['one layer', '4 targets'])
    for (const way of ['push', 'pull']) {
      const ratio = median(times[`${way}, ${kind}, ours`] ?? []) / median(times[`${way}, ${kind}, skopeo`] ?? []);
      print(`${way}, ${kind}: ours / skopeo`, ratio.toFixed(2));
      const cpu = (who: string) => median(times[`${way}, ${kind}, ${who}, CPU`] ?? []);
      print('  the same in CPU, without our start', ((cpu('ours') - start) / cpu('skopeo')).toFixed(2));
    }
  await listMany(1000);
  for (const way of ['push', 'pull'] as const) {
    const above = (Math.max(...memory[way]) - Math.max(...idle)) / 1024;
    print(`most memory of a ${way} above the idle program`, `${above.toFixed(0)} MiB`);
  }
}

async function makeLayout(folder: string, layoutFolder: string, count: number, mebibytes: number): Promise<void> {
  await mkdir(join(folder, 'files'), { recursive: true });
  const platforms = ['qemu', 'fc', 'xen', 'kraftcloud'].slice(0, count);
  const targets: PackageTarget[] = [];
  for (const platform of platforms) {
    const [kernel, initrd] = [join(folder, 'files', `${platform}.kernel`), join(folder, 'files', `${platform}.cpio`)];
    await writeFile(kernel, randomBytes(1024 * 1024));
    await writeFile(initrd, randomBytes(mebibytes * 1024 * 1024));
    targets.push({ architecture: 'x86_64', platform, kernel, initrd });
  }
  await packageImage({ reference: 'bench:1', toolVersion: 'bench', targets }, layoutFolder);
  await rm(join(folder, 'files'), { recursive: true });
}

async function pushAgain(layoutFolder: string, to: string): Promise<number> {
  const client = new RegistryClient({ credentials: nobody });
  const layout = await Layout.open(layoutFolder);
  const start = performance.now();
  const [descriptor] = await layout.roots();
  if (descriptor === undefined) throw new Error('empty layout');
  const root = { descriptor, bytes: await layout.readBlob(descriptor.digest) };
  await pushImage(client, layout, root, parseReference(to));
  client.close();
  return performance.now() - start;
}

/** A store of so many images, each with a KConfig of 300 options in three copies, as real ones have. */
async function listMany(count: number): Promise<void> {
  const folder = await mkdtemp('/dev/shm/bench-oci-ls-');
  try {
    const store = await ImageStore.open(folder);
    const features = Array.from({ length: 300 }, (_, option) => `CONFIG_LIBSOMETHING_OPTION_${option}=y`);
    const platform = { architecture: 'x86_64', os: 'qemu', 'os.features': features };
    const roots: Descriptor[] = [];
    const { layout } = store;
    const put = (document: object, type: string) => layout.writeBlob(Buffer.from(JSON.stringify(document)), type);
    for (let image = 0; image < count; image++) {
      const name = `unikraft.org/team/app-${image}:1`;
      const layer = await layout.writeBlob(Buffer.from(name), 'application/vnd.oci.image.layer.v1.tar');
      const rootfs = { type: 'layers', diff_ids: [layer.digest] };
      const config = await put({ ...platform, config: {}, rootfs }, 'application/vnd.oci.image.config.v1+json');
      const manifest = await put(
        { schemaVersion: 2, config: { ...config, platform }, layers: [layer] },
        'application/vnd.oci.image.manifest.v1+json',
      );
      const manifests = [{ ...manifest, platform }];
      const index = await put({ schemaVersion: 2, manifests }, 'application/vnd.oci.image.index.v1+json');
      roots.push({ ...index, annotations: { 'org.opencontainers.image.ref.name': name } });
    }
    await layout.changeRoots(() => roots);
    for (const which of ['first', 'second', 'third']) {
      const start = performance.now();
      formatTable(catalogColumns, await listStore(store), 120);
      print(`list ${count} images, ${which} time`, `${(performance.now() - start).toFixed(0)} ms`);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
}

function pair(
  name: string,
  round: number,
  ours: () => number,
  peer: () => number,
  take: (name: string, time: number) => void,
): void {
  // Whoever comes second finds warm caches, so they take turns.
  const order = round % 2 === 0 ? [ours, peer] : [peer, ours];
  for (const way of order) {
    const before = cpuOfChildren();
    const who = way === ours ? 'ours' : 'skopeo';
    take(`${name}, ${who}`, way());
    take(`${name}, ${who}, CPU`, cpuOfChildren() - before);
  }
}

/** Milliseconds of processors that programs have taken which this one has waited for; from /proc, in steps of 10. */
function cpuOfChildren(): number {
  const fields = readFileSync('/proc/self/stat', 'latin1')
    .replace(/^.*\) /s, '')
    .split(' ');
  return (Number(fields[13]) + Number(fields[14])) * 10;
}

function copyBySkopeo(from: string, to: string): number {
  const flags = ['--all', '--preserve-digests', '--src-tls-verify=false', '--dest-tls-verify=false', '--quiet'];
  const start = performance.now();
  const { status } = spawnSync('skopeo', ['copy', ...flags, from, to], { stdio: 'inherit' });
  if (status !== 0) throw new Error('skopeo failed');
  return performance.now() - start;
}

function runSelf(way: string, folder: string, reference: string, memory: number[]): number {
  const { status, stdout } = spawnSync(process.execPath, [import.meta.filename, way, folder, reference], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (status !== 0) throw new Error(`${way} failed`);
  const [time = NaN, memoryPeak = NaN] = stdout.toString().split(' ').map(Number);
  memory.push(memoryPeak);
  return time;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}

function print(name: string, value: string): void {
  process.stdout.write(`${name.padEnd(42)} ${value}\n`);
}
