import type { Accelerator } from './accelerator.ts';
import type { Architecture } from './kernel-file.ts';
import { toMebibytes } from './memory.ts';
import type { Port } from './ports.ts';
import type { Mount } from './volumes.ts';

/** A network interface on a tap device, which QEMU makes and which goes with it, that leads to a bridge of the host. */
export interface TapInterface {
  readonly tap: string;
  readonly bridge: string;
  readonly mac: string;
}

/** All that decides QEMU's command line. */
export interface QemuPlan {
  readonly name: string;
  readonly architecture: Architecture;
  readonly accelerator: Accelerator;
  /** As QEMU is to open it; the guest's argv[0] is this text. */
  readonly kernel: string;
  readonly initrd?: string | undefined;
  /** What comes after the kernel's name, see `formatCommandLine`. */
  readonly commandLine: string;
  /** Bytes; rounded up to whole mebibytes. */
  readonly memory: number;
  readonly cpus: number;
  readonly ports: readonly Port[];
  /** The address of the interface that the ports share. */
  readonly mac?: string | undefined;
  readonly interfaces: readonly TapInterface[];
  readonly mounts: readonly Mount[];
  /** Where QEMU takes commands: a descriptor that it inherits, or a socket that it listens on. */
  readonly control: { readonly descriptor: number } | { readonly socket: string };
  /** A TCP port of this host, or a socket's path, where QEMU waits for gdb before the guest's first instruction. */
  readonly gdb?: string | undefined;
}

/** The program that emulates an architecture. */
export function qemuProgram(architecture: Architecture): string {
  return { x86_64: 'qemu-system-x86_64', arm64: 'qemu-system-aarch64', arm: 'qemu-system-arm' }[architecture];
}

/**
 * QEMU's arguments for a machine whose first console is QEMU's standard input and output. The guest does not run
 * before it is told to (`cont`), so that no event is missed.
 *
 * The kinds of machine and processor are those of kraft; emulated processors have all that QEMU can emulate, since
 * Unikraft asks for random numbers from the processor. Ports share one network interface, unlike kraft's.
 */
export function qemuArguments(plan: QemuPlan): readonly string[] {
  return [
    ...['-no-user-config', '-nodefaults', '-display', 'none', '-no-reboot', '-S'],
    ...['-name', escape(plan.name), '-rtc', 'base=utc'],
    ...['-machine', `${plan.architecture === 'x86_64' ? 'pc' : 'virt'},accel=${plan.accelerator}${sharing(plan)}`],
    ...['-cpu', processor(plan)],
    ...memory(plan),
    ...['-smp', `cpus=${plan.cpus},threads=1,sockets=1`],
    ...['-chardev', 'stdio,id=console,signal=off', '-serial', 'chardev:console'],
    ...['-chardev', controlDevice(plan), '-mon', 'chardev=control,mode=control'],
    // Unikraft tells a crash by these two; on other machines they do not exist.
    ...(plan.architecture === 'x86_64' ? ['-device', 'isa-debug-exit', '-device', 'pvpanic'] : []),
    ...userNetwork(plan),
    ...plan.interfaces.flatMap(tapNetwork),
    ...plan.mounts.flatMap(mountDevices),
    ...(plan.gdb === undefined ? [] : ['-gdb', plan.gdb]),
    ...['-kernel', plan.kernel],
    // For a multiboot kernel QEMU splits this at commas, unless they are doubled.
    ...(plan.initrd === undefined ? [] : ['-initrd', plan.initrd]),
    ...(plan.commandLine === '' ? [] : ['-append', plan.commandLine]),
  ];
}

/** The daemons of virtiofs write into the guest's memory, which must be shared with them. */
function sharesMemory({ mounts }: QemuPlan): boolean {
  return mounts.some(({ driver }) => driver === 'virtiofs');
}

function sharing(plan: QemuPlan): string {
  return sharesMemory(plan) ? ',memory-backend=memory' : '';
}

function memory(plan: QemuPlan): readonly string[] {
  const size = `size=${toMebibytes(plan.memory)}M`;
  const backend = ['-object', `memory-backend-memfd,id=memory,${size},share=on`];
  return [...(sharesMemory(plan) ? backend : []), '-m', size];
}

function processor({ architecture, accelerator }: QemuPlan): string {
  if (accelerator === 'tcg') return 'max';
  return architecture === 'x86_64' ? 'host,+x2apic,-pmu' : 'host';
}

function controlDevice({ control }: QemuPlan): string {
  return 'descriptor' in control
    ? `socket,id=control,fd=${control.descriptor}`
    : `socket,id=control,path=${escape(control.socket)},server=on,wait=off`;
}

/** Leaves out the card's own firmware, which would look for a system in the network before the guest boots. */
const noNetworkBoot = 'romfile=';

function userNetwork({ ports, mac = '02:b0:b0:00:00:01' }: QemuPlan): readonly string[] {
  if (ports.length === 0) return [];
  const forwards = ports.map(
    ({ protocol, hostAddress, hostPort, guestPort }) => `hostfwd=${protocol}:${hostAddress}:${hostPort}-:${guestPort}`,
  );
  return [
    ...['-netdev', ['user', 'id=ports', ...forwards].join(',')],
    ...['-device', `virtio-net-pci,netdev=ports,mac=${mac},${noNetworkBoot}`],
  ];
}

function tapNetwork({ tap, mac }: TapInterface, index: number): readonly string[] {
  return [
    ...['-netdev', `tap,id=net${index},ifname=${escape(tap)},script=no,downscript=no`],
    ...['-device', `virtio-net-pci,netdev=net${index},mac=${mac},${noNetworkBoot}`],
  ];
}

function mountDevices(mount: Mount, index: number): readonly string[] {
  if (mount.driver === 'block') {
    const readOnly = mount.readOnly ? ',read-only=on' : '';
    return [
      ...['-drive', `if=none,id=disk${index},format=raw,file=${escape(mount.source)}${readOnly}`],
      ...['-device', `virtio-blk-pci,drive=disk${index}`],
    ];
  }
  if (mount.driver === 'virtiofs') {
    return [
      ...['-chardev', `socket,id=share${index},path=${escape(mount.source)}`],
      ...['-device', `vhost-user-fs-pci,chardev=share${index},tag=${mount.tag}`],
    ];
  }
  const readOnly = mount.readOnly ? ',readonly=on' : '';
  return [
    ...['-fsdev', `local,id=share${index},path=${escape(mount.source)},security_model=none${readOnly}`],
    ...['-device', `virtio-9p-pci,fsdev=share${index},mount_tag=${mount.tag}`],
  ];
}

/** Within a list of QEMU's options a comma is written twice. */
function escape(value: string): string {
  return value.replaceAll(',', ',,');
}
