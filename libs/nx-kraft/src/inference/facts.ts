import { readFileSync, readdirSync, statSync } from 'node:fs';
import { dirname, join, posix, relative, resolve, sep } from 'node:path';
import { findClimbs, isBuildFile } from '@nx-kraft/kernel/climbs';
import type { InputsRequest, RootfsInputs } from '@nx-kraft/rootfs';
import type { RootfsTaskOptions } from '../tasks/make-rootfs.ts';
import { deployFileName } from '../tasks/files.ts';
import { isRemote } from '../tasks/remote.ts';
import type { Recall } from './memory.ts';
import { notCompiled } from './not-compiled.ts';
import type { Summary } from './summary.ts';
import { buildersVariable, erofsVariable, fileDetailsVariable } from './variables.ts';

/** What inference must look up on the disk. Paths are relative to the workspace, with `/`. */
export interface Facts {
  /** Whether the application has build files for Unikraft, and so sources of its own in the kernel. */
  readonly hasMakefile: boolean;
  /** Whether an npm package lies in the same folder. */
  readonly hasManifest: boolean;
  /** Whether the project has settings for Unikraft Cloud. */
  readonly isDeployed: boolean;
  /** Folders in the workspace with components, also those of templates there, or with sources of the application. */
  readonly localComponents: readonly string[];
  /** Globs of what lies in these and goes into no kernel. */
  readonly notCompiled: readonly string[];
  /** Whether one of these lies outside of the workspace, where no cache key can see changes. */
  readonly reachesOutside: boolean;
  readonly rootfs: RootfsFacts;
  readonly volumes: VolumeFacts;
}

/** What a test's guest reads of the host. */
export interface VolumeFacts {
  /** Globs. */
  readonly files: readonly string[];
  /** Whether some of it lies outside of the workspace, as volumes do that have a name. */
  readonly reachesOutside: boolean;
}

/** What decides the root file system and the read-only images. */
export interface RootfsFacts {
  /** Globs of what is read; with `!` in front, of what is not. */
  readonly files: readonly string[];
  /** The fields of the lock file for the images that they are made from. */
  readonly lockFields: readonly string[];
  /** Names of environment variables that go into it; the plugin itself sets some before tasks run. */
  readonly environment: readonly string[];
  /** Whether it reads something outside of the workspace, whose changes no cache key can see. */
  readonly reachesOutside: boolean;
}

/**
 * Looks at what a Kraftfile names. This happens for each Kraftfile on each command: a few `stat` and a
 * look into its build files and its Dockerfile.
 *
 * @param rootfsOptions  options of the project's rootfs task
 * @param summaryIn  gives what the Kraftfile in a folder of the workspace says; undefined where there is none
 */
export async function lookAround(
  workspaceRoot: string,
  kraftfile: string,
  summary: Summary,
  rootfsOptions: RootfsTaskOptions,
  recall: Recall,
  summaryIn: SummaryIn,
): Promise<Facts> {
  const folder = resolve(workspaceRoot, dirname(kraftfile));
  const components = localComponents(workspaceRoot, folder, summary, summaryIn);
  const hasMakefile = isThere(join(folder, 'Makefile.uk'));
  const taken = hasMakefile && summary.compilesApplication ? foldersOfClimbs(workspaceRoot, folder) : [];
  const folders = [...new Set([...components.folders, ...taken])];
  return {
    hasMakefile,
    hasManifest: isThere(join(folder, 'package.json')),
    isDeployed: isThere(join(folder, deployFileName)),
    localComponents: inside(folders),
    notCompiled: components.notCompiled,
    reachesOutside: folders.includes(undefined),
    rootfs: await filesystemFacts(workspaceRoot, folder, summary, rootfsOptions, recall),
    volumes: volumeFacts(workspaceRoot, folder, summary),
  };
}

export type SummaryIn = (folder: string) => Summary | undefined;

interface LocalComponents {
  /** Relative to the workspace; undefined stands for what no key can see. */
  readonly folders: readonly (string | undefined)[];
  readonly notCompiled: readonly string[];
}

/** The folders that a Kraftfile names, and those that the Kraftfiles of its templates do. */
function localComponents(
  workspaceRoot: string,
  folder: string,
  { components, template }: Summary,
  summaryIn: SummaryIn,
  visited: ReadonlySet<string> = new Set(),
): LocalComponents {
  const folders = components
    .flatMap(({ source }) => (source !== undefined && !isRemote(source) ? [source] : []))
    .map((source) => toWorkspacePath(workspaceRoot, resolve(folder, source)));
  if (template === undefined || isRemote(template)) return { folders, notCompiled: [] };
  const place = toWorkspacePath(workspaceRoot, resolve(folder, template));
  // Nx knows no Kraftfile in a folder that git ignores; then we cannot tell what else counts.
  const found = place === undefined ? undefined : summaryIn(place);
  if (place === undefined || found === undefined) return { folders: [...folders, undefined], notCompiled: [] };
  if (visited.has(place)) return { folders, notCompiled: [] };
  const below = localComponents(
    workspaceRoot,
    join(workspaceRoot, place),
    found,
    summaryIn,
    new Set([...visited, place]),
  );
  return {
    folders: [...new Set([...folders, ...below.folders])],
    notCompiled: [...notCompiled(found).map((glob) => posix.join(place, glob)), ...below.notCompiled],
  };
}

/** The folders to which an application's build files go up, as `$(APP_BASE)/../common/x.c` goes to `common`. */
function foldersOfClimbs(workspaceRoot: string, folder: string): readonly (string | undefined)[] {
  const texts = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile() && isBuildFile(entry.name))
    .map(({ name }) => readFileSync(join(folder, name), 'utf8'));
  return texts.flatMap(findClimbs).flatMap((climb) => {
    const path = resolve(folder, climb);
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats === undefined) return [];
    // What lies beside a source may be included by it.
    const inWorkspace = toWorkspacePath(workspaceRoot, stats.isDirectory() ? path : dirname(path));
    return inWorkspace === '.' ? [undefined] : [inWorkspace];
  });
}

function volumeFacts(workspaceRoot: string, folder: string, { volumes }: Summary): VolumeFacts {
  const paths = volumes.map((source) => {
    const path = resolve(folder, source);
    return isThere(path) ? toWorkspacePath(workspaceRoot, path) : undefined;
  });
  return {
    files: inside(paths).flatMap((path) => [path, posix.join(path, '**/*')]),
    reachesOutside: paths.includes(undefined),
  };
}

/** A path in the workspace relative to it; undefined for one outside. */
function toWorkspacePath(workspaceRoot: string, path: string): string | undefined {
  const inside = relative(workspaceRoot, path).split(sep).join('/');
  return inside === '..' || inside.startsWith('../') ? undefined : posix.normalize(inside);
}

function isThere(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}

/** What decides any of a project's file systems. */
async function filesystemFacts(
  workspaceRoot: string,
  folder: string,
  { filesystems, targets, rootfsOutputs }: Summary,
  options: RootfsTaskOptions,
  recall: Recall,
): Promise<RootfsFacts> {
  const architecture = targets[0]?.architecture;
  const facts: RootfsFacts[] = [];
  for (const filesystem of filesystems) {
    const request = { ...filesystem, architecture, ...options };
    facts.push(await rootfsFacts(workspaceRoot, folder, request, recall));
  }
  const projectRoot = toWorkspacePath(workspaceRoot, folder) ?? '';
  return {
    files: facts.flatMap(({ files }) => files),
    lockFields: facts.flatMap(({ lockFields }) => lockFields),
    environment: [
      ...new Set(facts.flatMap(({ environment }) => environment)),
      ...(facts.some(({ files }) => files.length > 0) ? [fileDetailsVariable(projectRoot)] : []),
      ...(rootfsOutputs.some((output) => output.endsWith('.erofs')) ? [erofsVariable] : []),
    ],
    reachesOutside: facts.some(({ reachesOutside }) => reachesOutside),
  };
}

async function rootfsFacts(
  workspaceRoot: string,
  folder: string,
  request: Omit<InputsRequest, 'baseDirectory'>,
  recall: Recall,
): Promise<RootfsFacts> {
  const { source, type } = request;
  const path = resolve(folder, source);
  const stats = statSync(path, { throwIfNoEntry: false });
  // All that decides which files are read: the Dockerfile, and what it leaves out. A folder is read as a whole.
  const texts = stats?.isDirectory() === true && type !== 'dockerfile' ? [] : readTexts(path, folder, request);
  const kind = stats === undefined ? 'nothing' : stats.isDirectory() ? 'folder' : 'file';
  const inputs = await recall([path, kind, JSON.stringify(request), ...texts], () =>
    findInputs({ ...request, baseDirectory: folder }),
  );
  if (inputs === null) return { files: [], lockFields: [], environment: [], reachesOutside: false };
  const globs = [...inputs.files, ...inputs.excluded].map((glob) => toWorkspacePath(workspaceRoot, join(folder, glob)));
  const [files, excluded] = [globs.slice(0, inputs.files.length), globs.slice(inputs.files.length)];
  return {
    files: [...inside(files), ...inside(excluded).map((glob) => `!${glob}`)],
    lockFields: inputs.images,
    environment: [...inputs.environment, ...(inputs.needsBuilder === undefined ? [] : [buildersVariable])],
    reachesOutside: files.includes(undefined),
  };
}

function inside(paths: readonly (string | undefined)[]): readonly string[] {
  return paths.filter((path) => path !== undefined);
}

/** The beginnings of the files that a Dockerfile's inputs follow from; most of them are not there. */
function readTexts(
  path: string,
  folder: string,
  options: { readonly context?: string | undefined },
): readonly string[] {
  const dockerfile =
    statSync(path, { throwIfNoEntry: false })?.isDirectory() === true ? join(path, 'Dockerfile') : path;
  const contexts = [
    dirname(dockerfile),
    folder,
    ...(options.context === undefined ? [] : [resolve(folder, options.context)]),
  ];
  const files = [
    dockerfile,
    `${dockerfile}.dockerignore`,
    ...contexts.map((context) => join(context, '.dockerignore')),
  ];
  return files.map((file) => {
    const stats = statSync(file, { throwIfNoEntry: false });
    // What is larger is an archive, of which only the kind counts.
    return stats?.isFile() === true && stats.size < 1024 * 1024 ? readFileSync(file, 'latin1') : '';
  });
}

/** What a root file system is made from, images as fields of the lock file; null for a source that cannot be read, of which its task tells why. */
async function findInputs(request: InputsRequest): Promise<RootfsInputs | null> {
  const { RootfsFault, rootfsInputs } = await import('@nx-kraft/rootfs');
  const { baseImageName, imageFields } = await import('../tasks/needs.ts');
  try {
    const inputs = rootfsInputs(request);
    return { ...inputs, images: imageFields(inputs.images.map(baseImageName)) };
  } catch (error) {
    if (error instanceof RootfsFault) return null;
    throw error;
  }
}
