import { readFile, stat } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { hasErrorCode } from '@nx-kraft/base';
import { findClimbs, isBuildFile } from './climbs.ts';
import { digestFiles, listSources } from './sources.ts';

/** A digest over those files of a core or library that say how to compile it. */
export async function digestBuildFiles(folder: string): Promise<string> {
  return digestFiles(folder, (await listSources(folder)).filter(isBuildFile));
}

/** The same for an application, whose build files may include others that lie beside it. */
export async function digestApplicationBuildFiles(application: string): Promise<string> {
  return digestFiles(application, await applicationBuildFiles(application));
}

/**
 * What an application's build files say to libraries other than its own. Applications that only list their own
 * sources and flags all give the same text here, and can share all other objects.
 */
export async function readGlobalSettings(application: string): Promise<string> {
  const texts = await readAll(application, await applicationBuildFiles(application));
  return stripOwnSettings(texts.join('\n'));
}

/** Takes comments, the registration of own libraries, and settings of theirs (`APPHELLO_SRCS-y += …`) away. */
export function stripOwnSettings(makefile: string): string {
  const lines = makefile.replaceAll('\\\n', ' ').split('\n');
  const names = lines.flatMap((line) => /\(call addlib(?:_\w+)?,\s*(\w+)/.exec(line)?.[1] ?? []);
  const prefixes = names.map((name) => `${name.toUpperCase()}_`);
  return lines
    .map((line) => line.replace(/#.*/, '').trim())
    .filter((line) => line !== '' && !/\(call addlib(_\w+)?,/.test(line))
    .filter((line) => !prefixes.some((prefix) => line.startsWith(prefix)))
    .join('\n');
}

/** How many folders up the build files of an application go, as with `$(APP_BASE)/../common/x.c`. */
export async function countLevelsUp(application: string): Promise<number> {
  const texts = await readAll(application, (await listSources(application)).filter(isBuildFile));
  const levels = (climb: string): number => climb.split('/').filter((part) => part === '..').length;
  return Math.max(0, ...texts.flatMap(findClimbs).map(levels));
}

/** An application's own build files and those in the places to which they go up, relative to it. */
async function applicationBuildFiles(application: string): Promise<readonly string[]> {
  const own = (await listSources(application)).filter(isBuildFile);
  const climbs = new Set((await readAll(application, own)).flatMap(findClimbs));
  // One that only goes up names nothing, and around it may be a whole workspace.
  const places = [...climbs].filter((climb) => /[^./]/.test(climb)).map((climb) => resolve(application, climb));
  const beside = await Promise.all(places.map(buildFilesAt));
  return [...new Set([...own, ...beside.flat().map((path) => relative(application, path))])];
}

async function buildFilesAt(path: string): Promise<readonly string[]> {
  try {
    if (!(await stat(path)).isDirectory()) return isBuildFile(path) ? [path] : [];
    return (await listSources(path)).filter(isBuildFile).map((file) => join(path, file));
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT', 'ENOTDIR')) return [];
    throw error;
  }
}

function readAll(folder: string, paths: readonly string[]): Promise<readonly string[]> {
  return Promise.all(paths.map((path) => readFile(join(folder, path), 'utf8')));
}
