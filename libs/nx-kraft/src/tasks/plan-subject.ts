import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, existsSync, statSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { hasErrorCode, replaceAtomically } from '@nx-kraft/base';
import { type Kconfig, parseConfig } from '@nx-kraft/kernel';
import { isKraftfileName, kraftfileNames } from '@nx-kraft/kraftfile/names';
import { type KernelRun, inspectKernel } from '@nx-kraft/machine';
import {
  type FoundRuntime,
  ImageStore,
  type RunConfig,
  findRuntime,
  hostArchitecture,
  parseReference,
  unpackImage,
} from '@nx-kraft/oci';
import { buildRootfs } from '@nx-kraft/rootfs';
import { baseImages } from './base-images.ts';
import { initrdOf } from './initrd-mount.ts';
import { loadKraftproject, ProjectFault } from './kraftproject.ts';
import { machineSettings } from './machine-options.ts';
import { planMachine, type ProjectMachineOptions } from './machine-plan.ts';
import type { NetworkOptions } from './network.ts';
import { openRegistries, userPolicy } from './registry.ts';
import { keptFor, markUsed, pruneRunCache, runCacheFolder } from './run-cache.ts';
import { sourceDateEpoch } from './task.ts';

/** What to boot outside of an Nx project, and how. */
export interface SubjectOptions extends ProjectMachineOptions, NetworkOptions {
  /** Of an image, or of a kernel file; default: qemu. */
  readonly platform?: string | undefined;
  /** Of an image; default: the host's. */
  readonly architecture?: string | undefined;
  /** Any root file system, in place of the one that there is. */
  readonly rootfs?: string | undefined;
  /** Gets what a builder of the root file system says. */
  readonly onLine?: (line: string) => void;
}

/**
 * Plans a machine for whatever can be booted: a folder with a Kraftfile, or the Kraftfile, whose target has been built; a
 * kernel's file; or else the name of an image, which is pulled where the store does not have it. Paths are relative to
 * the current folder.
 *
 * @throws ProjectFault, MachineFault, OciFault, RegistryFault, RootfsFault
 */
export async function planSubject(subject: string, options: SubjectOptions): Promise<KernelRun> {
  const path = resolve(subject);
  const stats = statSync(path, { throwIfNoEntry: false });
  let run: KernelRun;
  if (stats === undefined && !isPath(subject)) run = await planImage(subject, options);
  else if (stats?.isDirectory() === true) run = await planProject(findKraftfile(path), options);
  else if (isKraftfileName(basename(path))) run = await planProject(path, options);
  else run = await planKernelFile(path, options);
  return options.rootfs === undefined ? run : withRootfs(run, options.rootfs, options);
}

/** Whether a word can only be meant as a path; that there is nothing is then told as such. */
function isPath(subject: string): boolean {
  return /^\.{0,2}\//.test(subject);
}

function findKraftfile(folder: string): string {
  const name = kraftfileNames.find((candidate) => existsSync(join(folder, candidate)));
  if (name !== undefined) return join(folder, name);
  throw new ProjectFault('KRAFTFILE_NO_TARGET', 'there is no Kraftfile in this folder', {
    at: folder,
    hint: 'Name a folder with one, a kernel file, or an image.',
  });
}

async function planProject(kraftfile: string, options: SubjectOptions): Promise<KernelRun> {
  return planMachine(await loadKraftproject('', kraftfile), options);
}

async function planKernelFile(kernel: string, options: SubjectOptions): Promise<KernelRun> {
  const { architecture } = inspectKernel(kernel);
  const { args = [], platform = 'qemu' } = options;
  return { kernel, architecture, platform, args, ...(await machineSettings(options, resolve(), {})) };
}

async function planImage(name: string, options: SubjectOptions): Promise<KernelRun> {
  const { platform = 'qemu', architecture = hostArchitecture() } = options;
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
      ...(await machineSettings(options, resolve(), env)),
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
async function readConfig(kernel: string): Promise<Kconfig> {
  try {
    return parseConfig(await readFile(configName(kernel), 'utf8'));
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return {};
    throw error;
  }
}

async function withRootfs(run: KernelRun, source: string, options: SubjectOptions): Promise<KernelRun> {
  await mkdir(runCacheFolder(), { recursive: true });
  const temporary = join(runCacheFolder(), `.${randomUUID()}.cpio`);
  try {
    const request = {
      source,
      baseDirectory: resolve(),
      time: sourceDateEpoch(),
      images: baseImages(undefined, options),
    };
    const { onLine = () => undefined } = options;
    await buildRootfs({ ...request, architecture: run.architecture, onLine }, temporary);
    const hash = createHash('sha256');
    await pipeline(createReadStream(temporary), hash);
    const initrd = join(dirname(temporary), `${hash.digest('hex')}.cpio`);
    await rename(temporary, initrd);
    await markUsed(initrd);
    await pruneRunCache(keptFor);
    return { ...run, ...initrdOf(initrd, await readConfig(run.kernel)) };
  } finally {
    await rm(temporary, { force: true });
  }
}
