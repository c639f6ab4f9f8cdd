import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import {
  countLevelsUp,
  digestBuildFiles,
  listLinked,
  namesAbsolutePaths,
  readGlobalSettings,
  takenFromEnvironment,
} from './build-files.ts';
import { isBuildFile } from './climbs.ts';
import { readIfThere } from './files.ts';
import { formatFragment } from './kconfig.ts';
import { orderLibraries } from './libraries.ts';
import { hasCanonicalPlaces } from './place.ts';
import type { BuildOptions, KernelPlan } from './plan.ts';
import { sharedObjectsFolder } from './shared-objects.ts';
import { findSources, listSources } from './source-list.ts';
import {
  type BuildTimes,
  digestFile,
  digestSources,
  isUnchangedSince,
  makeCanTell,
  type SourceState,
} from './sources.ts';

/** What is known of the objects in a work folder. */
interface WorkState extends BuildTimes {
  readonly settings: string;
  /** One for each of the local folders. */
  readonly sources: readonly SourceState[];
  /** Files from around the application and local libraries that they are compiled from, with their absolute paths. */
  readonly outside: SourceState;
}

/** Whether make, started on the objects that are there, gives what it would give from nothing. */
export async function canContinue(plan: KernelPlan, stateFile: string, settings: string): Promise<boolean> {
  const text = await readIfThere(stateFile);
  if (text === undefined) return false;
  const state = JSON.parse(text) as WorkState;
  if (state.settings !== settings) return false;
  const verdicts = await Promise.all(
    localFolders(plan).map(async ({ folder, files }, index) => {
      const before = state.sources[index];
      // The content of build files is a part of the settings.
      return before !== undefined && (await makeCanTell(folder, files, before, state, isBuildFile));
    }),
  );
  return verdicts.every(Boolean) && (await makeCanTell('/', state.outside.files, state.outside, state, isBuildFile));
}

/**
 * What a later build must know of the objects that this one, begun at a time in milliseconds since 1970, leaves. Undefined
 * when none can go on with them, since sources were changed meanwhile.
 *
 * @param compiled  what compilers have read, as `listFollowed` tells
 */
export async function describeWork(
  plan: KernelPlan,
  compiled: ReadonlySet<string>,
  settings: string,
  beganAt: number,
): Promise<string | undefined> {
  const endedAt = Date.now();
  const elsewhere = new Set(compiled);
  const folders = localFolders(plan);
  const sources: SourceState[] = [];
  for (const { folder, files } of folders) {
    const real = await realpath(folder);
    const followed = files.filter((file) => compiled.has(join(real, file)));
    for (const file of followed) elsewhere.delete(join(real, file));
    sources.push({ files, followed });
  }
  const linked = linkedPlaces(plan).filter((path) => !isFolder(path));
  const outside = { files: [...new Set([...elsewhere, ...linked])], followed: [...elsewhere] };
  const unchanged = await Promise.all(
    [...folders, { folder: '/', files: outside.files }].map(({ folder, files }) =>
      isUnchangedSince(folder, files, beganAt),
    ),
  );
  if (!unchanged.every(Boolean)) return undefined;
  return JSON.stringify({ settings, beganAt, endedAt, sources, outside } satisfies WorkState);
}

/** Folders whose files may change from build to build, with these: local ones, and those that links in them lead to. */
function localFolders(plan: KernelPlan): readonly { readonly folder: string; readonly files: readonly string[] }[] {
  const core = plan.core.digest === undefined ? [plan.core.folder] : [];
  const isApart = (path: string): boolean => plan.apart?.includes(path) === true;
  return [
    { folder: plan.application, paths: findSources(plan.application, isApart).paths.filter((path) => !isApart(path)) },
    ...[...core, ...localLibraries(plan), ...linkedPlaces(plan).filter(isFolder)].map((folder) => ({
      folder,
      paths: listSources(folder),
    })),
  ].map(({ folder, paths }) => ({ folder, files: paths.filter((path) => !isDocument(path)) }));
}

const isDocument = (path: string): boolean => path.endsWith('.md');

/** The places around the application and local libraries to which links in them lead, by absolute paths. */
function linkedPlaces(plan: KernelPlan): readonly string[] {
  const placesOf = (folder: string, apart?: readonly string[]): readonly string[] =>
    listLinked(folder, apart).map((place) => join(folder, place));
  return [...placesOf(plan.application, plan.apart), ...localLibraries(plan).flatMap((folder) => placesOf(folder))];
}

function localLibraries({ libraries }: KernelPlan): readonly string[] {
  return libraries.filter(({ digest }) => digest === undefined).map(({ folder }) => folder);
}

function isFolder(path: string): boolean {
  return statSync(path).isDirectory();
}

/** Whether objects of libraries may come from sources that {@link sharedObjects} knows nothing of. */
export function takesFromElsewhere(plan: KernelPlan): boolean {
  const libraries = localLibraries(plan);
  return (
    libraries.some((folder) => countLevelsUp(folder) > 0 || namesAbsolutePaths(folder)) ||
    namesAbsolutePaths(plan.application, plan.apart)
  );
}

/**
 * A digest of all that decides how objects are compiled, sources of local folders aside: make follows those, but
 * compiles nothing again when an option, a flag or a compiler changes.
 */
export async function digestSettings(plan: KernelPlan, options: BuildOptions): Promise<string> {
  const sources = [plan.core, ...plan.libraries];
  const parts = [
    await commonIngredients(plan, options),
    await hasCanonicalPlaces(),
    [...sources.map(({ folder }) => folder), ...linkedPlaces(plan)],
    await Promise.all(sources.map(async ({ folder, digest }) => digest ?? (await digestBuildFiles(folder)))),
    plan.application,
    await digestBuildFiles(plan.application, plan.apart),
  ];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

/** What builds may share, and which libraries they may not. */
export interface Sharing {
  /** Where the objects lie that every build of the same configuration, sources and tools can begin with. */
  readonly shared: string;
  /** The application's own libraries, whose flags and sources nothing there tells apart. */
  readonly own: readonly string[];
}

export async function sharedObjects(plan: KernelPlan, options: BuildOptions): Promise<Sharing> {
  const sources = [plan.core, ...plan.libraries];
  const { text, libraries } = await readGlobalSettings(plan.application, plan.apart);
  const shared = sharedObjectsFolder([
    ...(await commonIngredients(plan, options)),
    text,
    ...localLibraries(plan).flatMap(takenFromEnvironment),
    ...(await Promise.all(sources.map(async ({ folder, digest }) => digest ?? (await digestSources(folder))))),
  ]);
  return { shared, own: libraries };
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
