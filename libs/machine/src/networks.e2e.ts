import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { run } from '@nx-kraft/base';
import { useGuest } from '../test/use-guest.ts';
import { until } from '../test/traces.ts';
import { exchangeHttp, untilAnswered } from './exchange.ts';
import { startMachine } from './machine.ts';
import { Networks } from './networks.ts';

const guest = useGuest();
let networks: Networks;
beforeAll(() => {
  networks = new Networks(join(guest.folder, 'state'));
});
afterEach(async () => {
  for (const { name } of await networks.list()) await networks.remove(name);
});

test('machines in a network are reached at their own addresses, and leave no tap device', async () => {
  const network = await networks.create('nxk-test');
  expect(network).toMatchObject({ state: 'up', taps: [] });
  const [first, second] = [await networks.attach('nxk-test'), await networks.attach('nxk-test')];
  expect(first.address).not.toBe(second.address);
  await expect(networks.attach('nxk-test', { cidr: first.address.split(':')[0] ?? '' })).rejects.toMatchObject({
    code: 'MACHINE_NETWORK_IN_USE',
  });
  const machine = await startMachine({
    kernel: guest.kernel,
    architecture: 'x86_64',
    accelerator: 'tcg',
    args: ['serve', '80', 'from a bridge'],
    interfaces: [first.interface],
    addresses: [first.address],
  });
  const host = first.address.split('/')[0] ?? '';
  const request = { port: 80, path: '/', method: 'GET', headers: {}, expect: { status: 200, headers: {} } };
  const answer = await untilAnswered((signal) => exchangeHttp(80, request, signal, host), AbortSignal.timeout(60_000));
  expect(answer.body).toBe('from a bridge');
  expect((await networks.inspect('nxk-test')).taps).toEqual([first.interface.tap]);
  await expect(networks.remove('nxk-test')).rejects.toMatchObject({ code: 'MACHINE_NETWORK_IN_USE' });

  process.kill(machine.pid, 'SIGKILL');
  await machine.ended;
  await until(async () => (await networks.inspect('nxk-test')).taps.length === 0, 'the tap device is gone');
  await expect(access(`/sys/class/net/${first.interface.tap}`)).rejects.toThrow('ENOENT');
});

test('a network goes down and up, and comes back after its bridge was lost', async () => {
  const { gateway } = await networks.create('nxk-test');
  await networks.down('nxk-test');
  expect((await networks.inspect('nxk-test')).state).toBe('down');
  await run('ip', ['link', 'delete', 'dev', 'nxk-test']);
  expect((await networks.inspect('nxk-test')).state).toBe('missing');
  await networks.up('nxk-test');
  expect(await networks.inspect('nxk-test')).toMatchObject({ state: 'up', gateway });
});

test('ranges and names are not given twice', async () => {
  const { gateway } = await networks.create('nxk-test', '172.31.250.1/24');
  await expect(networks.create('nxk-test')).rejects.toMatchObject({ code: 'MACHINE_NAME_TAKEN' });
  await expect(networks.create('nxk-other', gateway)).rejects.toThrow('is in use on this host');
  await expect(networks.create('nxk-other', 'x')).rejects.toThrow("'x' is no gateway");
  await expect(networks.create('a-name-that-is-too-long')).rejects.toMatchObject({ code: 'MACHINE_BAD_NETWORK' });
  await expect(networks.inspect('nxk-other')).rejects.toMatchObject({ code: 'MACHINE_NO_NETWORK' });
});

test('without the rights it is said what is missing', async () => {
  const script = `import('${join(import.meta.dirname, 'networks.ts')}').then(({ Networks }) =>
    new Networks('${join(guest.folder, 'unprivileged')}').create('nxk-none')).catch((error) => console.log(error.code, error.hint))`;
  const output = await run('setpriv', ['--bounding-set=-all', '--inh-caps=-all', process.execPath, '-e', script]);
  expect(output).toMatch(/^MACHINE_NO_RIGHTS It needs root or CAP_NET_ADMIN/);
});
