// Pushes and pulls against skopeo on Docker's registry in memory, whole processes; and what happens in this process.
//   npx node tools/bench/oci/bench.ts [MEBIBYTES] [ROUNDS]
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  ImageStore,
  Layout,
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
else if (first === 'nothing') process.stdout.write(String(process.resourceUsage().maxRSS));
else await compare(Number(first), Number(second));

async function pushOnce(layoutFolder: string, to: string): Promise<void> {
  const client = new RegistryClient({ credentials: nobody });
  const layout = await Layout.open(layoutFolder);
  const [descriptor] = await layout.roots();
  if (descriptor === undefined) throw new Error('empty layout');
  const root = { descriptor, bytes: await layout.readBlob(descriptor.digest) };
  await pushImage(client, layout, root, parseReference(to));
  client.close();
  process.stdout.write(String(process.resourceUsage().maxRSS));
}

async function pullOnce(storeFolder: string, from: string): Promise<void> {
  const client = new RegistryClient({ credentials: nobody });
  await pullImage(client, parseReference(from), await ImageStore.open(storeFolder));
  client.close();
  process.stdout.write(String(process.resourceUsage().maxRSS));
}

async function compare(mebibytes: number, rounds: number): Promise<void> {
  // Blobs, the registry's too, lie in memory: a disk's moods are larger than what is compared.
  const folder = await mkdtemp('/dev/shm/bench-oci-');
  process.env.TMPDIR = folder;
  const registry = await startRegistry();
  const times: Record<string, number[]> = {};
  const memory: number[] = [];
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
        const ourPush = () => runSelf('push', layoutFolder, ours, memory);
        // The registry deduplicates blobs between repositories only when asked, so both send everything.
        const pushes = round % 2 === 0 ? [ourPush, peerPush] : [peerPush, ourPush];
        for (const push of pushes) take(`push, ${kind}, ${push === ourPush ? 'ours' : 'skopeo'}`, timed(push));
        take(`push again, ${kind}, ours in process`, await pushAgain(layoutFolder, ours));
        const ourPull = () => runSelf('pull', join(folder, `store-${name}`), ours, memory);
        const peerPull = () => copyBySkopeo(`docker://${ours}`, `oci:${join(folder, `copy-${name}`)}:1`);
        const pulls = round % 2 === 0 ? [peerPull, ourPull] : [ourPull, peerPull];
        for (const pull of pulls) take(`pull, ${kind}, ${pull === ourPull ? 'ours' : 'skopeo'}`, timed(pull));
        for (const copy of ['layout', `store-${name}`, `copy-${name}`])
          await rm(join(folder, copy), { recursive: true });
      }
    }
  } finally {
    await registry.stop();
    await rm(folder, { recursive: true });
  }
  for (const [name, all] of Object.entries(times)) print(name, `${median(all).toFixed(0)} ms`);
  for (const kind of ['one layer', '4 targets'])
    for (const way of ['push', 'pull']) {
      const ratio = median(times[`${way}, ${kind}, ours`] ?? []) / median(times[`${way}, ${kind}, skopeo`] ?? []);
      print(`${way}, ${kind}: ours / skopeo`, ratio.toFixed(2));
    }
  const bare = Number(runSelfOutput('nothing', '', ''));
  print('most memory above bare Node.js', `${((Math.max(...memory) - bare) / 1024).toFixed(0)} MiB`);
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

function copyBySkopeo(from: string, to: string): void {
  const flags = ['--all', '--preserve-digests', '--src-tls-verify=false', '--dest-tls-verify=false', '--quiet'];
  const { status } = spawnSync('skopeo', ['copy', ...flags, from, to], { stdio: 'inherit' });
  if (status !== 0) throw new Error('skopeo failed');
}

function runSelf(way: string, folder: string, reference: string, memory: number[]): void {
  memory.push(Number(runSelfOutput(way, folder, reference)));
}

function runSelfOutput(way: string, folder: string, reference: string): string {
  const { status, stdout } = spawnSync(process.execPath, [import.meta.filename, way, folder, reference], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (status !== 0) throw new Error(`${way} failed`);
  return stdout.toString();
}

function timed(work: () => void): number {
  const start = performance.now();
  work();
  return performance.now() - start;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}

function print(name: string, value: string): void {
  process.stdout.write(`${name.padEnd(42)} ${value}\n`);
}
