import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { Fault, FileFault, refusalOf, regularFile } from '@nx-kraft/base';
import { defaultMemory } from '@nx-kraft/machine/memory';
import { type KernelRun, VolumeStore, parseMac, parseNetwork } from '@nx-kraft/machine/run';

/** What a run may choose, whatever it boots. */
export interface MachineOptions {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Files with lines `NAME=value`, relative to the Kraftfile's folder. */
  readonly envFile?: string | readonly string[];
  readonly kernelArgs?: readonly string[];
  readonly memory?: string;
  readonly cpus?: number;
  readonly ports?: readonly string[];
  /** Networks of this host, as `NAME[:ADDRESS[/PREFIX][:GATEWAY…]]`. */
  readonly networks?: readonly string[];
  /** The hardware address of the first network interface. */
  readonly mac?: string;
  /** Folders and files of the host in the guest, as `source:destination[:ro][,driver]`. */
  readonly volumes?: readonly string[];
  readonly accelerator?: 'auto' | 'kvm' | 'tcg';
}

/** The part of a machine's plan that does not depend on what it boots. */
export type MachineSettings = Required<
  Pick<KernelRun, 'env' | 'kernelArgs' | 'memory' | 'cpus' | 'ports' | 'networks' | 'volumes' | 'accelerator'>
> &
  Pick<KernelRun, 'mac'>;

/**
 * Reads options into settings of a machine, with defaults for what they leave out.
 *
 * @param folder  what relative paths are relative to
 * @param env  what the project or image says; files with variables go over it, and single ones over these
 * @throws MachineFault MACHINE_BAD_VOLUME, MACHINE_BAD_NETWORK; EnvFileFault
 */
export async function machineSettings(
  options: MachineOptions,
  folder: string,
  env: Readonly<Record<string, string>>,
): Promise<MachineSettings> {
  const networks = (options.networks ?? []).map(parseNetwork);
  const mac = options.mac === undefined ? undefined : parseMac(options.mac);
  const [first, ...others] = networks;
  return {
    env: {
      ...withHostValues(env),
      ...(await readEnvFiles([options.envFile ?? []].flat(), folder)),
      ...withHostValues(options.env ?? {}),
    },
    kernelArgs: options.kernelArgs ?? [],
    memory: options.memory ?? defaultMemory,
    cpus: options.cpus ?? 1,
    ports: options.ports ?? [],
    networks: first === undefined || mac === undefined ? networks : [{ ...first, mac }, ...others],
    ...(first === undefined && mac !== undefined ? { mac } : {}),
    volumes: await new VolumeStore().parse(options.volumes ?? [], folder),
    accelerator: options.accelerator ?? 'auto',
  };
}

/** An empty value stands for the host's variable, as kraft has it. */
export function withHostValues(env: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(env).map(([name, value]) => [name, value === '' ? (process.env[name] ?? '') : value]),
  );
}

/** A file with variables that cannot be used. */
export class EnvFileFault extends Fault<'ENV_FILE_INVALID'> {
  override readonly name = 'EnvFileFault';
}

async function readEnvFiles(files: readonly string[], folder: string): Promise<Readonly<Record<string, string>>> {
  const variables: Record<string, string> = {};
  for (const file of files) {
    const path = resolve(folder, file);
    Object.assign(variables, parseEnvFile(await readEnvFile(path), path));
  }
  return variables;
}

async function readEnvFile(path: string): Promise<string> {
  try {
    return await readFile(regularFile(path), 'utf8');
  } catch (error) {
    const refusal = error instanceof FileFault ? error : refusalOf(error);
    if (refusal === undefined) throw error;
    const { message, hint = 'A path of a task starts at the folder of its Kraftfile.' } = refusal;
    throw new EnvFileFault('ENV_FILE_INVALID', message, { at: path, hint, cause: error });
  }
}

/** Node's own parser passes over what it cannot read, so that a guest would lack a variable without a word. */
function parseEnvFile(text: string, path: string): Readonly<Record<string, string | undefined>> {
  const rest = text.replaceAll(assignment, (lines) => lines.replaceAll(/[^\n]/g, ''));
  const bad = rest.split('\n').findIndex((line) => !/^\s*(#|$)/.test(line));
  if (bad === -1) return parseEnv(text);
  throw new EnvFileFault('ENV_FILE_INVALID', 'this line is none of the form NAME=value', { at: `${path}:${bad + 1}` });
}

/** `NAME=value`, where a value in quotes may have several lines. */
const assignment = /^[^\S\n]*(?:export\s+)?[\w.-]+[^\S\n]*=[^\S\n]*(?:(["'`])[^]*?\1[^\S\n]*(?:#.*)?|.*)$/gm;
