import { run } from '@nx-kraft/base';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bound } from '../../base/test/bound.ts';
import { makeImage } from '../test/images.ts';
import { exportToContainerd, importFromContainerd } from './containerd.ts';
import { parseReference } from './reference.ts';
import { ImageStore } from './store.ts';

let folder: string;
let daemon: ChildProcess;
let address: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'containerd-'));
  address = join(folder, 'socket');
  const settings = ['version = 2', `root = "${folder}/root"`, `state = "${folder}/state"`];
  const disabled = 'disabled_plugins = ["io.containerd.grpc.v1.cri"]';
  const sockets = ['[grpc]', `address = "${address}"`, '[ttrpc]', `address = "${address}.ttrpc"`];
  await writeFile(join(folder, 'config.toml'), [...settings, disabled, ...sockets].join('\n'));
  daemon = spawn(...bound('containerd', ['--config', join(folder, 'config.toml')]), { stdio: 'ignore' });
  for (let attempt = 0; !existsSync(address); attempt++) {
    if (daemon.exitCode !== null || attempt === 1200) throw new Error('containerd does not start');
    await sleep(50);
  }
});
afterAll(async () => {
  daemon.kill();
  await once(daemon, 'exit');
  await rm(folder, { recursive: true });
});

test('an image goes into containerd and comes back with the same digest', async () => {
  const store = await ImageStore.open(join(folder, 'store'));
  const image = await makeImage(folder, 'app', { targets: [{}, { platform: 'fc' }, { architecture: 'arm64' }] });
  const { reference } = await store.addLayout(image.layoutFolder);
  await exportToContainerd(store, reference, { address, namespace: 'test' });
  const listed = await run('ctr', ['--address', address, '--namespace', 'test', 'images', 'ls']);
  expect(listed).toContain('unikraft.org/app:latest');
  expect(listed).toContain(image.digest);

  const other = await ImageStore.open(join(folder, 'other'));
  await importFromContainerd(other, reference, { address, namespace: 'test' });
  expect((await other.find(parseReference('app')))?.digest).toBe(image.digest);
  expect(await other.layout.blobFiles()).toHaveLength((await store.layout.blobFiles()).length);
});
