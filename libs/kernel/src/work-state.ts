import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { countLevelsUp, digestBuildFiles, listLinked, readGlobalSettings } from './build-files.ts';
import { readIfThere } from './files.ts';
import { formatFragment } from './kconfig.ts';
import { orderLibraries } from './libraries.ts';
import { hasCanonicalPlaces } from './place.ts';
import type { BuildOptions, KernelPlan } from './plan.ts';
import { listOutsideSources } from './outside-sources.ts';
import { sharedObjectsFolder } from './shared-objects.ts';
import { digestFile, digestSources, makeCanTell, makeCanTellOf, recordSources, type SourceState } from './sources.ts';
import type { Workshop } from './workshop.ts';

/** What is known of the objects in a work folder. */
interface WorkState {
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
    localFolders(plan).map(async (folder, index) => {
      const before = state.sources[index];
      return before !== undefined && (await makeCanTell(folder, before));
    }),
  );
  return verdicts.every(Boolean) && (await makeCanTellOf(state.outside));
}

/** What a later build must know of the objects that this one, begun at a time in milliseconds since 1970, leaves. */
export async function describeWork(workshop: Workshop, settings: string, beganAt: number): Promise<string> {
  const sources = localFolders(workshop.plan).map((folder) => recordSources(folder, beganAt));
  const outside = { builtAt: beganAt, files: [...(await listOutsideSources(workshop)), ...linkedFiles(workshop.plan)] };
  return JSON.stringify({ settings, sources, outside } satisfies WorkState);
}

/** Folders whose files may change from build to build: local ones, and those that links in them lead to. */
function localFolders(plan: KernelPlan): readonly string[] {
  const core = plan.core.digest === undefined ? [plan.core.folder] : [];
  return [plan.application, ...core, ...localLibraries(plan), ...linkedPlaces(plan).filter(isFolder)];
}

function linkedFiles(plan: KernelPlan): readonly string[] {
  return linkedPlaces(plan).filter((path) => !isFolder(path));
}

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

/** Whether objects of a library may come from sources that {@link sharedObjects} knows nothing of. */
export function libraryTakesFromAround(plan: KernelPlan): boolean {
  return localLibraries(plan).some((folder) => countLevelsUp(folder) > 0);
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

/** Where the objects lie that every build of the same configuration, sources and tools can begin with. */
export async function sharedObjects(plan: KernelPlan, options: BuildOptions): Promise<string> {
  const sources = [plan.core, ...plan.libraries];
  return sharedObjectsFolder([
    ...(await commonIngredients(plan, options)),
    await readGlobalSettings(plan.application, plan.apart),
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
