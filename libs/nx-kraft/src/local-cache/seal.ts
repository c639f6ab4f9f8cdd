import { createHash, hash } from 'node:crypto';
import { createReadStream, lstatSync, readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { hasErrorCode, replaceAtomically } from '@nx-kraft/base';
import { dataFile, readIfThere, writeWhole } from '../inference/workspace-data.ts';

/** How a warning ends that results of a task were not as they were made. */
export const isMadeAgain = 'what the cache has of it is removed, and it is made again';

/** The folder of all seals of a project, among what git ignores. */
const folder = '.unikraft/seals';

/** A file of seal is named by what it is about; relative to its project. */
export function sealName(results: string): string {
  return `${folder}/${results}.json`;
}

/**
 * What a task made, by paths relative to the workspace: the size and SHA-256 digest of each file, or where a link leads.
 * Nothing of the machine is in it, so that it is the same wherever the results are.
 */
type Seal = Readonly<Record<string, string>>;

/** The seal among the outputs of a task; undefined for a task of another plugin, or one without results. */
export function findSeal(outputs: readonly string[]): string | undefined {
  return outputs.find((output) => output.includes(`${folder}/`));
}

/** Where results of tasks lie: in the workspace, or as an entry of Nx's cache. */
export interface Place {
  readonly root: string;
  /** The folder with what was found to be whole there. */
  readonly memory: string;
}

export function inWorkspace(workspaceRoot: string): Place {
  return { root: workspaceRoot, memory: dataFile(workspaceRoot, 'nx-kraft-whole/results') };
}

/** @param entry  the folder of an entry in Nx's cache */
export function inCache(workspaceRoot: string, entry: string): Place {
  return { root: entry, memory: dataFile(workspaceRoot, 'nx-kraft-whole/entries') };
}

/** Seals what a task has just made, which then need not be read again to be known as whole. */
export async function sealResults(place: Place, outputs: readonly string[]): Promise<void> {
  const file = findSeal(outputs);
  if (file === undefined) return;
  const paths = listFiles(
    place.root,
    outputs.filter((output) => output !== file),
  );
  const seal: Record<string, string> = {};
  for (const path of paths) seal[path] = await describeFile(join(place.root, path));
  await replaceAtomically(join(place.root, file), (temporary) =>
    writeFile(temporary, `${JSON.stringify(seal, null, 2)}\n`),
  );
  remember(place, file, identify(place.root, [file, ...paths]));
}

/**
 * What is wrong with the results of a task that has a seal; undefined when they are what it made. What is found to be whole
 * is not read again until it is touched, or the machine starts anew.
 */
export async function findDamage(place: Place, outputs: readonly string[]): Promise<string | undefined> {
  const file = findSeal(outputs);
  if (file === undefined) return undefined;
  const seal = readSeal(join(place.root, file));
  if (seal === undefined) return `${file} is missing or damaged`;
  // Before they are read: what changes meanwhile is not known then.
  const identity = identify(place.root, [file, ...Object.keys(seal)]);
  if (identity === recall(place, file)) return undefined;
  for (const [path, description] of Object.entries(seal)) {
    if (!(await isAsDescribed(join(place.root, path), description))) return `${path} is missing or damaged`;
  }
  remember(place, file, identity);
  return undefined;
}

function readSeal(file: string): Seal | undefined {
  try {
    const seal: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return typeof seal === 'object' && seal !== null && !Array.isArray(seal) ? (seal as Seal) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || hasErrorCode(error, 'ENOENT', 'ENOTDIR', 'EISDIR')) return undefined;
    throw error;
  }
}

/** The files and links that some paths are, or that lie below them, in an order of our own; not all are there. */
function listFiles(root: string, paths: readonly string[]): readonly string[] {
  return paths
    .flatMap((path) => {
      const stats = statsOf(join(root, path));
      if (stats === undefined) return [];
      if (!stats.isDirectory()) return [path];
      const names = readdirSync(join(root, path));
      return listFiles(
        root,
        names.map((name) => posix.join(path, name)),
      );
    })
    .toSorted();
}

async function isAsDescribed(path: string, description: string): Promise<boolean> {
  const stats = statsOf(path);
  if (stats === undefined || stats.isDirectory()) return false;
  // A file of another size need not be read.
  if (stats.isFile() && !description.startsWith(`${stats.size} `)) return false;
  return (await describeFile(path)) === description;
}

/** What is larger is read in parts. */
const small = 1024 * 1024;

async function describeFile(path: string): Promise<string> {
  const stats = lstatSync(path);
  if (stats.isSymbolicLink()) return `-> ${readlinkSync(path)}`;
  if (stats.size <= small) return `${stats.size} ${hash('sha256', readFileSync(path))}`;
  const digest = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: small })) digest.update(chunk as Buffer);
  return `${stats.size} ${digest.digest('hex')}`;
}

/**
 * What tells files from all others, and from themselves before they were last touched. A machine that lost its power may
 * have files of the right size and time, and nothing in them.
 */
function identify(root: string, paths: readonly string[]): string {
  const lines = paths.map((path) => {
    const stats = statsOf(join(root, path));
    return stats === undefined ? 'none' : [stats.ino, stats.size, stats.mtimeNs, stats.ctimeNs].join(' ');
  });
  return [readIfThere('/proc/sys/kernel/random/boot_id')?.trim(), ...lines].join('\n');
}

function statsOf(path: string) {
  return lstatSync(path, { bigint: true, throwIfNoEntry: false });
}

function remember(place: Place, seal: string, identity: string): void {
  writeWhole(memoryOf(place, seal), identity);
}

function recall(place: Place, seal: string): string | undefined {
  return readIfThere(memoryOf(place, seal));
}

function memoryOf({ memory }: Place, seal: string): string {
  return join(memory, hash('sha256', seal));
}
