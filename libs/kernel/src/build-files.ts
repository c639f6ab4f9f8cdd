import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { hasErrorCode, regularFile } from '@nx-kraft/base';
import { onlyGoesUp } from './climbs.ts';
import { findSources } from './source-list.ts';
import { digestFile, digestFiles, digestSources } from './sources.ts';
import { type BuildFilesSurvey, surveyBuildFiles } from './survey.ts';
import { registeredLibraries } from './taken-variables.ts';

/** What lies below a folder, by relative paths, and is no source of a kernel, such as an application's file systems. */
type Apart = readonly string[] | undefined;

/** What a kernel takes from an application or a library, and from around it. */
export function surveySources(folder: string, apart?: Apart): BuildFilesSurvey {
  return surveyBuildFiles(folder, { isApart: (path) => apart?.includes(path) === true });
}

/**
 * A digest over the files that say how to compile a folder's sources, some of which may lie around it, and over what these
 * take from the environment.
 */
export async function digestBuildFiles(folder: string, apart?: Apart): Promise<string> {
  const { files, variables } = surveySources(folder, apart);
  const parts = [await digestFiles(folder, files), ...valuesOf(variables)];
  return createHash('sha256').update(parts.join('\n')).digest('hex');
}

/** What build files take from the environment, as lines `NAME=value`. */
export function takenFromEnvironment(folder: string): readonly string[] {
  return valuesOf(surveySources(folder).variables);
}

function valuesOf(variables: readonly string[]): readonly string[] {
  return variables.flatMap((name) => (process.env[name] === undefined ? [] : [`${name}=${process.env[name]}`]));
}

/** What an application's build files say to whoever builds with them. */
export interface GlobalSettings {
  /** What they say to libraries other than the application's own, and what they make of files for that. */
  readonly text: string;
  /** The names of the libraries that they register. */
  readonly libraries: readonly string[];
}

/**
 * What an application's build files say to libraries other than its own. Applications that only list their own
 * sources and flags all give the same text here, and can share all other objects.
 */
export async function readGlobalSettings(application: string, apart: Apart): Promise<GlobalSettings> {
  const { files, climbs, linked, included, variables } = surveySources(application, apart);
  const texts = await Promise.all(files.map((path) => readText(join(application, path))));
  const makefile = texts.join('\n');
  const text = [stripOwnSettings(makefile), ...valuesOf(variables)].join('\n');
  const libraries = registeredLibraries(makefile);
  if (!takesFiles(text)) return { text, libraries };
  const isApart = (path: string): boolean => apart?.includes(path) === true;
  const around = [...climbs, ...linked, ...included]
    .filter((place) => !onlyGoesUp(place))
    .map((place) => join(application, place));
  const digests = [
    await digestFiles(application, findSources(application, isApart).paths),
    ...(await Promise.all(around.map(digestPlace))),
  ];
  return { text: [text, ...digests].join('\n'), libraries };
}

/** A link that leads nowhere or to a folder says nothing. */
async function readText(file: string): Promise<string> {
  try {
    return await readFile(regularFile(file), 'utf8');
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT', 'EISDIR')) return '';
    throw error;
  }
}

async function digestPlace(place: string): Promise<string> {
  return (await stat(place)).isDirectory() ? digestSources(place) : digestFile(place);
}

/** Whether what is said to all libraries depends on files, as `CINCLUDES-y += -I$(APP_BASE)/include` does. */
function takesFiles(settings: string): boolean {
  return settings
    .split('\n')
    .some((line) => !/^[-s]?include\b/.test(line) && /\$[({](\w*BASE|shell|file)\b/.test(line));
}

/** Takes comments, the registration of own libraries, and settings of theirs (`APPHELLO_SRCS-y += …`) away. */
export function stripOwnSettings(makefile: string): string {
  const lines = makefile.replaceAll('\\\n', ' ').split('\n');
  const prefixes = registeredLibraries(makefile).map((name) => `${name.toUpperCase()}_`);
  return lines
    .map((line) => line.replace(/(?<!\\)#.*/, '').trim())
    .filter((line) => line !== '' && !/\(call addlib(_\w+)?,/.test(line))
    .filter((line) => !prefixes.some((prefix) => line.startsWith(prefix)))
    .join('\n');
}

/** Whether build files take something in by an absolute path, which nothing else here knows. */
export function namesAbsolutePaths(folder: string, apart?: Apart): boolean {
  return surveySources(folder, apart).absolute.length > 0;
}

/** The places around a folder to which links in it lead, by relative paths. */
export function listLinked(folder: string, apart?: Apart): readonly string[] {
  return surveySources(folder, apart).linked;
}

/** How many folders up an application or a library goes, as with `$(APP_BASE)/../common/x.c`, by a link or in a source. */
export function countLevelsUp(folder: string, apart?: Apart): number {
  const { climbs, linked, included } = surveySources(folder, apart);
  const levels = (place: string): number => place.split('/').filter((part) => part === '..').length;
  return Math.max(0, ...[...climbs, ...linked, ...included].map(levels));
}
