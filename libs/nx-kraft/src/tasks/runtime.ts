import { copyFile, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { replaceAtomically } from '@nx-kraft/base';
import { pinImage } from '@nx-kraft/components';
import { type Runtime, type Target, outputNames, rootfsName } from '@nx-kraft/kraftfile';
import { type FoundRuntime, ImageStore, RegistryFault, findRuntime, parseReference, unpackImage } from '@nx-kraft/oci';
import type { Kraftproject } from './kraftproject.ts';
import { readWorkspaceLock, tellProgress } from './lock.ts';
import { runtimeImageName } from './needs.ts';
import { type NetworkOptions, type NetworkRules, networkRules } from './network.ts';
import { openRegistries, userPolicy } from './registry.ts';
import { tell } from './task.ts';

/** What is kept beside a runtime's kernel. */
interface RuntimeRecord {
  /** The image by the digest of its index; undefined for a kernel that was a file. */
  readonly image?: string;
  readonly cmd: readonly string[];
}

/** Takes a target's kernel from the runtime: pulled where the store of images does not have it, or a file. */
export async function takeRuntime(
  workspaceRoot: string,
  project: Kraftproject,
  target: Target,
  options: NetworkOptions,
): Promise<void> {
  const { kraftfile, folder } = project;
  const runtime = kraftfile.runtime ?? { kconfig: {} };
  const names = outputNames(kraftfile, target);
  const output = (name: string): string => join(folder, name);
  if (runtime.kernel !== undefined) {
    await place(resolve(folder, runtime.kernel), output(names.kernel));
    await write(output(names.config), '');
    await write(output(names.runtime), JSON.stringify({ cmd: [] } satisfies RuntimeRecord));
    return;
  }
  const rules = networkRules(options);
  const found = await findImage(await lockedName(workspaceRoot, runtime, rules), runtime, target, rules);
  const image = runtimeImageName(runtime.reference ?? '').replace(/@.*/, '');
  const unpacked = await unpackImage(
    found.source,
    found.digest,
    join(folder, '.unikraft', 'work', target.id, 'runtime'),
  );
  await place(unpacked.kernel, output(names.kernel));
  if (kraftfile.rootfs === undefined) {
    const initrd = output(rootfsName(kraftfile, target.architecture));
    await (unpacked.initrd === undefined ? rm(initrd, { force: true }) : place(unpacked.initrd, initrd));
  }
  await write(output(names.config), `${(found.entry.platform['os.features'] ?? []).join('\n')}\n`);
  const record: RuntimeRecord = { image: `${image}@${found.index}`, cmd: unpacked.config.config?.Cmd ?? [] };
  await write(output(names.runtime), JSON.stringify(record));
  tell(`${names.kernel} from ${record.image}`);
}

/** The record of a target's runtime. */
export async function readRuntime({ kraftfile, folder }: Kraftproject, target: Target): Promise<RuntimeRecord> {
  return JSON.parse(await readFile(join(folder, outputNames(kraftfile, target).runtime), 'utf8')) as RuntimeRecord;
}

/** A target's runtime as an image whose layers can be packed, by the digest that the target's kernel is from. */
export async function findPackedRuntime(
  project: Kraftproject,
  target: Target,
  options: NetworkOptions,
): Promise<FoundRuntime | undefined> {
  const { image } = await readRuntime(project, target);
  if (image === undefined) return undefined;
  return findImage(image, project.kraftfile.runtime ?? { kconfig: {} }, target, networkRules(options));
}

async function findImage(
  name: string,
  runtime: Runtime,
  target: Target,
  { offline }: NetworkRules,
): Promise<FoundRuntime> {
  const client = openRegistries({ offline });
  const policy = await userPolicy();
  try {
    const kconfig = Object.entries(runtime.kconfig).map(([symbol, value]) => `${symbol}=${value}`);
    const wanted = { platform: target.platform, architecture: target.architecture, kconfig };
    const options = policy === undefined ? {} : { policy };
    return await findRuntime(parseReference(name), wanted, await ImageStore.open(), client, options);
  } catch (error) {
    if (!(error instanceof RegistryFault) || error.code !== 'REGISTRY_OFFLINE') throw error;
    throw new RegistryFault('REGISTRY_OFFLINE', `runtime ${name} is not here and the network must not be used`, {
      hint: `With a network, get it with: nx-kraft pkg pull ${name} --plat ${target.platform} --arch ${target.architecture}`,
      cause: error,
    });
  } finally {
    client.close();
  }
}

/** The runtime's name with the digest that the workspace's lock has for it. */
async function lockedName(
  workspaceRoot: string,
  { reference = '' }: Runtime,
  { frozen }: NetworkRules,
): Promise<string> {
  const lock = await readWorkspaceLock(workspaceRoot);
  return pinImage(runtimeImageName(reference), { lock, frozen, onProgress: tellProgress });
}

function place(from: string, to: string): Promise<void> {
  return replaceAtomically(to, (temporary) => copyFile(from, temporary));
}

function write(path: string, text: string): Promise<void> {
  return replaceAtomically(path, (temporary) => writeFile(temporary, text));
}
