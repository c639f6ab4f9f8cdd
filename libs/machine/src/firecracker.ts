import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { hasErrorCode } from '@nx-kraft/base';
import { formatCommandLine } from './command-line.ts';
import { MachineFault } from './fault.ts';
import { GuestProcess } from './guest-process.ts';
import { requireArchitecture } from './kernel-file.ts';
import type { Machine, MachineOptions, MachinePlan } from './machine.ts';
import { parseMemory, toMebibytes } from './memory.ts';
import { attachTap } from './networks.ts';
import { findProgram, spawnBound } from './programs.ts';
import type { TapInterface } from './qemu.ts';
import { tagVolumes } from './volumes.ts';

/** One request to Firecracker's API. */
export interface FirecrackerCall {
  readonly method: 'PUT' | 'PATCH';
  readonly path: string;
  readonly body: Readonly<Record<string, unknown>>;
}

/**
 * The calls that configure a machine in Firecracker and start it, in order.
 *
 * Firecracker gives the guest no name, so its command line begins with the kernel's file name; parameters that
 * Firecracker adds for its devices go before `--`, which is therefore there whenever there is a device.
 *
 * @throws MachineFault MACHINE_BAD_TARGET for what Firecracker cannot do
 */
export function firecrackerCalls(plan: MachinePlan): readonly FirecrackerCall[] {
  const interfaces = plan.interfaces ?? [];
  const volumes = tagVolumes(plan.volumes ?? []);
  if ((plan.ports ?? []).length > 0) throw cannot('forward ports', 'Attach the machine to a network.');
  const folder = volumes.find(({ driver }) => driver !== 'block');
  if (folder !== undefined)
    throw cannot(`share ${folder.source}`, 'Put it into the root file system, or use a block device.');
  const memory = typeof plan.memory === 'number' ? plan.memory : parseMemory(plan.memory ?? '64Mi');
  return [
    ...interfaces.map(({ tap, mac }, index) =>
      put(`/network-interfaces/net${index}`, { iface_id: `net${index}`, guest_mac: mac, host_dev_name: tap }),
    ),
    ...volumes.map(({ tag, source, readOnly }) =>
      put(`/drives/${tag}`, { drive_id: tag, path_on_host: source, is_root_device: false, is_read_only: readOnly }),
    ),
    put('/machine-config', { vcpu_count: plan.cpus ?? 1, mem_size_mib: toMebibytes(memory) }),
    put('/boot-source', {
      kernel_image_path: plan.kernel,
      ...(plan.initrd === undefined ? {} : { initrd_path: plan.initrd }),
      boot_args: bootArguments(plan, interfaces.length + volumes.length > 0),
    }),
    put('/actions', { action_type: 'InstanceStart' }),
  ];
}

function put(path: string, body: Readonly<Record<string, unknown>>): FirecrackerCall {
  return { method: 'PUT', path, body };
}

function cannot(what: string, hint: string): MachineFault {
  return new MachineFault('MACHINE_BAD_TARGET', `Firecracker cannot ${what}`, { hint });
}

function bootArguments(plan: MachinePlan, hasDevices: boolean): string {
  const parameters = {
    kernelArguments: plan.kernelArgs ?? [],
    addresses: plan.addresses ?? [],
    mounts: plan.mounts ?? [],
    environment: plan.env ?? {},
  };
  const line = formatCommandLine({ ...parameters, arguments: plan.args ?? [] });
  const hasSeparator = formatCommandLine({ ...parameters, arguments: [] }) !== '';
  return [basename(plan.kernel), ...(hasDevices && !hasSeparator ? ['--'] : []), line].join(' ').trimEnd();
}

/**
 * Starts a machine in Firecracker, which needs KVM. It ends with this process, and its socket is gone as soon as it has
 * been reached.
 *
 * @throws MachineFault when it cannot be started, with Firecracker's words
 */
export async function startFirecracker(plan: MachinePlan, options: MachineOptions = {}): Promise<Machine> {
  const calls = firecrackerCalls(plan);
  requireArchitecture(plan.kernel, plan.architecture);
  const program = await findProgram('firecracker');
  const folder = await mkdtemp(join(tmpdir(), 'nx-kraft-fc-'));
  const socket = join(folder, 'api');
  let child: ChildProcess;
  try {
    child = spawnBound(program, ['--api-sock', socket, '--id', basename(folder)], {
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const machine = new FirecrackerMachine(child, plan, options);
    await machine.configure(socket, calls, folder);
    return machine;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

class FirecrackerMachine extends GuestProcess implements Machine {
  readonly accelerator = 'kvm';
  readonly ports = [];
  // One connection that stays, since the socket's file does not.
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  readonly #interfaces: readonly TapInterface[];
  #socket = '';

  constructor(child: ChildProcess, plan: MachinePlan, options: MachineOptions) {
    super(child, plan.architecture, options);
    this.#interfaces = plan.interfaces ?? [];
    void this.ended.then(() => {
      this.#agent.destroy();
    });
  }

  async configure(socket: string, calls: readonly FirecrackerCall[], folder: string): Promise<void> {
    this.#socket = socket;
    try {
      await this.#untilThere(socket);
      for (const call of calls) {
        // By now Firecracker has made the machine's tap devices.
        if (call.path === '/actions') await Promise.all(this.#interfaces.map(attachTap));
        await this.#call(call);
        await rm(folder, { recursive: true, force: true });
      }
    } catch (error) {
      await this.kill();
      if (error instanceof MachineFault) throw error;
      const words = this.errors.trim().split('\n').at(-1) ?? '';
      throw new MachineFault('MACHINE_START_FAILED', `Firecracker: ${words || String(error)}`, { cause: error });
    }
    this.begin();
  }

  /** Firecracker forwards no ports. */
  hasTaken(): Promise<boolean> {
    return Promise.resolve(false);
  }

  /** Nor does it show registers. */
  registers(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  async pause(): Promise<void> {
    await this.#call({ method: 'PATCH', path: '/vm', body: { state: 'Paused' } });
  }

  async resume(): Promise<void> {
    await this.#call({ method: 'PATCH', path: '/vm', body: { state: 'Resumed' } });
  }

  protected override quit(): void {
    this.child.kill('SIGTERM');
  }

  /** The socket's file is there a moment before anybody listens. */
  async #untilThere(socket: string): Promise<void> {
    while (this.child.exitCode === null && this.child.signalCode === null) {
      const attempt = connect(socket);
      try {
        await once(attempt, 'connect');
        return;
      } catch (error) {
        if (!hasErrorCode(error, 'ENOENT', 'ECONNREFUSED')) throw error;
        await sleep(2);
      } finally {
        attempt.destroy();
      }
    }
    throw new Error('it ended before it could be configured');
  }

  #call({ method, path, body }: FirecrackerCall): Promise<void> {
    const text = JSON.stringify(body);
    const headers = {
      'Content-Type': 'application/json',
      Accept: 'application/json',
      'Content-Length': Buffer.byteLength(text),
    };
    return new Promise((resolve, reject) => {
      const sent = request({ socketPath: this.#socket, agent: this.#agent, method, path, headers }, (answer) => {
        let words = '';
        answer.setEncoding('utf8');
        answer.on('data', (part: string) => (words += part));
        answer.on('end', () => {
          if ((answer.statusCode ?? 500) < 300) resolve();
          else reject(refusal(`${method} ${path}`, words));
        });
      });
      sent.on('error', reject);
      sent.end(text);
    });
  }
}

function refusal(call: string, answer: string): MachineFault {
  const words = /"fault_message"\s*:\s*"((?:[^"\\]|\\.)*)"/.exec(answer)?.[1] ?? answer.trim();
  if (/kvm/i.test(words)) {
    return new MachineFault('MACHINE_NO_KVM', `Firecracker: ${words}`, {
      at: '/dev/kvm',
      hint: 'Firecracker cannot emulate. Run the target for qemu instead.',
    });
  }
  return new MachineFault('MACHINE_START_FAILED', `Firecracker refused ${call}: ${words}`);
}
