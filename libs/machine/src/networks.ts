import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { homedir, networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { ProgramFault, replaceAtomically, run, withLock } from '@nx-kraft/base';
import { formatAddress, type Address } from './command-line.ts';
import { MachineFault } from './fault.ts';
import { exists, listFolder } from './files.ts';
import { formatIpv4, overlap, parseAddress, parseCidr, subnetSize, type Subnet } from './ipv4.ts';
import { findProgram } from './programs.ts';
import type { TapInterface } from './qemu.ts';

/** A bridge of the host to which machines are attached. */
export interface Network {
  /** The bridge's name too. */
  readonly name: string;
  /** The host's address in it, with the prefix: `172.17.0.1/16`. */
  readonly gateway: string;
  /** `missing`: it is known but the bridge is not there, as after a restart of the host. */
  readonly state: 'up' | 'down' | 'missing';
  /** The tap devices of the machines that are attached. */
  readonly taps: readonly string[];
}

/** A place in a network for one machine: what it is started with. */
export interface Attachment {
  readonly interface: TapInterface;
  /** For the plan's `addresses`. */
  readonly address: string;
}

interface Lease {
  readonly address: string;
  readonly tap: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

interface NetworkRecord {
  readonly name: string;
  readonly gateway: string;
  readonly leases: readonly Lease[];
}

/** `nx-kraft/networks` in the user's folder for state. */
export function defaultNetworkFolder(): string {
  return join(process.env['XDG_STATE_HOME'] ?? join(homedir(), '.local/state'), 'nx-kraft', 'networks');
}

/** How long (milliseconds) an address is kept for a machine that has not started yet. */
const leaseGrace = 60_000;

/** Where networks are looked for that nobody uses: the private ones that Docker and kraft use too. */
const pools: readonly Subnet[] = [
  ...Array.from({ length: 15 }, (_, index) => ({ base: parseAddress(`172.${17 + index}.0.0`) ?? 0, prefix: 16 })),
  ...Array.from({ length: 16 }, (_, index) => ({ base: parseAddress(`192.168.${index * 16}.0`) ?? 0, prefix: 20 })),
];

/**
 * The networks of this host's machines: Linux bridges, made with `ip`, which needs the right to administer networks
 * (CAP_NET_ADMIN, root mostly). A machine's tap device is made by its QEMU and goes with it, so none can be left over.
 */
export class Networks {
  readonly #root: string;

  /** @param root  the folder where they are recorded */
  constructor(root: string = defaultNetworkFolder()) {
    this.#root = root;
  }

  /**
   * Makes a network and brings it up.
   *
   * @param gateway  the host's address and the prefix, `172.30.0.1/16` (default: in a range that is free)
   * @throws MachineFault MACHINE_BAD_NETWORK, MACHINE_NAME_TAKEN, MACHINE_NO_RIGHTS, MACHINE_NO_PROGRAM
   */
  async create(name: string, gateway?: string): Promise<Network> {
    if (!/^[a-zA-Z0-9][\w.-]{0,14}$/.test(name)) {
      throw new MachineFault('MACHINE_BAD_NETWORK', `'${name}' cannot be the name of a network`, {
        hint: 'Linux takes at most 15 letters, digits, -, _ and . for it.',
      });
    }
    await withLock(this.#lock(), async () => {
      const records = await this.#records();
      if (records.some((record) => record.name === name) || (await exists(join('/sys/class/net', name)))) {
        throw new MachineFault('MACHINE_NAME_TAKEN', `there is a network or device with the name ${name}`);
      }
      const record = { name, gateway: chooseGateway(gateway, records), leases: [] };
      await bringUp(record);
      await this.#write(record);
    });
    return this.inspect(name);
  }

  async list(): Promise<readonly Network[]> {
    return Promise.all((await this.#records()).map(look));
  }

  /** @throws MachineFault MACHINE_NO_NETWORK */
  async inspect(name: string): Promise<Network> {
    return look(await this.#find(name));
  }

  /** Brings a network up, and makes its bridge again where it is missing. */
  async up(name: string): Promise<void> {
    await bringUp(await this.#find(name));
  }

  async down(name: string): Promise<void> {
    await this.#find(name);
    await ip('link', 'set', 'dev', name, 'down');
  }

  /** @throws MachineFault MACHINE_NETWORK_IN_USE while machines are attached */
  async remove(name: string): Promise<void> {
    const { taps, state } = await this.inspect(name);
    if (taps.length > 0) {
      throw new MachineFault('MACHINE_NETWORK_IN_USE', `${taps.length} machines are attached to ${name}`, {
        hint: 'Stop them first.',
      });
    }
    if (state !== 'missing') await ip('link', 'delete', 'dev', name);
    await rm(this.#path(name), { force: true });
  }

  /**
   * Takes a place for a machine that is about to start.
   *
   * @param wanted  what its address is to be, without a prefix that of the network; without one, the lowest that is free
   * @param hardware  the interface's own address (default: one that is free)
   * @throws MachineFault MACHINE_NO_NETWORK, MACHINE_NETWORK_IN_USE, MACHINE_BAD_NETWORK when it is down
   */
  async attach(name: string, wanted: Partial<Address> = {}, hardware?: string): Promise<Attachment> {
    return withLock(this.#lock(), async () => {
      const record = await this.#find(name);
      const { state } = await look(record);
      if (state !== 'up') {
        throw new MachineFault('MACHINE_BAD_NETWORK', `the network ${name} is ${state}`, {
          hint: `Bring it up: nx-kraft net up ${name}.`,
        });
      }
      const leases = await livingLeases(record);
      const cidr = wanted.cidr === undefined ? freeAddress(record, leases) : withPrefix(wanted.cidr, record);
      if (cidr === record.gateway || leases.some((lease) => lease.address === cidr)) {
        throw new MachineFault('MACHINE_NETWORK_IN_USE', `${cidr} is taken in ${name}`, {
          hint: 'Take another address, or leave it out to get one that is free.',
        });
      }
      const id = randomBytes(4);
      const tap = `nxk-${id.toString('hex')}`;
      await this.#write({ ...record, leases: [...leases, { address: cidr, tap, at: Date.now() }] });
      const [gateway = ''] = record.gateway.split('/');
      const bytes = [...id.subarray(0, 3)].map((byte) => byte.toString(16).padStart(2, '0'));
      const mac = hardware ?? ['02', 'b0', 'b0', ...bytes].join(':');
      return { interface: { tap, bridge: name, mac }, address: formatAddress({ gateway, ...wanted, cidr }) };
    });
  }

  #lock(): string {
    return join(this.#root, 'lock');
  }

  #path(name: string): string {
    return join(this.#root, `${name}.json`);
  }

  async #records(): Promise<readonly NetworkRecord[]> {
    const names = (await listFolder(this.#root)).filter((entry) => /^[^.].*\.json$/.test(entry)).toSorted();
    return Promise.all(
      names.map(async (entry) => JSON.parse(await readFile(join(this.#root, entry), 'utf8')) as NetworkRecord),
    );
  }

  async #find(name: string): Promise<NetworkRecord> {
    const records = await this.#records();
    const record = records.find((each) => each.name === name);
    if (record !== undefined) return record;
    throw new MachineFault('MACHINE_NO_NETWORK', `there is no network '${name}'`, {
      hint:
        records.length === 0 ? 'There is none at all.' : `There are: ${records.map((each) => each.name).join(', ')}.`,
    });
  }

  async #write(record: NetworkRecord): Promise<void> {
    await mkdir(this.#root, { recursive: true });
    await replaceAtomically(this.#path(record.name), (path) =>
      writeFile(path, `${JSON.stringify(record, undefined, 2)}\n`),
    );
  }
}

function chooseGateway(wanted: string | undefined, records: readonly NetworkRecord[]): string {
  const used = [
    ...Object.values(networkInterfaces()).flatMap((addresses) => (addresses ?? []).map(({ cidr }) => cidr ?? '')),
    ...records.map(({ gateway }) => gateway),
  ].flatMap((cidr) => parseCidr(cidr)?.subnet ?? []);
  if (wanted === undefined) {
    const free = pools.find((pool) => !used.some((other) => overlap(pool, other)));
    if (free !== undefined) return `${formatIpv4(free.base + 1)}/${free.prefix}`;
    throw new MachineFault('MACHINE_BAD_NETWORK', 'no private range of addresses is free', { hint: 'Give a gateway.' });
  }
  const parsed = parseCidr(wanted);
  if (parsed === undefined) {
    throw new MachineFault('MACHINE_BAD_NETWORK', `'${wanted}' is no gateway`, { hint: 'For example 172.30.0.1/16.' });
  }
  if (used.some((other) => overlap(parsed.subnet, other))) {
    throw new MachineFault('MACHINE_BAD_NETWORK', `the range of ${wanted} is in use on this host`, {
      hint: 'Take another one, or leave it out to get one that is free.',
    });
  }
  return wanted;
}

function withPrefix(address: string, { name, gateway }: NetworkRecord): string {
  const network = parseCidr(gateway);
  const cidr = address.includes('/') ? address : `${address}/${network?.subnet.prefix}`;
  const parsed = parseCidr(cidr);
  if (parsed !== undefined && network !== undefined && overlap(parsed.subnet, network.subnet)) return cidr;
  throw new MachineFault('MACHINE_BAD_NETWORK', `${address} is no address of ${name}, which has ${gateway}`);
}

async function livingLeases({ leases }: NetworkRecord): Promise<readonly Lease[]> {
  const living = await Promise.all(
    leases.map(async ({ tap, at }) => Date.now() - at < leaseGrace || (await exists(join('/sys/class/net', tap)))),
  );
  return leases.filter((_, index) => living[index]);
}

function freeAddress({ name, gateway }: NetworkRecord, leases: readonly Lease[]): string {
  const parsed = parseCidr(gateway);
  if (parsed === undefined) throw new Error(`network ${name} has the gateway ${gateway}`);
  const { base, prefix } = parsed.subnet;
  const taken = new Set([gateway, ...leases.map(({ address }) => address)]);
  for (let address = base + 1; address < base + subnetSize(prefix) - 1; address++) {
    const cidr = `${formatIpv4(address)}/${prefix}`;
    if (!taken.has(cidr)) return cidr;
  }
  throw new MachineFault('MACHINE_NETWORK_IN_USE', `all addresses of ${name} are taken`);
}

async function look({ name, gateway }: NetworkRecord): Promise<Network> {
  const device = join('/sys/class/net', name);
  if (!(await exists(device))) return { name, gateway, state: 'missing', taps: [] };
  const flags = Number(await readFile(join(device, 'flags'), 'utf8'));
  return { name, gateway, state: flags & 1 ? 'up' : 'down', taps: await readdir(join(device, 'brif')) };
}

async function bringUp({ name, gateway }: NetworkRecord): Promise<void> {
  if (!(await exists(join('/sys/class/net', name)))) {
    await ip('link', 'add', 'name', name, 'type', 'bridge');
    await ip('address', 'add', gateway, 'dev', name);
  }
  await ip('link', 'set', 'dev', name, 'up');
}

/** Attaches a machine's tap device, which its QEMU has made, to its bridge. */
export async function attachTap({ tap, bridge }: TapInterface): Promise<void> {
  await ip('link', 'set', 'dev', tap, 'master', bridge, 'up');
}

async function ip(...args: readonly string[]): Promise<void> {
  const program = await findProgram('ip');
  try {
    await run(program, args);
  } catch (error) {
    if (!(error instanceof ProgramFault)) throw error;
    if (/Operation not permitted/.test(error.output)) {
      throw new MachineFault('MACHINE_NO_RIGHTS', 'you may not administer networks', {
        hint: 'It needs root or CAP_NET_ADMIN. Ports of the default network need no rights.',
        cause: error,
      });
    }
    const words = error.output.trim().replace(/^(?:RTNETLINK answers|Error): /, '');
    throw new MachineFault('MACHINE_BAD_NETWORK', `ip ${args.join(' ')}: ${words}`, { cause: error });
  }
}
