import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { digestFiles } from './sources.ts';
import { type BuildFilesSurvey, surveyBuildFiles } from './survey.ts';

/** What lies below a folder, by relative paths, and is no source of a kernel, such as an application's file systems. */
type Apart = readonly string[] | undefined;

/** What a kernel takes from an application or a library, and from around it. */
export function surveySources(folder: string, apart?: Apart): BuildFilesSurvey {
  return surveyBuildFiles(folder, { isApart: (path) => apart?.includes(path) === true });
}

/** A digest over the files that say how to compile a folder's sources, some of which may lie around it. */
export async function digestBuildFiles(folder: string, apart?: Apart): Promise<string> {
  return digestFiles(folder, surveySources(folder, apart).files);
}

/**
 * What an application's build files say to libraries other than its own. Applications that only list their own
 * sources and flags all give the same text here, and can share all other objects.
 */
export async function readGlobalSettings(application: string, apart: Apart): Promise<string> {
  const { files } = surveySources(application, apart);
  const texts = await Promise.all(files.map((path) => readFile(join(application, path), 'utf8')));
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

/** The places around a folder to which links in it lead, by relative paths. */
export function listLinked(folder: string, apart?: Apart): readonly string[] {
  return surveySources(folder, apart).linked;
}

/** How many folders up an application or a library goes, as with `$(APP_BASE)/../common/x.c` or by a link. */
export function countLevelsUp(folder: string, apart?: Apart): number {
  const { climbs, linked } = surveySources(folder, apart);
  const levels = (place: string): number => place.split('/').filter((part) => part === '..').length;
  return Math.max(0, ...[...climbs, ...linked].map(levels));
}
