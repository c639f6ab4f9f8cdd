import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openLayer, readImage } from './image.ts';
import { Layout } from './layout.ts';
import { listEntries } from './select.ts';
import { ImageStore } from './store.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'killed-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** Packages ever new images and takes them into the store, as fast as it can. */
const script = `
  import { writeFileSync } from 'node:fs';
  import { ImageStore, packageImage } from '${import.meta.resolve('./index.ts')}';
  const store = await ImageStore.open('FOLDER/store');
  for (let round = 0; ; round++) {
    const kernel = 'FOLDER/kernel.' + process.pid;
    writeFileSync(kernel, Buffer.alloc(3_000_000, process.pid + ' ' + round));
    const target = { architecture: 'x86_64', platform: 'qemu', kernel, initrd: kernel };
    const plan = { reference: 'app:' + (round % 3), toolVersion: '1', targets: [target] };
    await packageImage(plan, 'FOLDER/oci');
    // The other process may have replaced the layout meanwhile, or be about to.
    await store.addLayout('FOLDER/oci').catch((error) => { if (!('code' in error)) throw error; });
    await store.prune(10_000);
    if (round === 0) writeFileSync('FOLDER/ready.' + process.pid, '');
  }`;

const checkWhole = async (layout: Layout) => {
  for (const descriptor of await layout.roots()) {
    const root = { descriptor, bytes: await layout.readBlob(descriptor.digest) };
    for (const { digest } of await listEntries(layout, root)) {
      const { layers } = await readImage(layout, digest);
      for (const layer of layers) expect((await buffer(openLayer(layout, layer))).length).toBe(layer.size);
    }
  }
};

test('whenever two processes are killed, package and store are whole, and work goes on', async () => {
  for (let round = 0; round < 8; round++) {
    const children = [1, 2].map(() => {
      const code = script.replaceAll('FOLDER', folder);
      return spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: 'inherit' });
    });
    for (const child of children) {
      while (!existsSync(join(folder, `ready.${child.pid}`))) {
        if (child.exitCode !== null) throw new Error('the process ended by itself');
        await sleep(20);
      }
    }
    await sleep(round * 17);
    expect(children.map((child) => child.exitCode)).toEqual([null, null]);
    const ends = children.map((child) => once(child, 'exit'));
    for (const child of children) child.kill('SIGKILL');
    await Promise.all(ends);

    const store = await ImageStore.open(join(folder, 'store'));
    expect((await store.images()).length).toBeGreaterThan(0);
    await checkWhole(store.layout);
    if (existsSync(join(folder, 'oci'))) await checkWhole(await Layout.open(join(folder, 'oci')));
    await store.prune(-1);
    await checkWhole(store.layout);
  }
});

test('a registry of the tests ends with the test that started it, also when that is killed', async () => {
  const code = `
    import { startRegistry } from '${import.meta.resolve('../test/registry.ts')}';
    process.stdout.write((await startRegistry()).host);
    setInterval(() => undefined, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
    env: { ...process.env, TMPDIR: folder },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [host] = (await once(child.stdout, 'data')) as [Buffer];
  const state = () =>
    fetch(`http://${host.toString()}/v2/`).then(
      () => 'up',
      () => 'down',
    );
  expect(await state()).toBe('up');
  child.kill('SIGKILL');
  await expect.poll(state, { timeout: 10_000 }).toBe('down');
});
