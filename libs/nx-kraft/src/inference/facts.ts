import { readFileSync } from 'node:fs';
import { dirname, join, posix, resolve, sep } from 'node:path';
import { Fault, hasErrorCode, leadsNowhere } from '@nx-kraft/base';
import { isLicence } from '@nx-kraft/components/licence';
import { findOtherCompilers, type OtherCompilerName } from '@nx-kraft/kernel/other-compilers';
import type { BuildFilesSurvey } from '@nx-kraft/kernel/survey';
import { isNamedVolume } from '@nx-kraft/machine/volume-names';
import type { InputsRequest, KnownTexts, RootfsInputs } from '@nx-kraft/rootfs';
import { globOf, splitGlob } from '@nx-kraft/rootfs/globs';
import { leftOutOfAll, type Reading, uniqueReadings } from '@nx-kraft/rootfs/left-out';
import { deployFileName } from '../tasks/files.ts';
import { type AnyFilesystem, filesystemRequests } from '../tasks/filesystem-requests.ts';
import { typedInputsVariable } from '../tasks/typed-inputs.ts';
import { checkedFiles } from './checked-files.ts';
import type { UsedComponents } from './components.ts';
import { globsInContext } from './context-globs.ts';
import type { Disk } from './disk.ts';
import type { Recall } from './memory.ts';
import { apartFolders, isNeverCompiled, notCompiled } from './not-compiled.ts';
import type { ProjectSettings } from './project-options.ts';
import type { Summary } from './summary.ts';
import { buildersVariable, erofsVariable } from './variables.ts';

/** What inference must look up on the disk. Paths are relative to the workspace, with `/`. */
export interface Facts {
  /** Whether the application has build files for Unikraft, and so sources of its own in the kernel. */
  readonly hasMakefile: boolean;
  /** Whether an npm package lies in the same folder. */
  readonly hasManifest: boolean;
  /** Whether the project has settings for Unikraft Cloud. */
  readonly isDeployed: boolean;
  /** Paths that the Kraftfile names, as it writes them, and where nothing is. */
  readonly missing: readonly string[];
  /** Names of projects that the project's own settings declare to be before it. */
  readonly declared: readonly string[];
  readonly kernels: KernelFacts;
  readonly rootfs: RootfsFacts;
  readonly volumes: VolumeFacts;
}

/** What a test reads of the host: its guest through volumes, and its scenarios. */
export interface VolumeFacts {
  /** Globs. */
  readonly files: readonly string[];
  /** Whether they name what git ignores, which mostly other tasks make. */
  readonly isMade: boolean;
  /** Whether some of it lies outside of the workspace, as volumes do that have a name. */
  readonly reachesOutside: boolean;
}

/** What decides the kernels, beside the application itself. */
export interface KernelFacts {
  /** Keys of remote components, as `kraft.lock` has them. */
  readonly remote: readonly string[];
  /** Folders of components that lie in the workspace. */
  readonly folders: readonly LocalFolder[];
  /**
   * Components that lie in the workspace as archives, files to which links among the sources lead or that these include from
   * around their folders, sources that Nx passes over, and documents that are licences of components.
   */
  readonly files: readonly string[];
  /** Other folders in the workspace with sources of the application and of local components. */
  readonly taken: readonly LocalFolder[];
  /** Globs of what lies in these and goes into no kernel. */
  readonly notCompiled: readonly string[];
  /** The compilers beside GCC that may have a part in it. */
  readonly compilers: readonly OtherCompilerName[];
  /** Names of environment variables that build files and the Kraftfiles of templates take. */
  readonly environment: readonly string[];
  /** The runtime's kernel, when it is a file in the workspace. */
  readonly file?: string;
  /** Whether something is not known yet, or lies outside of the workspace, where no cache key can see it change. */
  readonly reachesOutside: boolean;
}

export interface LocalFolder {
  readonly path: string;
  /** Whether git or Nx pass over it, as mostly over a repository of its own within the workspace. */
  readonly isPassedOver: boolean;
}

/** What decides the root file system and the read-only images. */
export interface RootfsFacts {
  /** Globs of what is read; with `!` in front, of what is not. */
  readonly files: readonly string[];
  /** Whether hard links among these stay such. */
  readonly isLinked: boolean;
  /** Whether other tasks may make some of it: it names what git ignores, or waits for tasks and takes a project as a whole. */
  readonly isMade: boolean;
  /** The images that they are made from, by their names in full. */
  readonly images: readonly string[];
  /** Names of environment variables that go into it; the plugin itself sets some before tasks run. */
  readonly environment: readonly string[];
  /** Whether it reads something whose changes no cache key can see: outside of the workspace, of the network, or not known yet. */
  readonly reachesOutside: boolean;
}

/**
 * Looks at what a Kraftfile names. This happens for each Kraftfile on each command: a few `stat` and a
 * look into its build files and its Dockerfile.
 *
 * @param rootfsTask  the name of the task whose options decide the root file system
 * @param summaryIn  gives what the Kraftfile in a folder of the workspace says; undefined where there is none
 */
export async function lookAround(
  disk: Disk,
  kraftfile: string,
  summary: Summary,
  components: UsedComponents,
  { settings, rootfsTask }: { readonly settings: ProjectSettings; readonly rootfsTask: string },
  recall: Recall,
  summaryIn: SummaryIn,
): Promise<Facts> {
  const folder = resolve(disk.workspaceRoot, dirname(kraftfile));
  const has = (name: string): boolean => disk.holds(folder, name);
  const hasMakefile = has('Makefile.uk');
  const compiled = hasMakefile && summary.compilesApplication ? [folder] : [];
  return {
    hasMakefile,
    hasManifest: has('package.json'),
    isDeployed: has(deployFileName),
    missing: summary.looked.filter((path) => !disk.has(resolve(folder, path))),
    declared: settings.declared,
    kernels: kernelFacts(disk, folder, summary, components, summaryIn, compiled),
    rootfs: await filesystemFacts(disk, folder, summary, { settings, rootfsTask }, recall),
    volumes: volumeFacts(disk, folder, summary),
  };
}

export type SummaryIn = (folder: string) => Summary | undefined;

/**
 * What the build files of an application or a local component say. Its file systems have no part in that, and neither have
 * applications of their own below.
 */
function readBuildFiles(disk: Disk, folder: string, summaryIn: SummaryIn): BuildFilesSurvey {
  const own = toWorkspacePath(disk, folder);
  const summary = own === undefined ? undefined : summaryIn(own);
  const apart = new Set(summary === undefined ? [] : apartFolders(summary));
  return disk.buildFiles(
    folder,
    (path) =>
      apart.has(path) || isNeverCompiled(path) || (own !== undefined && summaryIn(posix.join(own, path)) !== undefined),
  );
}

/**
 * The folders in an application's own that Nx counts as other projects, and so leaves out of the application's files: those
 * with a manifest, and those with a Kraftfile that its build files name.
 */
function nestedProjects(
  disk: Disk,
  folder: string,
  { own, named }: BuildFilesSurvey,
  summaryIn: SummaryIn,
): readonly string[] {
  const root = toWorkspacePath(disk, folder) ?? '';
  const projects = own.paths.flatMap((path) => /^(.+)\/project\.json$/.exec(path)?.[1] ?? []);
  const unikernels = named.filter((path) => summaryIn(posix.join(root, path)) !== undefined);
  return [...projects, ...unikernels].map((path) => join(folder, path));
}

/** A folder with sources, relative to the workspace; undefined when it is no part of that, or around all of it. */
function sourceFolder(disk: Disk, path: string): string | undefined {
  const folder = toWorkspacePath(disk, path);
  return folder === '.' ? undefined : folder;
}

function volumeFacts(disk: Disk, folder: string, { volumes }: Summary): VolumeFacts {
  const paths = volumes.map((source) => {
    if (source === null || isNamedVolume(source)) return undefined;
    const path = resolve(folder, source);
    return disk.stats(path) === undefined ? undefined : toWorkspacePath(disk, path);
  });
  const checked = checkedFiles(disk, folder).map((path) => toWorkspacePath(disk, resolve(folder, path)));
  const files = unique([
    ...inside(paths)
      .map(globOf)
      .flatMap((path) => [path, posix.join(path, '**/*')]),
    ...inside(checked).map(globOf),
  ]);
  return {
    files,
    isMade: namesIgnored(disk, files),
    reachesOutside: [...paths, ...checked].includes(undefined),
  };
}

function kernelFacts(
  disk: Disk,
  folder: string,
  summary: Summary,
  { remote, folders, core, templates, variables, isWhole }: UsedComponents,
  summaryIn: SummaryIn,
  compiled: readonly string[],
): KernelFacts {
  const { runtimeKernel } = summary;
  const toFolders = (paths: readonly (string | undefined)[]): readonly LocalFolder[] =>
    inside(paths).map((path) => ({ path, isPassedOver: disk.isPassedOver(path) }));
  const kernels = runtimeKernel === undefined ? [] : [resolve(folder, runtimeKernel)];
  const [file] = kernels.map((path) => toWorkspacePath(disk, path));
  const places = folders.map((path) => toWorkspacePath(disk, path));
  const archives = inside(places).filter((path) => disk.hasFile(join(disk.workspaceRoot, path)));
  const surveys = [...compiled, ...folders.filter((path) => path !== core && disk.hasFolder(path))].map(
    (path) => [path, readBuildFiles(disk, path, summaryIn)] as const,
  );
  const named = surveys.flatMap(([path, { climbs, absolute }]) =>
    [...climbs, ...absolute].map((place) => resolve(path, place)),
  );
  const linked = surveys.flatMap(([path, survey]) => survey.linked.map((place) => resolve(path, place)));
  const linkedFiles = new Set(
    linked.filter((path) => !disk.hasFolder(path)).map((path) => toWorkspacePath(disk, path)),
  );
  const taken = [
    // What lies beside a source may be included by it, but not by a link to it.
    ...named.map((path) => (isFolder(disk, path) ? path : dirname(path))),
    ...linked.filter((path) => disk.hasFolder(path)),
    ...surveys
      .filter(([path]) => path === folder)
      .flatMap(([path, survey]) => nestedProjects(disk, path, survey, summaryIn)),
  ].map((path) => sourceFolder(disk, path));
  const hidden = surveys.flatMap(([path, survey]) =>
    survey.hidden.map((place) => toWorkspacePath(disk, resolve(path, place))),
  );
  const included = surveys.flatMap(([path, survey]) =>
    survey.included.map((place) => toWorkspacePath(disk, resolve(path, place))),
  );
  const licences = inside(places).flatMap((path) =>
    disk
      .names(join(disk.workspaceRoot, path))
      .filter((name) => name.endsWith('.md') && isLicence(name))
      .map((name) => posix.join(path, name)),
  );
  const local = inside(templates.map((path) => toWorkspacePath(disk, path)));
  return {
    remote,
    folders: toFolders(places.filter((path) => path === undefined || !archives.includes(path))),
    files: [...archives, ...inside([...linkedFiles, ...hidden, ...included]), ...licences],
    taken: toFolders([...new Set(taken)].filter((path) => !places.includes(path))),
    notCompiled: local.flatMap((path) => {
      const template = summaryIn(path);
      return template === undefined ? [] : notCompiled(template).map((glob) => posix.join(globOf(path), glob));
    }),
    compilers: [
      ...new Set([
        ...[summary, ...local.map(summaryIn), ...surveys.map(([, survey]) => survey)].flatMap(
          (brings) => brings?.compilers ?? [],
        ),
        ...findOtherCompilers(remote.map((key) => key.slice(0, key.indexOf('@')))),
      ]),
    ].toSorted(),
    environment: unique([
      ...variables,
      ...[...local.map(summaryIn), ...surveys.map(([, survey]) => survey)].flatMap((taking) => taking?.variables ?? []),
    ]).toSorted(),
    ...(file === undefined ? {} : { file }),
    reachesOutside:
      !isWhole ||
      [...places, ...taken, ...linkedFiles, ...included].includes(undefined) ||
      (kernels.length > 0 && file === undefined),
  };
}

/** Of what other tasks have yet to make its name tells. */
function isFolder(disk: Disk, path: string): boolean {
  return disk.stats(path) === undefined ? posix.extname(path) === '' : disk.hasFolder(path);
}

function namesIgnored(disk: Disk, globs: readonly string[]): boolean {
  return globs.some((glob) => disk.ignored.has(posix.join(splitGlob(glob).path, '.')));
}

/** Where a path leads behind all links, relative to the workspace; undefined for what lies outside. */
function toWorkspacePath(disk: Disk, path: string): string | undefined {
  const real = disk.realPath(path);
  if (real === disk.workspaceRoot) return '.';
  return disk.isWithin(real) ? withSlashes(real.slice(disk.workspaceRoot.length + 1)) : undefined;
}

function withSlashes(path: string): string {
  return sep === '/' ? path : path.replaceAll(sep, '/');
}

/** A normalized path relative to the workspace; undefined for one outside. */
function within(path: string): string | undefined {
  return path === '..' || path.startsWith('../') ? undefined : path;
}

/** What decides any of a project's file systems. */
async function filesystemFacts(
  disk: Disk,
  folder: string,
  { filesystems, targets, rootfsOutputs }: Summary,
  { settings, rootfsTask }: { readonly settings: ProjectSettings; readonly rootfsTask: string },
  recall: Recall,
): Promise<RootfsFacts> {
  const variants = settings.variants(rootfsTask);
  const own = `${toWorkspacePath(disk, folder) ?? ''}/`;
  const found: FoundInputs[] = [];
  for (const filesystem of filesystems) {
    const requests = filesystemRequests([filesystem], targets, variants);
    found.push(await recallInputs(disk, folder, filesystem, requests, recall));
  }
  const readings = uniqueReadings(found.flatMap((inputs) => inputs.readings)).flatMap((one) =>
    place(disk, folder, one),
  );
  const files = readings.flatMap((reading) => reading.files);
  const insides = readings.map((reading) => ({ ...reading, files: inside(reading.files) }));
  const leavesOut = insides.some(({ excluded }) => excluded.length > 0);
  const excluded = leavesOut
    ? await recall(['left out', JSON.stringify(insides)], () => Promise.resolve(leftOutOfAll(insides)))
    : [];
  return {
    files: unique([...inside(files), ...excluded.map((glob) => `!${glob}`)]),
    isLinked: variants.some(({ hardLinks }) => hardLinks === 'link'),
    isMade:
      namesIgnored(disk, inside(files)) ||
      // In what is taken as a whole they may make anything.
      (settings.waits(rootfsTask) && inside(files).some((glob) => !splitGlob(glob).path.startsWith(own))),
    images: unique(found.flatMap(({ images }) => images)),
    environment: unique([
      ...found.flatMap(({ environment }) => environment),
      ...(rootfsOutputs.some((output) => output.endsWith('.erofs')) ? [erofsVariable] : []),
    ]),
    reachesOutside: files.includes(undefined) || found.some(({ isWhole }) => !isWhole),
  };
}

/** What one file system may be made from with any options of its task. Globs are relative to the Kraftfile's folder. */
interface FoundInputs extends Pick<RootfsFacts, 'images' | 'environment'> {
  readonly readings: readonly PlacedReading[];
  /** Whether the source can be read as it is now with all of these options, and these inputs are all that decides it. */
  readonly isWhole: boolean;
}

const unknownInputs: FoundInputs = { readings: [], images: [], environment: [], isWhole: false };

interface PlacedReading extends Reading {
  /** The Dockerfile's context, relative to the Kraftfile's folder, where that is what is read. */
  readonly context?: string;
  /** What holds of `excluded` for what links lead to, too (default: all): the rest are names below a source of COPY. */
  readonly excludedBehindLinks?: readonly string[];
}

/** What is read by where it really lies, relative to the workspace; undefined for what lies outside of it. */
function place(disk: Disk, folder: string, reading: PlacedReading) {
  const { files, excluded, context, excludedBehindLinks } = reading;
  const own = globOf(toWorkspacePath(disk, folder) ?? '');
  const onDisk = (glob: string): string | undefined => realGlob(disk, posix.join(own, glob));
  if (context === undefined) return [{ files: files.map(onDisk), excluded: inside(excluded.map(onDisk)) }];
  const root = toWorkspacePath(disk, resolve(folder, context));
  if (root === undefined) return [{ files: [undefined], excluded: [] }];
  const above = context === '' ? '' : `${globOf(context)}/`;
  const below = (glob: string): string => posix.join(globOf(root), glob);
  const found = files.flatMap((glob) => {
    const own = glob.slice(above.length);
    const globs = globsInContext(disk, join(disk.workspaceRoot, root), own);
    return globs.map((one) => ({ glob: below(one), isDirect: one === own }));
  });
  const taken = (isWanted: (one: { isDirect: boolean }) => boolean): string[] =>
    found.filter(isWanted).map(({ glob }) => glob);
  // What is left out is a name in the context, wherever a link of that name leads.
  const leftOut = (globs: readonly string[]): readonly string[] =>
    inside(globs.map((glob) => (glob.startsWith(above) ? below(glob.slice(above.length)) : onDisk(glob))));
  if (excludedBehindLinks === undefined) return [{ files: taken(() => true), excluded: leftOut(excluded) }];
  return [
    { files: taken(({ isDirect }) => isDirect), excluded: leftOut(excluded) },
    { files: taken(({ isDirect }) => !isDirect), excluded: leftOut(excludedBehindLinks) },
  ];
}

type Request = Omit<InputsRequest, 'baseDirectory'>;

/** @param requests  all that the file system may be made from */
async function recallInputs(
  disk: Disk,
  folder: string,
  { source, type }: AnyFilesystem,
  requests: readonly Request[],
  recall: Recall,
): Promise<FoundInputs> {
  const path = resolve(folder, source);
  const stats = disk.stats(path);
  const kind = stats === undefined ? 'nothing' : stats.isDirectory() ? 'folder' : stats.isFile() ? 'file' : 'neither';
  // All that decides which files are read: the Dockerfile, and what it leaves out. A folder is read as a whole.
  const mayBeDockerfile = kind === 'file' || (kind === 'folder' && type === 'dockerfile');
  try {
    const texts = mayBeDockerfile ? readTexts(disk, path, kind === 'folder', folder, requests) : noTexts;
    const known = [...texts].flatMap(([file, text]) => (text === undefined ? [] : [file, text]));
    return await recall([folder, kind, JSON.stringify(requests), ...known], () => findInputs(requests, folder, texts));
  } catch (error) {
    if (leadsNowhere(error)) return unknownInputs;
    throw error;
  }
}

const noTexts: KnownTexts = new Map();

/** A glob by where its path leads behind all links; undefined for what lies outside of the workspace. */
function realGlob(disk: Disk, glob: string): string | undefined {
  const { path, rest } = splitGlob(glob);
  const real = within(path) === undefined ? undefined : toWorkspacePath(disk, join(disk.workspaceRoot, path));
  return real === undefined ? undefined : posix.join(globOf(real), rest);
}

function unique(values: readonly string[]): readonly string[] {
  return [...new Set(values)];
}

function inside(paths: readonly (string | undefined)[]): readonly string[] {
  return paths.filter((path) => path !== undefined);
}

/**
 * The files that inputs follow from where a Dockerfile may lie at a path, or below it if that is a folder: the source itself,
 * the Dockerfile, and what may tell what it leaves out. Most of them are not there.
 */
function readTexts(
  disk: Disk,
  path: string,
  isFolder: boolean,
  folder: string,
  requests: readonly Request[],
): KnownTexts {
  const source = isFolder ? join(path, 'Dockerfile') : path;
  const texts = new Map<string, string | undefined>();
  for (const { dockerfile, context } of requests) {
    const chosen = dockerfile === undefined ? source : resolve(dirname(source), dockerfile);
    const contexts = [
      dirname(source),
      dirname(chosen),
      folder,
      ...(context === undefined ? [] : [resolve(folder, context)]),
    ];
    const ignoreFiles = [...new Set(contexts)].map((one) => join(one, '.dockerignore'));
    for (const file of [source, chosen, `${chosen}.dockerignore`, ...ignoreFiles]) {
      if (!texts.has(file)) readText(disk, file, texts);
    }
  }
  return texts;
}

/** What is larger is an archive, of which only the kind counts. */
const largestText = 1024 * 1024;

function readText(disk: Disk, file: string, texts: Map<string, string | undefined>): void {
  const stats = disk.has(file) ? disk.stats(file) : undefined;
  // What is no file has no text here; the task that reads it tells.
  if (stats?.isFile() !== true) texts.set(file, undefined);
  else if (stats.size < largestText) {
    disk.looked.contents(file);
    texts.set(file, readFileSync(file, 'utf8'));
  }
}

async function findInputs(requests: readonly Request[], folder: string, texts: KnownTexts): Promise<FoundInputs> {
  const { inputsToCome, rootfsInputs } = await import('@nx-kraft/rootfs/inputs');
  const { baseImageName } = await import('../tasks/needs.ts');
  const found = requests.map((request): FoundInputs => {
    const whole = { ...request, baseDirectory: folder };
    try {
      return foundIn(rootfsInputs(whole, texts), baseImageName);
    } catch (error) {
      const inputs = hasErrorCode(error, 'SOURCE_MISSING') ? inputsToCome(whole) : undefined;
      if (inputs !== undefined) return foundIn(inputs, baseImageName);
      if (error instanceof Fault) return unknownInputs;
      throw error;
    }
  });
  return {
    readings: uniqueReadings(found.flatMap(({ readings }) => readings)),
    images: unique(found.flatMap(({ images }) => images)),
    environment: unique(found.flatMap(({ environment }) => environment)),
    isWhole: found.every(({ isWhole }) => isWhole),
  };
}

/** @param toFullName  gives an image's name in full */
function foundIn(inputs: RootfsInputs, toFullName: (name: string) => string): FoundInputs {
  const { kind, context, files, excluded, filtered, besides, images, moving, environment, needsBuilder } = inputs;
  const placed = context === undefined ? {} : { context };
  return {
    readings: [
      { files, excluded, ...placed },
      ...filtered.map((reading) => ({ ...reading, ...placed, excludedBehindLinks: excluded })),
      ...besides,
    ],
    images: images.map(toFullName),
    environment: [
      ...environment,
      ...(kind === 'dockerfile' ? [typedInputsVariable] : []),
      ...(needsBuilder === undefined ? [] : [buildersVariable]),
    ],
    isWhole: moving.length === 0,
  };
}
