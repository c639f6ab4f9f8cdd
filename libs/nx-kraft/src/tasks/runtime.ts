import { copyFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { regularFile, replaceAtomically } from '@nx-kraft/base';
import { pinImage } from '@nx-kraft/components/image';
import type { Runtime, Target } from '@nx-kraft/kraftfile';
import { outputNames } from '@nx-kraft/kraftfile/outputs';
import {
  type FoundRuntime,
  ImageStore,
  Layout,
  RegistryFault,
  type Wanted,
  findRuntime,
  listEntries,
  parseReference,
  selectEntries,
  unpackImage,
} from '@nx-kraft/oci';
import type { Kraftproject } from './kraftproject.ts';
import { readWorkspaceLock, tellProgress } from './lock.ts';
import { runtimeImageName } from './needs.ts';
import { type NetworkOptions, type NetworkRules, networkRules } from './network.ts';
import { openRegistries, userPolicy } from './registry.ts';
import { type RuntimeRecord, readRuntime } from './built-kernel.ts';
import { tell } from './task.ts';

/** Where a runtime is. */
export interface RuntimeOptions extends NetworkOptions {
  /** The OCI image layout of a runtime that the workspace packs itself, relative to it. */
  readonly runtimeLayout?: string;
}

/** Takes a target's kernel from the runtime: pulled where the store of images does not have it, or a file. */
export async function takeRuntime(
  workspaceRoot: string,
  project: Kraftproject,
  target: Target,
  options: RuntimeOptions,
): Promise<void> {
  const { kraftfile, folder } = project;
  const runtime = kraftfile.runtime ?? { kconfig: {} };
  const names = outputNames(kraftfile, target);
  const output = (name: string): string => join(folder, name);
  if (runtime.kernel !== undefined) {
    await place(resolve(folder, runtime.kernel), output(names.kernel));
    await write(output(names.config), '');
    await write(output(names.runtime), JSON.stringify({ cmd: [], hasInitrd: false } satisfies RuntimeRecord));
    return;
  }
  const rules = networkRules(options);
  const found =
    options.runtimeLayout === undefined
      ? await findImage(await lockedName(workspaceRoot, runtime, rules), runtime, target, rules)
      : await findPacked(join(workspaceRoot, options.runtimeLayout), runtime, target);
  const image = runtimeImageName(runtime.reference ?? '').replace(/@.*/, '');
  const unpacked = await unpackImage(
    found.source,
    found.digest,
    join(folder, '.unikraft', 'work', target.id, 'runtime'),
  );
  await place(unpacked.kernel, output(names.kernel));
  if (kraftfile.rootfs === undefined) {
    const initrd = output(names.initrd);
    await (unpacked.initrd === undefined ? rm(initrd, { force: true }) : place(unpacked.initrd, initrd));
  }
  await write(output(names.config), `${(found.entry.platform['os.features'] ?? []).join('\n')}\n`);
  const cmd = unpacked.config.config?.Cmd ?? [];
  const hasInitrd = kraftfile.rootfs === undefined && unpacked.initrd !== undefined;
  const record: RuntimeRecord = { image: `${image}@${found.index}`, cmd, hasInitrd };
  await write(output(names.runtime), JSON.stringify(record));
  tell(`${names.kernel} from ${record.image}`);
}

/** A target's runtime as an image whose layers can be packed, by the digest that the target's kernel is from. */
export async function findPackedRuntime(
  workspaceRoot: string,
  project: Kraftproject,
  target: Target,
  options: RuntimeOptions,
): Promise<FoundRuntime | undefined> {
  const { image } = await readRuntime(project, target);
  if (image === undefined) return undefined;
  const runtime = project.kraftfile.runtime ?? { kconfig: {} };
  if (options.runtimeLayout !== undefined)
    return findPacked(join(workspaceRoot, options.runtimeLayout), runtime, target);
  return findImage(image, runtime, target, networkRules(options));
}

/** A runtime out of the layout in which another project of the workspace packed it. */
async function findPacked(folder: string, runtime: Runtime, target: Target): Promise<FoundRuntime> {
  const source = await Layout.open(folder);
  const [descriptor] = await source.roots();
  if (descriptor === undefined) throw new Error(`the layout in ${folder} is empty`);
  const root = { descriptor, bytes: await source.readManifest(descriptor.digest) };
  const [entry] = selectEntries(await listEntries(source, root), wantedOf(runtime, target), folder);
  if (entry === undefined) throw new Error(`the layout in ${folder} has nothing for ${target.id}`);
  return { source, digest: entry.digest, entry, index: descriptor.digest };
}

function wantedOf(runtime: Runtime, { platform, architecture }: Target): Wanted {
  return {
    platform,
    architecture,
    kconfig: Object.entries(runtime.kconfig).map(([name, value]) => `${name}=${value}`),
  };
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
    const options = policy === undefined ? {} : { policy };
    return await findRuntime(parseReference(name), wantedOf(runtime, target), await ImageStore.open(), client, options);
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
  return replaceAtomically(to, (temporary) => copyFile(regularFile(from), temporary));
}

function write(path: string, text: string): Promise<void> {
  return replaceAtomically(path, (temporary) => writeFile(temporary, text));
}
