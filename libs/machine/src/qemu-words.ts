import { MachineFault } from './fault.ts';
import type { Port } from './ports.ts';
import type { QemuPlan } from './qemu.ts';

/** Puts the port numbers that QEMU chose (its table of `info usernet`) in the place of zeros. */
export function resolvePorts(ports: readonly Port[], table: string): readonly Port[] {
  const rows = [...table.matchAll(/^\s*(TCP|UDP)\[HOST_FORWARD\]\s+\d+\s+\S+\s+(\d+)\s+\S+\s+(\d+)/gm)].map(
    ([, protocol = '', hostPort, guestPort]) => ({
      protocol: protocol.toLowerCase(),
      hostPort: Number(hostPort),
      guestPort: Number(guestPort),
    }),
  );
  const free = rows.filter((row) => !ports.some((port) => port.hostPort === row.hostPort));
  return ports.map((port) => {
    if (port.hostPort !== 0) return port;
    const index = free.findIndex((row) => row.protocol === port.protocol && row.guestPort === port.guestPort);
    const [row] = index === -1 ? [] : free.splice(index, 1);
    return row === undefined ? port : { ...port, hostPort: row.hostPort };
  });
}

/**
 * Whether QEMU's table has a connection that the guest took. QEMU itself takes connections to the host's port from the
 * start on, and keeps them until the guest answers.
 */
export function isTaken(guestPort: number, table: string): boolean {
  return new RegExp(String.raw`^\s*TCP\[ESTABLISHED\]\s+\d+\s+\S+\s+\d+\s+\S+\s+${guestPort}\s`, 'm').test(table);
}

/**
 * What QEMU's own words mean for a person.
 *
 * @param errors  what it wrote to its standard error
 */
export function startFault(errors: string, exitCode: number, plan: QemuPlan, cause: unknown): MachineFault {
  const lines = errors.split('\n').filter((line) => line.trim() !== '');
  const words = (lines.find((line) => /qemu-system-\w+: /.test(line)) ?? lines[0] ?? '').replace(
    /^\S*qemu-system-\w+: /,
    '',
  );
  if (/could not (?:open \/dev\/net\/tun|configure \/dev\/net\/tun).*(?:Permission|permitted)/.test(errors)) {
    return new MachineFault('MACHINE_NO_RIGHTS', 'you may not make a tap device', {
      hint: 'It needs root or CAP_NET_ADMIN. Ports of the default network need no rights.',
      cause,
    });
  }
  const taken =
    /host forwarding rule '(?<protocol>\w+):(?<address>[^:]*):(?<port>\d+)-/.exec(errors) ??
    /-gdb (?<protocol>tcp):(?<address>[^:]*):(?<port>\d+).*: Failed to find an available port/.exec(errors);
  if (taken?.groups !== undefined) {
    const { protocol = '', address = '', port = '' } = taken.groups;
    return new MachineFault('MACHINE_PORT_TAKEN', `cannot listen on port ${port} (${protocol}) of ${address}`, {
      hint: 'Another program has it, or it needs more rights (below 1024). Take another one; 0 takes any that is free.',
      cause,
    });
  }
  if (/without PVH ELF Note|Cannot load x86-64 image/.test(words)) {
    return new MachineFault('MACHINE_NOT_A_KERNEL', 'QEMU cannot boot this file', {
      at: plan.kernel,
      hint: 'It may be the kernel with debug information (.dbg) or for another platform; take the plain one for qemu.',
      cause,
    });
  }
  const message = words === '' ? `QEMU ended with ${exitCode} before the guest began` : `QEMU: ${words}`;
  return new MachineFault('MACHINE_START_FAILED', message, { cause });
}
