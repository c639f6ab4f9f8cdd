import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, open, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { extname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Readable } from 'node:stream';
import { hasErrorCode, isAlive, withLock } from '@nx-kraft/base';
import { defaultCacheFolder } from './accelerator.ts';
import { MachineFault, type MachineFaultCode } from './fault.ts';
import { listFolder } from './files.ts';
import { instancePaths, readRecord, writeRecord, type Instance } from './instance.ts';
import { isActive } from './instance-table.ts';
import { inventName, requireName } from './instance-names.ts';
import { longestSocketPath, sendCommand, type InstanceCommand } from './instance-channel.ts';
import { hostInstance } from './instance-host.ts';
import type { KernelRun } from './kernel-run.ts';
import type { Machine } from './machine.ts';
import type { MachineEnd } from './ending.ts';
import { untilReady } from './readiness.ts';
import { typeInto, type KernelRunOptions } from './run.ts';
import { endOnSignals, stopOnAbort, type CleanUp } from './stopping.ts';

export interface NewInstance {
  /** Letters, digits, `-`, `_` and `.`; not that of another instance (default: one that is free). */
  readonly name?: string | undefined;
  readonly removeAtEnd?: boolean;
}

/** How an instance runs in this process. */
export interface InstanceRunOptions extends KernelRunOptions {
  /** Called before it starts, with the name that it got. */
  readonly onCreated?: (instance: Instance) => void;
  /** Called when the guest is ready, see {@link untilReady}, with the ports as they are. */
  readonly onReady?: ((instance: Pick<Machine, 'ports'>) => void) | undefined;
}

/** `nx-kraft/machines` in the user's folder for state. */
export function defaultInstanceFolder(): string {
  return join(process.env['XDG_STATE_HOME'] ?? join(homedir(), '.local/state'), 'nx-kraft', 'machines');
}

/**
 * The machines of this user that have a name. All that is known of them lies in one folder, one folder per instance;
 * every process that opens it sees the same. An instance is found by its name, its id, or the start of its id.
 */
export class Instances {
  readonly #root: string;
  readonly #cacheFolder: string;

  constructor(root: string = defaultInstanceFolder(), cacheFolder: string = defaultCacheFolder()) {
    this.#root = root;
    this.#cacheFolder = cacheFolder;
  }

  /**
   * Records an instance without starting it.
   *
   * @throws MachineFault MACHINE_NAME_TAKEN, MACHINE_BAD_NAME
   */
  create(plan: KernelRun, options: NewInstance = {}): Promise<Instance> {
    return this.#record(plan, options);
  }

  /** @param owner  the process without which the instance would be of no use */
  #record(plan: KernelRun, { name, removeAtEnd = false }: NewInstance, owner?: number): Promise<Instance> {
    if (name !== undefined) requireName(name);
    return withLock(join(this.#root, 'lock'), async () => {
      const others = await this.list();
      const taken = others.find((other) => other.name === name);
      if (taken !== undefined) {
        throw new MachineFault(
          'MACHINE_NAME_TAKEN',
          `there is a machine with the name ${taken.name} (${taken.state})`,
          {
            hint: 'Take another name, or remove that one first.',
          },
        );
      }
      const id = randomBytes(6).toString('hex');
      const instance: Instance = {
        id,
        name: name ?? inventName(new Set(others.map((other) => other.name))),
        plan,
        removeAtEnd,
        createdAt: new Date().toISOString(),
        state: 'created',
        ...(owner === undefined ? {} : { owner }),
      };
      const folder = join(this.#root, id);
      const { socket } = instancePaths(folder);
      if (Buffer.byteLength(socket) > longestSocketPath) {
        throw new MachineFault('MACHINE_BAD_NAME', 'the folder for machines has too long a path for a socket', {
          at: this.#root,
          hint: `Set XDG_STATE_HOME to a shorter path: ${socket.length} characters, at most ${longestSocketPath}.`,
        });
      }
      await mkdir(folder);
      await writeRecord(folder, instance);
      return instance;
    });
  }

  /**
   * Starts an instance, or starts it again, in a process of its own that outlives this one.
   *
   * @throws MachineFault when it runs already or cannot be started
   */
  async start(nameOrId: string): Promise<Instance> {
    const instance = await this.inspect(nameOrId);
    if (instance.state === 'paused') {
      await this.#command(instance, 'resume');
    } else if (instance.state === 'running') {
      throw new MachineFault('MACHINE_RUNNING', `${instance.name} runs already`);
    } else {
      await startProcess(join(this.#root, instance.id), this.#cacheFolder);
    }
    return this.inspect(instance.id);
  }

  /**
   * Runs a new instance in this process to its end; it is in the list and takes commands meanwhile, and is removed then.
   */
  async run(plan: KernelRun, { name }: NewInstance, options: InstanceRunOptions): Promise<MachineEnd> {
    options.signal?.throwIfAborted();
    const instance = await this.#record(plan, { name, removeAtEnd: true }, process.pid);
    options.onCreated?.(instance);
    const { id } = instance;
    const folder = join(this.#root, id);
    const cleanUps: CleanUp[] = [];
    try {
      const wrote = Promise.withResolvers<void>();
      const { machine, done } = await hostInstance(folder, {
        cacheFolder: this.#cacheFolder,
        ...options,
        onConsole: (chunk) => {
          options.onConsole?.(chunk);
          wrote.resolve();
        },
      });
      if (options.signal !== undefined) cleanUps.push(stopOnAbort(machine, options.signal));
      if (options.input !== undefined) cleanUps.push(typeInto(machine, options.input));
      const signals = options.endOnSignals === true ? endOnSignals(machine) : undefined;
      if (signals !== undefined) cleanUps.push(signals.release);
      const { onReady } = options;
      if (onReady !== undefined) {
        void untilReady(machine, wrote.promise).then((isReady) => isReady && onReady(machine));
      }
      const end = await done;
      return signals?.judge(end) ?? end;
    } finally {
      for (const cleanUp of cleanUps) cleanUp();
      await rm(folder, { recursive: true, force: true });
    }
  }

  /** All instances, oldest first. Those to be removed at their end whose process was killed are removed here. */
  async list(): Promise<readonly Instance[]> {
    const ids = (await listFolder(this.#root)).filter((entry) => /^[\da-f]{12}$/.test(entry));
    const found = await Promise.all(ids.map((id) => this.#look(id)));
    return found.filter((instance) => instance !== undefined).toSorted((a, b) => (a.createdAt < b.createdAt ? -1 : 1));
  }

  /** @throws MachineFault MACHINE_NO_INSTANCE */
  async inspect(nameOrId: string): Promise<Instance> {
    const all = await this.list();
    const byName = all.find(({ name, id }) => name === nameOrId || id === nameOrId);
    const byStart = nameOrId.length >= 4 ? all.filter(({ id }) => id.startsWith(nameOrId)) : [];
    const instance = byName ?? (byStart.length === 1 ? byStart[0] : undefined);
    if (instance !== undefined) return instance;
    throw new MachineFault('MACHINE_NO_INSTANCE', `there is no machine '${nameOrId}'`, {
      hint: all.length === 0 ? 'There is none at all.' : `There are: ${all.map(({ name }) => name).join(', ')}.`,
    });
  }

  /** Stops an instance and waits until it has ended; one that does not run stays as it is. */
  async stop(nameOrId: string): Promise<void> {
    await this.#command(await this.inspect(nameOrId), 'stop');
  }

  /** @throws MachineFault MACHINE_START_FAILED when it does not run */
  async pause(nameOrId: string): Promise<void> {
    const instance = await this.inspect(nameOrId);
    if (await this.#command(instance, 'pause')) return;
    throw new MachineFault('MACHINE_START_FAILED', `${instance.name} does not run`, { hint: 'Start it first.' });
  }

  /** Removes an instance with all that is kept of it, ending it first. */
  async remove(nameOrId: string): Promise<void> {
    const instance = await this.inspect(nameOrId);
    await this.#command(instance, 'kill');
    await rm(join(this.#root, instance.id), { recursive: true, force: true });
  }

  /**
   * What an instance has written to its console since it was last started.
   *
   * @param follow  goes on until the instance ends or `signal` is aborted
   */
  async *logs(
    nameOrId: string,
    { follow = false, signal }: { follow?: boolean; signal?: AbortSignal } = {},
  ): AsyncGenerator<Uint8Array, void> {
    const { id } = await this.inspect(nameOrId);
    let log;
    try {
      log = await open(instancePaths(join(this.#root, id)).log);
    } catch (error) {
      if (hasErrorCode(error, 'ENOENT')) return;
      throw error;
    }
    try {
      for (;;) {
        // Whether it runs is looked at before reading, so that its last words are not missed.
        const goesOn = follow && signal?.aborted !== true && isActive(await this.#look(id));
        for (;;) {
          const { bytesRead, buffer } = await log.read(Buffer.alloc(logPart), 0, logPart, null);
          if (bytesRead === 0) break;
          yield buffer.subarray(0, bytesRead);
        }
        if (!goesOn) return;
        await sleep(logInterval);
      }
    } finally {
      await log.close();
    }
  }

  /** Reads a record and looks whether the process that it tells of is there. */
  async #look(id: string): Promise<Instance | undefined> {
    const folder = join(this.#root, id);
    const instance = await readRecord(folder);
    if (instance?.state === 'created' && instance.owner !== undefined && !isAlive(instance.owner)) {
      await rm(folder, { recursive: true, force: true });
      return undefined;
    }
    if (!isActive(instance) || (await sendCommand(instancePaths(folder).socket, 'status'))) return instance;
    // It may have ended between the two looks.
    const later = await readRecord(folder);
    if (!isActive(later)) return later;
    if (!later.removeAtEnd) return { ...later, state: 'died' };
    await rm(folder, { recursive: true, force: true });
    return undefined;
  }

  /** Gives whether there was a process to take the command. */
  #command({ id }: Instance, command: InstanceCommand): Promise<boolean> {
    return sendCommand(instancePaths(join(this.#root, id)).socket, command);
  }
}

/** How much of a log (bytes) is read at once, and how often (milliseconds) it is looked at. */
const logPart = 64 * 1024;
const logInterval = 50;

/** Starts the process that runs an instance and waits until the machine runs or could not be started. */
async function startProcess(folder: string, cacheFolder: string): Promise<void> {
  const script = join(import.meta.dirname, `instance-process${extname(import.meta.filename)}`);
  const child = spawn(process.execPath, [script, folder, cacheFolder], {
    cwd: '/',
    detached: true,
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  });
  let text = '';
  const channel = child.stdio[3] as Readable;
  channel.on('data', (chunk) => (text += String(chunk)));
  await Promise.race([once(channel, 'end'), once(child, 'error').then(([error]) => Promise.reject(error as Error))]);
  child.unref();
  if (text !== '') throw asFault(text);
  if (child.exitCode !== null && child.exitCode !== 0) {
    throw new MachineFault('MACHINE_START_FAILED', `the process of the machine ended with ${child.exitCode}`, {
      at: folder,
    });
  }
}

function asFault(text: string): MachineFault {
  const { code, message, ...details } = JSON.parse(text) as {
    code: MachineFaultCode;
    message: string;
    at?: string;
    hint?: string;
  };
  return new MachineFault(code, message, details);
}
