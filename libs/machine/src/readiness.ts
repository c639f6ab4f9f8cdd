import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Machine } from './machine.ts';
import type { Port } from './ports.ts';

/** How often (milliseconds) a port is looked at. */
const interval = 25;
/**
 * How long (milliseconds) the first connection is waited for; each further one twice as long. QEMU repeats what a guest that
 * had no network yet did not get only after seconds, so a new connection is quicker.
 */
const firstWait = 200;

/**
 * Waits until a guest is ready for others: until it takes connections at all of its TCP ports, or, without any, until
 * it has written something.
 *
 * @param written  resolves at the first output of the guest
 * @returns false when the machine ended before
 */
export async function untilReady(machine: Machine, written: Promise<unknown>): Promise<boolean> {
  let isOver = false;
  const ended = machine.ended.then(() => {
    isOver = true;
    return false;
  });
  const ports = machine.ports.filter(({ protocol }) => protocol === 'tcp');
  const ready =
    ports.length === 0 ? written : Promise.all(ports.map((port) => untilTaken(machine, port, () => isOver)));
  return Promise.race([ready.then(() => !isOver), ended]);
}

/** QEMU takes a connection at once, and drops it when the guest refuses it. */
async function untilTaken(machine: Machine, port: Port, isOver: () => boolean): Promise<void> {
  const host = port.hostAddress === '0.0.0.0' ? '127.0.0.1' : port.hostAddress;
  for (let wait = firstWait; !isOver(); wait *= 2) {
    const attempt = connect({ host, port: port.hostPort });
    // A refusal only means that it is too early; it closes the socket, too.
    attempt.on('error', () => undefined);
    const closed = new Promise((resolve) => attempt.once('close', resolve));
    const limit = performance.now() + wait;
    try {
      while (!isOver() && !attempt.destroyed && performance.now() < limit) {
        // A machine that is gone answers no more, and its end is told elsewhere.
        if (await machine.hasTaken(port.guestPort).catch(() => false)) return;
        await Promise.race([closed, sleep(interval)]);
      }
    } finally {
      attempt.destroy();
    }
    await sleep(interval);
  }
}
