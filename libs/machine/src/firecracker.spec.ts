import { expect, test } from 'vitest';
import { firecrackerCalls } from './firecracker.ts';
import type { MachinePlan } from './machine.ts';

const plan: MachinePlan = { kernel: '/k/web_fc-x86_64', architecture: 'x86_64', args: ['serve'] };

function bodyOf(path: string, more: Partial<MachinePlan>): unknown {
  return firecrackerCalls({ ...plan, ...more }).find((call) => call.path === path)?.body;
}

test('a network interface is a tap device with its address', () => {
  const interfaces = [{ tap: 'nxk-1', bridge: 'br', mac: '02:b0:b0:00:00:01' }];
  expect(bodyOf('/network-interfaces/net0', { interfaces })).toEqual({
    iface_id: 'net0',
    guest_mac: '02:b0:b0:00:00:01',
    host_dev_name: 'nxk-1',
  });
});

test('the command line begins with a name, and has a separator wherever Firecracker adds parameters', () => {
  const interfaces = [{ tap: 'nxk-1', bridge: 'br', mac: '02:b0:b0:00:00:01' }];
  expect(bodyOf('/boot-source', {})).toMatchObject({ boot_args: 'web_fc-x86_64 serve' });
  expect(bodyOf('/boot-source', { interfaces })).toMatchObject({ boot_args: 'web_fc-x86_64 -- serve' });
  expect(bodyOf('/boot-source', { interfaces, addresses: ['10.0.0.2/24:::::'], args: [] })).toMatchObject({
    boot_args: 'web_fc-x86_64 netdev.ip=10.0.0.2/24::::: --',
  });
});
