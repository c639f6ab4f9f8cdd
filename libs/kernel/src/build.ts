import { createHash } from 'node:crypto';
import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { ProgramFault, replaceAtomically, run, withLock } from '@nx-kraft/base';
import { diagnoseMakeOutput, parseMakeStep, type MakeStep } from './diagnose.ts';
import { KernelFault } from './fault.ts';
import { exists, readIfThere } from './files.ts';
import {
  findDroppedOptions,
  formatFragment,
  mergeKconfig,
  parseConfig,
  type DroppedOption,
  type Kconfig,
} from './kconfig.ts';
import { orderLibraries, type Library } from './libraries.ts';
import { choosePlace, type Folders, type Place } from './place.ts';
import { imageBaseName, shareObjects, sharedObjectsFolder, takeSharedObjects } from './shared-objects.ts';
import {
  countLevelsUp,
  digestBuildFiles,
  digestFile,
  digestSources,
  makeCanTell,
  readGlobalSettings,
  recordSources,
  type SourceState,
} from './sources.ts';
import { crossCompilePrefix, requireCompiler } from './toolchain.ts';

/** A source tree: from the store with its digest, or a local folder that may change at any time. */
export interface Source {
  readonly folder: string;
  /** What the folder holds, by its content; undefined for a local folder. */
  readonly digest?: string | undefined;
}

/** Everything that decides the bytes of one kernel. All paths are absolute. */
export interface KernelPlan {
  readonly architecture: string;
  readonly platform: string;
  /** Unikraft's core. The version that the kernel tells ends with the revision if there is one. */
  readonly core: Source & { readonly revision?: string | undefined };
  /** The application's folder, with its `Makefile.uk` if it has one. */
  readonly application: string;
  readonly libraries: readonly Library[];
  /** The tools and their versions, as `describeToolchains` tells them for the architecture. */
  readonly toolchain: string;
  /** The merged configuration, the target's own symbols included. */
  readonly kconfig: Kconfig;
  /** The root file system that goes into the kernel itself, for a configuration that embeds one. */
  readonly embeddedRootfs?: string | undefined;
  /** A folder for objects, kept from build to build, of this target alone; inside the application only in `.unikraft`. */
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
  /** How make gets the archives that libraries fetch in their own rules (default: as Unikraft's make does). */
  readonly downloads?: {
    /** For make's command line. */
    readonly variables: Readonly<Record<string, string>>;
    /** For make's environment. */
    readonly environment: Readonly<Record<string, string>>;
  };
}

export interface BuiltKernel {
  /** Options that were asked for and that KConfig did not take. */
  readonly dropped: readonly DroppedOption[];
  /** The whole configuration as KConfig finished it. */
  readonly config: Kconfig;
  /** Whether make ran at paths that are the same on every machine, so that the image is the same bits everywhere. */
  readonly canonical: boolean;
  /** Whether the build began with objects that another target, app or checkout had compiled. */
  readonly shared: boolean;
}

/**
 * Configures and builds one kernel with Unikraft's own make and puts the kernel, its debug twin and its final
 * configuration at `plan.output`; older results stay whole until then. How objects are used again, and when they are
 * not, is told in `../README.md`.
 *
 * @throws KernelFault with the first real error of the compiler or linker, or what is missing
 */
export async function buildKernel(plan: KernelPlan, options: BuildOptions = {}): Promise<BuiltKernel> {
  requireCompiler(plan.architecture, plan.toolchain);
  await requireSources(plan);
  await mkdir(plan.workFolder, { recursive: true });
  return withLock(join(plan.workFolder, 'lock'), () => buildAlone(plan, options), { timeout: Infinity });
}

async function requireSources(plan: KernelPlan): Promise<void> {
  if (!(await exists(join(plan.core.folder, 'Makefile')))) {
    throw new KernelFault('KERNEL_NO_CORE', 'this folder holds no Unikraft core: it has no Makefile', {
      at: plan.core.folder,
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
  const beganAt = Date.now();
  const objects = join(plan.workFolder, 'objects');
  const stateFile = join(plan.workFolder, 'state.json');
  const settings = await digestSettings(plan, options);
  const usable = await canContinue(plan, stateFile, settings);
  // Without a state the next build starts anew: this one may end half way through a file.
  await rm(stateFile, { force: true });
  if (!usable) await rm(objects, { recursive: true, force: true });

  const place = await choosePlace(await gatherFolders(plan, objects), join(plan.workFolder, 'stage'));
  const make = makeRunner(plan, options, place);
  const finish = async (): Promise<string> => {
    const config =
      (await readIfThere(join(objects, '.config'))) ?? (await configure(withRootfsPath(plan, place), objects, make));
    try {
      await make(['--jobs', String(options.jobs ?? availableParallelism()), 'all']);
    } catch (error) {
      // A compiler leaves no half object behind, so what is there is good; another failure may have cut a file short.
      if (error instanceof KernelFault && error.code === 'KERNEL_COMPILE_FAILED') await writeState();
      throw error;
    }
    await writeState();
    return config;
  };
  const writeState = async () => {
    const sources = await Promise.all(localFolders(plan).map((folder) => recordSources(folder, beganAt)));
    await writeFile(stateFile, JSON.stringify({ settings, sources } satisfies WorkState));
  };
  const { config, shared } =
    usable || !place.canonical
      ? { config: await finish(), shared: false }
      : await buildSharing(await sharedObjects(plan, options), objects, place.whole('app'), finish);

  await deliver(plan, join(objects, imageName(plan)), join(objects, '.config'));
  const finished = parseConfig(config);
  return { dropped: findDroppedOptions(plan.kconfig, finished), config: finished, canonical: place.canonical, shared };
}

/** What is known of the objects in a work folder. */
interface WorkState {
  readonly settings: string;
  /** One for each of the local folders. */
  readonly sources: readonly SourceState[];
}

/** Whether make, started on the objects that are there, gives what it would give from nothing. */
async function canContinue(plan: KernelPlan, stateFile: string, settings: string): Promise<boolean> {
  const text = await readIfThere(stateFile);
  if (text === undefined) return false;
  const state = JSON.parse(text) as WorkState;
  if (state.settings !== settings) return false;
  const verdicts = await Promise.all(
    localFolders(plan).map(async (folder, index) => {
      const before = state.sources[index];
      return before !== undefined && (await makeCanTell(folder, before));
    }),
  );
  return verdicts.every(Boolean);
}

/** Folders whose files may change from build to build. */
function localFolders(plan: KernelPlan): readonly string[] {
  const local = [plan.core, ...plan.libraries].filter(({ digest }) => digest === undefined);
  return [plan.application, ...local.map(({ folder }) => folder)];
}

/**
 * A digest of all that decides how objects are compiled, sources of local folders aside: make follows those, but
 * compiles nothing again when an option, a flag or a compiler changes.
 */
async function digestSettings(plan: KernelPlan, options: BuildOptions): Promise<string> {
  const sources = [{ folder: plan.application, digest: undefined }, plan.core, ...plan.libraries];
  const parts = [
    await commonIngredients(plan, options),
    sources.map(({ folder }) => folder),
    await Promise.all(sources.map(async ({ folder, digest }) => digest ?? (await digestBuildFiles(folder)))),
  ];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

/** Where the objects lie that every build of the same configuration, sources and tools can begin with. */
async function sharedObjects(plan: KernelPlan, options: BuildOptions): Promise<string> {
  const sources = [plan.core, ...plan.libraries];
  return sharedObjectsFolder([
    ...(await commonIngredients(plan, options)),
    await readGlobalSettings(plan.application),
    ...(await Promise.all(sources.map(async ({ folder, digest }) => digest ?? (await digestSources(folder))))),
  ]);
}

async function commonIngredients(plan: KernelPlan, options: BuildOptions): Promise<readonly string[]> {
  return [
    plan.core.revision ?? '',
    formatFragment(plan.kconfig),
    // Make does not see that a file which an assembler includes has changed.
    plan.embeddedRootfs === undefined ? '' : await digestFile(plan.embeddedRootfs),
    plan.toolchain,
    String(options.sourceDateEpoch ?? 0),
    orderLibraries(plan.libraries)
      .map(({ name }) => name)
      .join(),
  ];
}

/**
 * Builds from shared objects if there are some, else shares those of this build. Builds of one configuration that
 * start at the same time wait for the first of them instead of all compiling the same.
 */
async function buildSharing(
  shared: string,
  objects: string,
  application: string,
  finish: () => Promise<string>,
): Promise<{ config: string; shared: boolean }> {
  const build = async () => {
    const taken = await takeSharedObjects(shared, objects);
    const config = await finish();
    if (!taken) await shareObjects(objects, shared, application);
    return { config, shared: taken };
  };
  await mkdir(objects, { recursive: true });
  return (await exists(shared)) ? build() : withLock(`${shared}.lock`, build, { timeout: Infinity });
}

/**
 * The folders that make sees, and where the application is among them. An application without a Makefile.uk gets an
 * empty one, but not in its own folder. One whose build files go up with `../` is seen together with the folders
 * around it, as far up as they go.
 */
async function gatherFolders(plan: KernelPlan, objects: string): Promise<Folders> {
  await mkdir(objects, { recursive: true });
  let application = plan.application;
  if (!(await exists(join(application, 'Makefile.uk')))) {
    application = join(plan.workFolder, 'application');
    await mkdir(application, { recursive: true });
    await writeFile(join(application, 'Makefile.uk'), '');
  }
  const around = resolve(application, '../'.repeat(await countLevelsUp(application)));
  const libraries = plan.libraries.map(({ name, folder }) => [`lib/${name}`, folder]);
  return {
    core: plan.core.folder,
    app: { folder: around, inside: relative(around, application) },
    objects,
    ...(Object.fromEntries(libraries) as Folders),
    ...(plan.embeddedRootfs === undefined ? {} : { rootfs: dirname(plan.embeddedRootfs) }),
  };
}

/** Tells a kernel that embeds its root file system where make finds it, unless the Kraftfile does. */
function withRootfsPath(plan: KernelPlan, place: Place): KernelPlan {
  if (plan.embeddedRootfs === undefined) return plan;
  const path = join(place.path('rootfs'), basename(plan.embeddedRootfs));
  return { ...plan, kconfig: mergeKconfig({ CONFIG_LIBVFSCORE_AUTOMOUNT_EINITRD_PATH: path }, plan.kconfig) };
}

/** What make calls the result: Firecracker's kernels are named `fc` whatever cloud they go to. */
function imageName(plan: KernelPlan): string {
  const platform = plan.platform === 'kraftcloud' ? 'fc' : plan.platform;
  return `${imageBaseName}_${platform}-${plan.architecture}`;
}

type Make = (goals: readonly string[]) => Promise<void>;

/** Prepares calls of make with the variables of `../README.md`, "What make is told". */
function makeRunner(plan: KernelPlan, options: BuildOptions, place: Place): Make {
  const { signal, sourceDateEpoch = 0, onStep, downloads } = options;
  const libraries = orderLibraries(plan.libraries).map(({ name }) => place.path(`lib/${name}`));
  const crossCompile = crossCompilePrefix(plan.architecture);
  return async (goals) => {
    const version = await fullVersion(plan);
    const variables = {
      A: place.path('app'),
      ...(libraries.length === 0 ? {} : { L: libraries.join(':') }),
      O: place.path('objects'),
      C: join(place.path('objects'), '.config'),
      N: imageBaseName,
      UK_DEFCONFIG: join(place.path('objects'), 'fragment'),
      ...(crossCompile === '' ? {} : { CROSS_COMPILE: crossCompile }),
      ...(version === undefined ? {} : { UK_FULLVERSION: version }),
      HOSTUTC: new Date(sourceDateEpoch * 1000).toISOString().replace('.000Z', '+00:00'),
      HOSTNAME: 'nx-kraft',
      HOSTUSER: 'nx-kraft',
      ...downloads?.variables,
    };
    const assignments = Object.entries(variables).map(([name, value]) => `${name}=${value}`);
    const args = ['--pdeathsig', 'TERM', 'make', '-C', place.path('core'), ...assignments, ...goals];
    const [program, programArgs] = place.command('setpriv', args);
    let output = '';
    try {
      await run(program, programArgs, {
        signal,
        // Options of a make above this one must not leak in, and messages are read in English.
        env: { ...downloads?.environment, MAKEFLAGS: undefined, MAKELEVEL: undefined, LC_ALL: 'C' },
        onLine: (line) => {
          const step = parseMakeStep(line);
          if (step !== undefined) onStep?.(step);
          output = `${output}${line}\n`.slice(-keptOutput);
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

/** How much of make's output is kept to find the first error in, in characters. */
const keptOutput = 1024 * 1024;

function toHostPath(path: string, plan: KernelPlan, place: Place): string {
  const folders = [
    ['app', plan.application],
    ['core', plan.core.folder],
    ...plan.libraries.map(({ name, folder }) => [`lib/${name}`, folder] as const),
  ] as const;
  for (const [name, folder] of folders) {
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
  const text = await readIfThere(join(plan.core.folder, 'version.mk'));
  if (text === undefined) return undefined;
  const part = (name: string) => new RegExp(`^${name}\\s*[:?]?=\\s*(\\S+)`, 'm').exec(text)?.[1];
  const numbers = [part('UK_VERSION'), part('UK_SUBVERSION'), part('UK_EXTRAVERSION')].filter((n) => n !== undefined);
  const revision = plan.core.revision === undefined ? '' : `~${plan.core.revision.slice(0, 7)}`;
  return `${numbers.join('.')}${revision}`;
}

async function configure(plan: KernelPlan, objects: string, make: Make): Promise<string> {
  await writeFile(join(objects, 'fragment'), formatFragment(plan.kconfig));
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
  return readFile(join(objects, '.config'), 'utf8');
}

async function deliver(plan: KernelPlan, image: string, config: string): Promise<void> {
  if (!(await exists(image))) {
    throw new KernelFault('KERNEL_NO_IMAGE', `make succeeded but gave no ${imageName(plan)}`, {
      at: plan.core.folder,
      hint: 'Does the configuration enable the platform of this target?',
    });
  }
  await replaceAtomically(plan.output.debugKernel, (path) => copyFile(`${image}.dbg`, path));
  await replaceAtomically(plan.output.config, (path) => copyFile(config, path));
  await replaceAtomically(plan.output.kernel, (path) => copyFile(image, path));
}
