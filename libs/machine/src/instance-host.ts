import { createWriteStream, type WriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { finished } from 'node:stream/promises';
import { bareAddress } from './command-line.ts';
import type { MachineEnd } from './ending.ts';
import { instancePaths, readRecord, writeRecord, type Instance } from './instance.ts';
import { serveCommands, type InstanceCommand } from './instance-channel.ts';
import { attachToNetworks, startKernel } from './kernel-run.ts';
import type { Machine, MachineOptions } from './machine.ts';

/**
 * Runs the instance in `folder` in this process: its console goes to its log, its record tells how it is, and other
 * processes can give it commands. When it has ended, its socket is gone, and with `removeAtEnd` its folder too.
 *
 * @returns the machine as it runs, and a promise for when all of that is done
 * @throws MachineFault when the machine cannot be started; the instance then stays as it was
 */
export async function hostInstance(
  folder: string,
  options: MachineOptions = {},
): Promise<{ readonly machine: Machine; readonly done: Promise<MachineEnd> }> {
  const instance = await readRecord(folder);
  if (instance === undefined) throw new Error(`no instance in ${folder}`);
  const paths = instancePaths(folder);
  const run = await attachToNetworks(instance.plan);
  const log = createWriteStream(paths.log);
  let machine: Machine;
  try {
    machine = await startKernel(
      { ...run, name: instance.name },
      {
        ...options,
        onConsole: (chunk) => {
          log.write(chunk);
          options.onConsole?.(chunk);
        },
      },
    );
  } catch (error) {
    log.destroy();
    throw error;
  }
  const { pid, accelerator, ports } = machine;
  const addresses = (run.addresses ?? []).map(bareAddress);
  const seen = { startedAt: now(), pid, accelerator, ports, ...(addresses.length === 0 ? {} : { addresses }) };
  const running: Instance = { ...withoutEnd(instance), state: 'running', ...seen };
  const handle = async (command: InstanceCommand) => {
    if (command === 'stop' || command === 'kill') {
      await (command === 'stop' ? machine.stop() : machine.kill());
      await recorded;
    }
    if (command === 'pause') {
      await machine.pause();
      await writeRecord(folder, { ...running, state: 'paused' });
    }
    if (command === 'resume') {
      await machine.resume();
      await writeRecord(folder, running);
    }
  };
  const serving = (async () => {
    // Reachable first, recorded then: one that is recorded as running where nobody answers is taken for dead.
    const server = await serveCommands(paths.socket, handle);
    await writeRecord(folder, running);
    return server;
  })();
  const recorded = serving.then(() => recordEnd(folder, running, machine, log));
  try {
    const server = await serving;
    // Last of all, so that whoever finds nobody here finds the end in the record.
    const done = recorded.finally(() => server.close());
    return { machine, done };
  } catch (error) {
    // Both end now, and what they say is about this same error.
    await Promise.allSettled([machine.kill(), recorded]);
    throw error;
  }
}

async function recordEnd(folder: string, running: Instance, machine: Machine, log: WriteStream): Promise<MachineEnd> {
  const end = await machine.ended;
  await finished(log.end());
  const { exitCode, reason, message, duration } = end;
  if (running.removeAtEnd) {
    await rm(folder, { recursive: true, force: true });
  } else {
    const seen = { exitCode, reason, message, duration };
    await writeRecord(folder, { ...running, state: 'exited', endedAt: now(), end: seen });
  }
  return end;
}

function withoutEnd({ id, name, plan, removeAtEnd, createdAt, state }: Instance): Instance {
  return { id, name, plan, removeAtEnd, createdAt, state };
}

function now(): string {
  return new Date().toISOString();
}
