import { expect, test } from 'vitest';
import { formatXlConfiguration } from './xen.ts';

test('a configuration for xl has all that a machine is made of', () => {
  const text = formatXlConfiguration({
    name: 'web',
    kernel: '/k/web_xen-x86_64',
    architecture: 'x86_64',
    initrd: '/k/root.cpio',
    env: { A: 'one "two"' },
    args: ['serve', 'a b'],
    memory: '64Mi',
    cpus: 2,
    interfaces: [{ tap: 'unused', bridge: 'xenbr0', mac: '02:b0:b0:00:00:01' }],
  });
  expect(text).toBe(String.raw`name = "web"
type = "pv"
kernel = "/k/web_xen-x86_64"
ramdisk = "/k/root.cpio"
extra = "env.vars=[ \"A=one \\\"two\\\"\" ] -- serve \"a b\""
memory = 64
vcpus = 2
vif = [ "mac=02:b0:b0:00:00:01,bridge=xenbr0" ]
on_poweroff = "destroy"
on_reboot = "destroy"
on_crash = "destroy"
`);
});
