import { expect, test } from 'vitest';
import { parsePorts } from './ports.ts';
import { qemuArguments, qemuProgram, type QemuPlan } from './qemu.ts';
import { isTaken, resolvePorts } from './qemu-words.ts';
import { tagVolumes } from './volumes.ts';

const plan: QemuPlan = {
  name: 'web,1',
  architecture: 'x86_64',
  accelerator: 'kvm',
  kernel: 'web_qemu-x86_64',
  commandLine: 'a b',
  memory: 64 * 1024 ** 2,
  cpus: 2,
  ports: [],
  interfaces: [],
  mounts: [],
  control: { descriptor: 3 },
};

/** The values of an option, in order. */
function values(of: Partial<QemuPlan>, option: string): readonly (string | undefined)[] {
  const args = qemuArguments({ ...plan, ...of });
  return args.flatMap((argument, index) => (argument === option ? [args[index + 1]] : []));
}

test('a machine has what the plan says', () => {
  expect(values({}, '-name')).toEqual(['web,,1']);
  expect(values({}, '-machine')).toEqual(['pc,accel=kvm']);
  expect(values({}, '-cpu')).toEqual(['host,+x2apic,-pmu']);
  expect(values({}, '-m')).toEqual(['size=64M']);
  expect(values({}, '-smp')).toEqual(['cpus=2,threads=1,sockets=1']);
  expect(values({}, '-append')).toEqual(['a b']);
  expect(values({}, '-initrd')).toEqual([]);
  expect(values({ initrd: '/r.cpio' }, '-initrd')).toEqual(['/r.cpio']);
});

test('other architectures have their own program, machine and processor, and no devices of a PC', () => {
  expect(qemuProgram('arm64')).toBe('qemu-system-aarch64');
  expect(values({ architecture: 'arm64', accelerator: 'tcg' }, '-machine')).toEqual(['virt,accel=tcg']);
  expect(values({ architecture: 'arm64', accelerator: 'tcg' }, '-cpu')).toEqual(['max']);
  expect(values({ architecture: 'arm64' }, '-device')).toEqual([]);
  expect(values({}, '-device')).toEqual(['isa-debug-exit', 'pvpanic']);
});

test('all ports share one network interface and listen where they are told to', () => {
  const ports = ['8080:80', '127.0.0.1:0:53/udp'].flatMap(parsePorts);
  expect(values({ ports }, '-netdev')).toEqual([
    'user,id=ports,hostfwd=tcp:0.0.0.0:8080-:80,hostfwd=udp:127.0.0.1:0-:53',
  ]);
});

test('networks are tap devices', () => {
  const interfaces = [{ tap: 'net@if1', bridge: 'net', mac: '02:b0:b0:01:02:01' }];
  expect(values({ interfaces }, '-netdev')).toEqual(['tap,id=net0,ifname=net@if1,script=no,downscript=no']);
  expect(values({ interfaces }, '-device')).toContain('virtio-net-pci,netdev=net0,mac=02:b0:b0:01:02:01,romfile=');
});

test('volumes are shared folders or disks, and their paths are escaped', () => {
  const mounts = tagVolumes([
    { source: '/a,b', destination: '/a', driver: '9pfs', readOnly: true },
    { source: '/disk', destination: '/d', driver: 'block', readOnly: false },
  ]);
  expect(values({ mounts }, '-fsdev')).toEqual(['local,id=share0,path=/a,,b,security_model=none,readonly=on']);
  expect(values({ mounts }, '-device')).toContain('virtio-9p-pci,fsdev=share0,mount_tag=fs1');
  expect(values({ mounts }, '-drive')).toEqual(['if=none,id=disk1,format=raw,file=/disk']);
});

test('a folder shared by a daemon needs memory that is shared, too', () => {
  const mounts = tagVolumes([{ source: '/run/fs,1', destination: '/a', driver: 'virtiofs', readOnly: false }]);
  expect(values({ mounts }, '-object')).toEqual(['memory-backend-memfd,id=memory,size=64M,share=on']);
  expect(values({ mounts }, '-machine')).toEqual(['pc,accel=kvm,memory-backend=memory']);
  expect(values({ mounts }, '-chardev')).toContain('socket,id=share0,path=/run/fs,,1');
  expect(values({ mounts }, '-device')).toContain('vhost-user-fs-pci,chardev=share0,tag=fs1');
});

test('a guest has taken a connection when QEMU tells so, and not when it still waits', () => {
  const row = (state: string) => `  TCP[${state}]      13       127.0.0.1 34303       10.0.2.15    81     0     0\n`;
  expect(isTaken(81, row('HOST_FORWARD') + row('SYN_SENT'))).toBe(false);
  expect(isTaken(81, row('HOST_FORWARD') + row('ESTABLISHED'))).toBe(true);
  expect(isTaken(8, row('ESTABLISHED'))).toBe(false);
});

test('ports that QEMU chose are read from its table', () => {
  const table = `Hub -1 (ports):
  Protocol[State]    FD  Source Address  Port   Dest. Address  Port RecvQ SendQ
  TCP[HOST_FORWARD]  13         0.0.0.0 40123       10.0.2.15    80     0     0
  UDP[HOST_FORWARD]  12       127.0.0.1 33001       10.0.2.15    53     0     0
  TCP[HOST_FORWARD]  11         0.0.0.0  8080       10.0.2.15    80     0     0
`;
  const ports = ['8080:80', '0:80', '127.0.0.1:0:53/udp'].flatMap(parsePorts);
  expect(resolvePorts(ports, table).map(({ hostPort }) => hostPort)).toEqual([8080, 40123, 33001]);
});
