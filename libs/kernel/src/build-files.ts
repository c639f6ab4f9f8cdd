import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isBuildFile } from './climbs.ts';
import { listSources } from './source-list.ts';
import { digestFiles } from './sources.ts';
import { surveyBuildFiles } from './survey.ts';

/** A digest over those files of a core or library that say how to compile it. */
export async function digestBuildFiles(folder: string): Promise<string> {
  return digestFiles(folder, listSources(folder).filter(isBuildFile));
}

/** The same for an application, whose build files may include others that lie beside it. */
export async function digestApplicationBuildFiles(application: string): Promise<string> {
  return digestFiles(application, surveyBuildFiles(application).files);
}

/**
 * What an application's build files say to libraries other than its own. Applications that only list their own
 * sources and flags all give the same text here, and can share all other objects.
 */
export async function readGlobalSettings(application: string): Promise<string> {
  const { files } = surveyBuildFiles(application);
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

/** How many folders up the build files of an application go, as with `$(APP_BASE)/../common/x.c`. */
export function countLevelsUp(application: string): number {
  const { climbs } = surveyBuildFiles(application);
  const levels = (climb: string): number => climb.split('/').filter((part) => part === '..').length;
  return Math.max(0, ...climbs.map(levels));
}
