import { createHash } from 'node:crypto';
import { access, copyFile, mkdir, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { ProgramFault, hasErrorCode, replaceAtomically, run, withLock } from '@nx-kraft/base';
import { diagnoseMakeOutput, parseMakeStep, type MakeStep } from './diagnose.ts';
import { KernelFault } from './fault.ts';
import { findDroppedOptions, formatFragment, parseConfig, type DroppedOption, type Kconfig } from './kconfig.ts';
import { orderLibraries, type Library } from './libraries.ts';
import { choosePlace, type Folders, type Place } from './place.ts';
import { crossCompilePrefix, requireCompiler } from './toolchain.ts';

/** Everything that decides the bytes of one kernel. All paths are absolute. */
export interface KernelPlan {
  /** The image's name, as `CONFIG_UK_NAME` gets it. */
  readonly name: string;
  readonly architecture: string;
  readonly platform: string;
  /** The source of Unikraft's core. */
  readonly core: string;
  /** The core's revision, for the version that the kernel tells; undefined for a local folder. */
  readonly coreRevision: string | undefined;
  /** The application's folder, with its `Makefile.uk` if it has one. */
  readonly application: string;
  readonly libraries: readonly Library[];
  /** The merged configuration, the target's own symbols included. */
  readonly kconfig: Kconfig;
  /** A folder for objects, kept from build to build; it belongs to this target alone. */
  readonly workFolder: string;
  /** Where the results go. */
  readonly output: { readonly kernel: string; readonly debugKernel: string; readonly config: string };
}

export interface BuildOptions {
  /** Parallel jobs of make (default: as many as this process may use processors). */
  readonly jobs?: number;
  /** Stops the build. */
  readonly signal?: AbortSignal | undefined;
  /** Seconds since 1970 that are embedded where Unikraft embeds a date (default 0). */
  readonly sourceDateEpoch?: number;
  readonly onStep?: (step: MakeStep) => void;
}

export interface BuiltKernel {
  /** Options that were asked for and that KConfig did not take. */
  readonly dropped: readonly DroppedOption[];
  /** The whole configuration as KConfig finished it. */
  readonly config: Kconfig;
  /** Whether make ran at paths that are the same on every machine, so that the image is the same bits everywhere. */
  readonly canonical: boolean;
}

/**
 * Configures and builds one kernel with Unikraft's own make and puts the kernel, its debug twin and its final
 * configuration at `plan.output`; older results stay whole until then. Objects in the work folder are used again;
 * after a build that was stopped half way they are thrown away, since a file may be cut short.
 *
 * @throws KernelFault with the first real error of the compiler or linker, or what is missing
 */
export async function buildKernel(plan: KernelPlan, options: BuildOptions = {}): Promise<BuiltKernel> {
  await requireCompiler(plan.architecture);
  await requireSources(plan);
  await mkdir(plan.workFolder, { recursive: true });
  return withLock(join(plan.workFolder, 'lock'), () => buildAlone(plan, options), { timeout: Infinity });
}

async function requireSources(plan: KernelPlan): Promise<void> {
  if (!(await exists(join(plan.core, 'Makefile')))) {
    throw new KernelFault('KERNEL_NO_CORE', 'this folder holds no Unikraft core: it has no Makefile', {
      at: plan.core,
      hint: "Check the Kraftfile's unikraft element.",
    });
  }
  for (const { name, folder } of plan.libraries) {
    if (await exists(join(folder, 'Makefile.uk'))) continue;
    throw new KernelFault('KERNEL_NO_LIBRARY', `library ${name} has no Makefile.uk`, {
      at: folder,
      hint: "Check the library's source in the Kraftfile.",
    });
  }
}

async function buildAlone(plan: KernelPlan, options: BuildOptions): Promise<BuiltKernel> {
  const objects = join(plan.workFolder, 'objects');
  const unfinished = join(plan.workFolder, 'unfinished');
  if (await exists(unfinished)) await rm(objects, { recursive: true, force: true });
  await mkdir(objects, { recursive: true });
  await writeFile(unfinished, '');

  const place = await choosePlace(await gatherFolders(plan, objects), join(plan.workFolder, 'stage'));
  const make = makeRunner(plan, options, place);
  const config = await configure(plan, objects, make);
  const image = join(objects, imageName(plan));
  await rm(image, { force: true });
  try {
    await make(['--jobs', String(options.jobs ?? availableParallelism()), 'all']);
  } catch (error) {
    // A compiler leaves no half object behind; whatever else failed may have, so the next build then starts anew.
    if (error instanceof KernelFault && error.code === 'KERNEL_COMPILE_FAILED') await rm(unfinished);
    throw error;
  }
  await deliver(plan, image, join(objects, '.config'));
  await rm(unfinished);
  const finished = parseConfig(config);
  return { dropped: findDroppedOptions(plan.kconfig, finished), config: finished, canonical: place.canonical };
}

/** The folders that make sees. An application without a Makefile.uk gets an empty one, but not in its own folder. */
async function gatherFolders(plan: KernelPlan, objects: string): Promise<Folders> {
  let application = plan.application;
  if (!(await exists(join(application, 'Makefile.uk')))) {
    application = join(plan.workFolder, 'application');
    await mkdir(application, { recursive: true });
    await writeFile(join(application, 'Makefile.uk'), '');
  }
  const libraries = plan.libraries.map(({ name, folder }) => [`lib/${name}`, folder]);
  return { core: plan.core, app: application, objects, ...(Object.fromEntries(libraries) as Folders) };
}

/** What make calls the result: Firecracker's kernels are named `fc` whatever cloud they go to. */
function imageName(plan: KernelPlan): string {
  const platform = plan.platform === 'kraftcloud' ? 'fc' : plan.platform;
  return `${plan.name}_${platform}-${plan.architecture}`;
}

type Make = (goals: readonly string[]) => Promise<void>;

/** Prepares calls of make with the variables of `../README.md`, "What make is told". */
function makeRunner(plan: KernelPlan, { signal, sourceDateEpoch = 0, onStep }: BuildOptions, place: Place): Make {
  const libraries = orderLibraries(plan.libraries).map(({ name }) => place.path(`lib/${name}`));
  const crossCompile = crossCompilePrefix(plan.architecture);
  const date = new Date(sourceDateEpoch * 1000).toISOString().replace('.000Z', '+00:00');
  return async (goals) => {
    const version = await fullVersion(plan);
    const variables = {
      A: place.path('app'),
      ...(libraries.length === 0 ? {} : { L: libraries.join(':') }),
      O: place.path('objects'),
      C: join(place.path('objects'), '.config'),
      N: plan.name,
      UK_DEFCONFIG: join(place.path('objects'), 'fragment'),
      ...(crossCompile === '' ? {} : { CROSS_COMPILE: crossCompile }),
      ...(version === undefined ? {} : { UK_FULLVERSION: version }),
      HOSTUTC: date,
      HOSTNAME: 'nx-kraft',
      HOSTUSER: 'nx-kraft',
    };
    const assignments = Object.entries(variables).map(([name, value]) => `${name}=${value}`);
    const args = ['--pdeathsig', 'TERM', 'make', '-C', place.path('core'), ...assignments, ...goals];
    const [program, programArgs] = place.command('setpriv', args);
    let output = '';
    try {
      await run(program, programArgs, {
        signal,
        // Make options of a make above us must not leak in, and messages are read in English.
        env: { MAKEFLAGS: undefined, MAKELEVEL: undefined, LC_ALL: 'C' },
        onLine: (line) => {
          output += `${line}\n`;
          const step = parseMakeStep(line);
          if (step !== undefined) onStep?.(step);
        },
      });
    } catch (error) {
      if (!(error instanceof ProgramFault)) throw error;
      if (signal?.aborted === true) {
        throw new KernelFault('KERNEL_STOPPED', 'the build was stopped', { cause: error });
      }
      throw diagnoseMakeOutput(output, (path) => toHostPath(path, plan, place));
    }
  };
}

function toHostPath(path: string, plan: KernelPlan, place: Place): string {
  const folders = { app: plan.application, core: plan.core };
  for (const [name, folder] of Object.entries(folders)) {
    const seen = place.path(name);
    if (path.startsWith(`${seen}/`)) return join(folder, path.slice(seen.length));
  }
  return path;
}

/**
 * The version that the kernel tells. The core's make would ask git for its revision, and so give another version in a
 * checkout than in an unpacked archive, and even that of a repository around it.
 */
async function fullVersion(plan: KernelPlan): Promise<string | undefined> {
  let text: string;
  try {
    text = await readFile(join(plan.core, 'version.mk'), 'utf8');
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return undefined;
    throw error;
  }
  const part = (name: string) => new RegExp(`^${name}\\s*[:?]?=\\s*(\\S+)`, 'm').exec(text)?.[1];
  const numbers = [part('UK_VERSION'), part('UK_SUBVERSION'), part('UK_EXTRAVERSION')].filter((n) => n !== undefined);
  const revision = plan.coreRevision === undefined ? '' : `~${plan.coreRevision.slice(0, 7)}`;
  return `${numbers.join('.')}${revision}`;
}

/**
 * Runs `defconfig` when something that it reads has changed, and keeps the `.config` (and its time, by which make
 * decides what to compile again) when the result is the same as before.
 */
async function configure(plan: KernelPlan, objects: string, make: Make): Promise<string> {
  const fragment = formatFragment(plan.kconfig);
  const key = await configurationKey(plan, fragment);
  const keyFile = join(objects, 'configured');
  const configFile = join(objects, '.config');
  const [knownKey, oldConfig] = await Promise.all([readIfThere(keyFile), readIfThere(configFile)]);
  if (knownKey === key && oldConfig !== undefined) return oldConfig;

  await writeFile(join(objects, 'fragment'), fragment);
  const kept = join(objects, '.config.kept');
  if (oldConfig !== undefined) await rename(configFile, kept);
  try {
    await make(['defconfig']);
  } catch (error) {
    if (!(error instanceof KernelFault) || error.code === 'KERNEL_STOPPED') throw error;
    throw new KernelFault('KERNEL_CONFIGURE_FAILED', `the configuration failed: ${error.message}`, {
      at: error.at,
      hint: error.hint,
      cause: error,
    });
  }
  const config = await readFile(configFile, 'utf8');
  if (config === oldConfig) await rename(kept, configFile);
  else await rm(kept, { force: true });
  await writeFile(keyFile, key);
  return config;
}

/** A digest over the fragment and over every file that KConfig may read, by path, size and time. */
async function configurationKey(plan: KernelPlan, fragment: string): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify([plan.name, plan.core, plan.coreRevision, fragment]));
  for (const folder of [plan.core, plan.application, ...plan.libraries.map((library) => library.folder)]) {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    const paths = entries
      .filter((entry) => entry.isFile() && /^Config/.test(entry.name))
      .map((entry) => join(entry.parentPath, entry.name));
    for (const path of paths.toSorted()) {
      const { size, mtimeMs } = await stat(path);
      hash.update(`${path}\0${size}\0${mtimeMs}\n`);
    }
  }
  return hash.digest('hex');
}

async function deliver(plan: KernelPlan, image: string, config: string): Promise<void> {
  const debugImage = `${image}.dbg`;
  if (!(await exists(image))) {
    throw new KernelFault('KERNEL_NO_IMAGE', `make succeeded but gave no ${imageName(plan)}`, {
      at: plan.core,
      hint: 'Does the configuration enable the platform of this target?',
    });
  }
  await replaceAtomically(plan.output.debugKernel, (path) => copyFile(debugImage, path));
  await replaceAtomically(plan.output.config, (path) => copyFile(config, path));
  await replaceAtomically(plan.output.kernel, (path) => copyFile(image, path));
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT', 'ENOTDIR')) return false;
    throw error;
  }
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}
