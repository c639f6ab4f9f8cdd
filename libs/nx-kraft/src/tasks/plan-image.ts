import { readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { hasErrorCode, replaceAtomically } from '@nx-kraft/base';
import { type Kconfig, parseConfig } from '@nx-kraft/kernel';
import type { KernelRun } from '@nx-kraft/machine';
import {
  type FoundRuntime,
  ImageStore,
  type RunConfig,
  findRuntime,
  hostArchitecture,
  parseReference,
  unpackImage,
} from '@nx-kraft/oci';
import { initrdOf } from './initrd-mount.ts';
import { machineSettings, withHostValues } from './machine-options.ts';
import type { SubjectOptions } from './plan-subject.ts';
import { openRegistries, userPolicy } from './registry.ts';
import { keptFor, markUsed, pruneRunCache, runCacheFolder } from './run-cache.ts';

/** Plans a machine for an image, which is pulled where the store does not have it. */
export async function planImage(name: string, options: SubjectOptions): Promise<KernelRun> {
  const { platform = 'qemu', architecture = hostArchitecture() } = options;
  // Before anything is pulled: of a mistake in the options nobody wants to be told after minutes.
  const settings = await machineSettings(options, resolve(), {});
  const client = openRegistries(options);
  const policy = await userPolicy();
  try {
    const wanted = { platform, architecture, kconfig: [] };
    const pull = policy === undefined ? {} : { policy };
    const image = await findRuntime(parseReference(name), wanted, await ImageStore.open(), client, pull);
    const { kernel, initrd, config } = await unpackOnce(image);
    const { Cmd = [], Env = [] } = config;
    const env = Object.fromEntries(Env.map((item) => [item.split('=')[0] ?? '', item.slice(item.indexOf('=') + 1)]));
    return {
      kernel,
      architecture: architecture as KernelRun['architecture'],
      platform,
      ...(initrd === undefined ? {} : initrdOf(initrd, await readConfig(kernel))),
      args: options.args ?? Cmd,
      ...settings,
      env: { ...withHostValues(env), ...settings.env },
    };
  } finally {
    client.close();
  }
}

interface Unpacked {
  readonly kernel: string;
  readonly initrd?: string;
  readonly config: RunConfig;
}

/** Unpacks an image where it has not been unpacked before: machines that go on need its files for as long as they run. */
async function unpackOnce({ source, digest, entry }: FoundRuntime): Promise<Unpacked> {
  const folder = join(runCacheFolder(), digest.replace(':', '-'));
  const record = join(folder, 'image.json');
  try {
    const unpacked = JSON.parse(await readFile(record, 'utf8')) as Unpacked;
    await markUsed(folder);
    return unpacked;
  } catch (error) {
    if (!hasErrorCode(error, 'ENOENT')) throw error;
  }
  const { kernel, initrd, config } = await unpackImage(source, digest, folder);
  await writeFile(configName(kernel), `${(entry.platform['os.features'] ?? []).join('\n')}\n`);
  const unpacked = { kernel, ...(initrd === undefined ? {} : { initrd }), config: config.config ?? {} };
  await replaceAtomically(record, (temporary) => writeFile(temporary, JSON.stringify(unpacked)));
  await pruneRunCache(keptFor);
  return unpacked;
}

/** Kernels that were built or unpacked here have their configuration beside them. */
function configName(kernel: string): string {
  return `${kernel}.config`;
}

/** Empty for a kernel that came from elsewhere. */
export async function readConfig(kernel: string): Promise<Kconfig> {
  try {
    return parseConfig(await readFile(configName(kernel), 'utf8'));
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return {};
    throw error;
  }
}
