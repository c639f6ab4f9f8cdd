import type { ChildProcess } from 'node:child_process';
import { open, type FileHandle } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import type { Duplex } from 'node:stream';
import { chooseAccelerator, type Accelerator } from './accelerator.ts';
import { formatCommandLine } from './command-line.ts';
import type { MachineEnd } from './ending.ts';
import { MachineFault } from './fault.ts';
import { GuestProcess } from './guest-process.ts';
import { requireArchitecture, type Architecture } from './kernel-file.ts';
import { parseMemory } from './memory.ts';
import { parsePorts, type Port } from './ports.ts';
import { findProgram, spawnBound } from './programs.ts';
import { qemuArguments, qemuProgram, type QemuPlan, type TapInterface } from './qemu.ts';
import { isTaken, resolvePorts, startFault } from './qemu-words.ts';
import { Qmp, type QmpEvent } from './qmp.ts';
import type { Daemons } from './virtiofs.ts';
import { formatMount, requireSource, splitInitrd, tagVolumes, type Mount, type Volume } from './volumes.ts';

/** A machine as a user asks for it. All paths are absolute. */
export interface MachinePlan {
  /** For people and for process lists (default: the kernel's file name). */
  readonly name?: string;
  readonly kernel: string;
  readonly architecture: Architecture;
  /** A CPIO archive that the guest finds in its memory. */
  readonly initrd?: string | undefined;
  /** What the program's `main` gets after its name; spaces and quotes arrive as they are here. */
  readonly args?: readonly string[];
  /** Variables of the environment; the kernel needs `CONFIG_LIBPOSIX_ENVIRON_LIBPARAM` for them. */
  readonly env?: Readonly<Record<string, string>>;
  /** Parameters of the kernel's libraries, `library.parameter=value`. */
  readonly kernelArgs?: readonly string[];
  /** Entries of the guest's fstab besides those of the volumes: `initrdMount` where the kernel needs it. */
  readonly mounts?: readonly string[];
  /** Bytes, or a quantity such as `64Mi` (the default). */
  readonly memory?: number | string;
  /** Virtual processors (default 1). */
  readonly cpus?: number;
  /** Ports, or their text, see {@link parsePorts}. All of them share one network interface. */
  readonly ports?: readonly (Port | string)[];
  /** The hardware address of that interface (default: always the same one). */
  readonly mac?: string | undefined;
  readonly volumes?: readonly Volume[];
  readonly interfaces?: readonly TapInterface[];
  /** Addresses of the network interfaces, see `formatAddress`. */
  readonly addresses?: readonly string[];
  /** `auto`, the default, takes KVM where it works and emulation elsewhere. */
  readonly accelerator?: Accelerator | 'auto';
  /** Waits for gdb there (`tcp::1234`, or `unix:PATH,server=on,wait=off`) before the guest's first instruction. */
  readonly gdb?: string | undefined;
}

export interface MachineOptions {
  /** Gets what the guest writes to its console, as it comes. */
  readonly onConsole?: (chunk: Uint8Array) => void;
  /** Gets each line of the console, without its end. */
  readonly onLine?: (line: string) => void;
  /** Gets what is worth one line to a person, such as that the machine is emulated and why. */
  readonly onNote?: (note: string) => void;
  /** Milliseconds after which the machine is ended with the reason `timeout`; without it there is no limit. */
  readonly timeout?: number | undefined;
  /** Where it is remembered whether KVM works (default: `nx-kraft` in the user's folder for caches). */
  readonly cacheFolder?: string;
}

/** A machine that runs. */
export interface Machine {
  /** The monitor's process. */
  readonly pid: number;
  readonly accelerator: Accelerator;
  /** The ports, those that were asked for as 0 with the number that they got. */
  readonly ports: readonly Port[];
  /** Resolves when the machine has ended and all of its output was given out; never rejects. */
  readonly ended: Promise<MachineEnd>;
  /** Whether the guest itself has taken a connection to one of its TCP ports. */
  hasTaken(guestPort: number): Promise<boolean>;
  /** Types to the guest's console. */
  write(text: Uint8Array | string): void;
  /** Ends the machine: QEMU closes what it has open; after five seconds, or when called again, it is killed. */
  stop(): Promise<MachineEnd>;
  /** Ends the machine at once. */
  kill(): Promise<MachineEnd>;
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** The most memory that QEMU and the guest have had so far, in bytes; 0 when the system does not tell. */
  peakMemory(): Promise<number>;
  /** The registers of all processors as QEMU shows them; undefined where the monitor does not. */
  registers(): Promise<string | undefined>;
}

/**
 * Starts a machine in QEMU and resolves when its guest runs. QEMU ends with this process, even when that is killed with
 * SIGKILL, and leaves no file behind.
 *
 * @throws MachineFault when the machine cannot be started: what is missing or wrong, and what to do
 */
export async function startMachine(plan: MachinePlan, options: MachineOptions = {}): Promise<Machine> {
  const { isMultiboot } = requireArchitecture(plan.kernel, plan.architecture);
  const program = await findProgram(qemuProgram(plan.architecture));
  const wanted = plan.accelerator ?? 'auto';
  const { accelerator, note } = await chooseAccelerator(wanted, plan.architecture, program, options.cacheFolder);
  if (note !== undefined) options.onNote?.(note);
  const { volumes, ...initrd } = splitInitrd(plan.volumes ?? [], plan.initrd);
  const daemons = await shareFolders(tagVolumes(volumes));
  const files: FileHandle[] = [];
  try {
    const whole = { ...plan, initrd: initrd.initrd, mounts: [...(plan.mounts ?? []), ...initrd.mounts] };
    const qemuPlan = await makeQemuPlan(whole, daemons.mounts, accelerator, isMultiboot, files);
    const child = spawnBound(program, qemuArguments(qemuPlan), {
      // The guest sees the kernel's path as its name; from its own folder that is the same on every machine.
      cwd: dirname(plan.kernel),
      stdio: ['pipe', 'pipe', 'pipe', 'pipe', ...files.map((file) => file.fd)],
    });
    return await new QemuMachine(child, qemuPlan, options).started();
  } catch (error) {
    throw await daemons.stop(error);
  } finally {
    await Promise.all([...files.map((file) => file.close()), daemons.hide()]);
  }
}

/** The volumes as QEMU can take them: a folder for virtiofs becomes the socket of a daemon for it. */
async function shareFolders(mounts: readonly Mount[]): Promise<Daemons> {
  const folders = mounts.filter((mount) => requireSource(mount).isDirectory() && mount.driver === 'virtiofs');
  if (folders.length === 0) return { mounts, stop: (error) => Promise.resolve(error), hide: () => Promise.resolve() };
  const { startDaemons } = await import('./virtiofs.ts');
  return startDaemons(mounts, folders);
}

const controlDescriptor = 3;

async function makeQemuPlan(
  plan: MachinePlan,
  mounts: readonly Mount[],
  accelerator: Accelerator,
  isMultiboot: boolean,
  files: FileHandle[],
): Promise<QemuPlan> {
  const shared = mounts.filter(({ driver }) => driver !== 'block').map(formatMount);
  const kernel = await passFile(basename(plan.kernel), plan.kernel, files);
  const words = formatCommandLine({
    kernelArguments: plan.kernelArgs ?? [],
    addresses: plan.addresses ?? [],
    mounts: [...(plan.mounts ?? []), ...shared],
    environment: plan.env ?? {},
    arguments: plan.args ?? [],
  });
  return {
    name: plan.name ?? basename(plan.kernel),
    architecture: plan.architecture,
    accelerator,
    kernel,
    initrd: plan.initrd === undefined ? undefined : await passFile(plan.initrd, plan.initrd, files),
    // Unikraft takes the first word for the program's name, whoever put it there.
    commandLine: isMultiboot ? words : `${kernel} ${words}`.trimEnd(),
    memory: typeof plan.memory === 'number' ? plan.memory : parseMemory(plan.memory ?? '64Mi'),
    cpus: plan.cpus ?? 1,
    ports: (plan.ports ?? []).flatMap((port) => (typeof port === 'string' ? parsePorts(port) : [port])),
    mac: plan.mac,
    interfaces: plan.interfaces ?? [],
    mounts,
    control: { descriptor: controlDescriptor },
    gdb: plan.gdb,
  };
}

/**
 * How QEMU is told of a file: by its path, or, where it would split the path at spaces and commas, by a descriptor that
 * it inherits.
 */
async function passFile(name: string, path: string, files: FileHandle[]): Promise<string> {
  if (!/[\s,"'\\]/.test(name)) return name;
  files.push(await open(path));
  return `/proc/self/fd/${controlDescriptor + files.length}`;
}

class QemuMachine extends GuestProcess implements Machine {
  readonly accelerator: Accelerator;
  #ports: readonly Port[];
  readonly #plan: QemuPlan;
  readonly #qmp: Qmp;
  #shutdownReason: string | undefined;
  #panicked = false;

  constructor(child: ChildProcess, plan: QemuPlan, options: MachineOptions) {
    super(child, plan.architecture, options);
    this.#plan = plan;
    this.accelerator = plan.accelerator;
    this.#ports = plan.ports;
    this.#qmp = new Qmp(child.stdio[controlDescriptor] as unknown as Duplex, (event) => {
      this.#takeEvent(event);
    });
    void this.ended.then(() => {
      this.#qmp.close();
    });
  }

  get ports(): readonly Port[] {
    return this.#ports;
  }

  /** Lets the guest run; fails when QEMU ends without having let it. */
  async started(): Promise<this> {
    try {
      // An answer shows that QEMU has made all of its devices.
      if (this.#ports.some(({ hostPort }) => hostPort === 0)) await this.#learnPorts();
      if (this.#plan.interfaces.length > 0) await this.#attachTaps();
      // Waiting for gdb is QEMU's own state before `cont`.
      if (this.#plan.gdb === undefined) await this.#qmp.execute('cont');
      else await this.#qmp.execute('query-status');
    } catch (error) {
      if (error instanceof MachineFault) throw error;
      const { exitCode } = await this.ended;
      // A guest can be quicker than the answer to `cont`.
      if (!this.hasBegun) throw startFault(this.errors, exitCode, this.#plan, error);
    }
    if (this.#plan.gdb === undefined) this.begin();
    return this;
  }

  async hasTaken(guestPort: number): Promise<boolean> {
    return isTaken(guestPort, await this.#connections());
  }

  registers(): Promise<string> {
    return this.#ask('info registers -a');
  }

  async pause(): Promise<void> {
    await this.#qmp.execute('stop');
  }

  async resume(): Promise<void> {
    await this.#qmp.execute('cont');
  }

  protected override quit(): void {
    // When QEMU no longer answers it has ended, or is about to be killed.
    this.#qmp.execute('quit').catch(() => undefined);
  }

  protected override signs() {
    return { shutdownReason: this.#shutdownReason, panicked: this.#panicked };
  }

  #takeEvent({ event, data }: QmpEvent): void {
    if (event === 'RESUME') this.begin();
    if (event === 'SHUTDOWN' && typeof data?.['reason'] === 'string') this.#shutdownReason ??= data['reason'];
    if (event === 'GUEST_PANICKED') this.#panicked = true;
  }

  async #attachTaps(): Promise<void> {
    await this.#qmp.execute('query-status');
    const { attachTap } = await import('./networks.ts');
    try {
      await Promise.all(this.#plan.interfaces.map(attachTap));
    } catch (error) {
      await this.kill();
      throw error;
    }
  }

  async #learnPorts(): Promise<void> {
    this.#ports = resolvePorts(this.#ports, await this.#connections());
  }

  /** QEMU's table of what goes through the interface that the ports share. */
  #connections(): Promise<string> {
    return this.#ask('info usernet');
  }

  /** What QEMU has words for but no command of its protocol. */
  async #ask(question: string): Promise<string> {
    return String(await this.#qmp.execute('human-monitor-command', { 'command-line': question }));
  }
}
