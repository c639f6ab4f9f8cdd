import { readdirSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { hasErrorCode } from '@nx-kraft/base';
import { type BuildFilesSurvey, surveyBuildFiles } from '@nx-kraft/kernel/survey';

/**
 * What lies where during one inference. Most of what inference asks for is not there, and one listing of a folder answers
 * all of that at the price of a single `stat`.
 */
export class Disk {
  /** Behind all links. */
  readonly workspaceRoot: string;
  readonly #names = new Map<string, ReadonlySet<string>>();
  readonly #realPaths = new Map<string, string>();
  readonly #surveys = new Map<string, BuildFilesSurvey>();

  constructor(workspaceRoot: string) {
    this.workspaceRoot = realpathSync(workspaceRoot);
  }

  /** Whether there is something at an absolute path; a link counts, wherever it leads. */
  has(path: string): boolean {
    return this.names(dirname(path)).has(basename(path));
  }

  /** Whether there is a file at an absolute path, or a link to one, that can be read to its end: no pipe, socket or device. */
  hasFile(path: string): boolean {
    return this.has(path) && statSync(path, { throwIfNoEntry: false })?.isFile() === true;
  }

  /** The names in a folder; none where there is no folder. */
  names(folder: string): ReadonlySet<string> {
    const known = this.#names.get(folder);
    if (known !== undefined) return known;
    const names = new Set(listing(folder));
    this.#names.set(folder, names);
    return names;
  }

  /**
   * Where an absolute path leads, behind all links on the way; the path itself where nothing is. What Nx knows of the files
   * that git does not ignore goes through no links, so keys see what lies there under this path alone.
   */
  realPath(path: string): string {
    const known = this.#realPaths.get(path);
    if (known !== undefined) return known;
    const real = realPathIfThere(path);
    this.#realPaths.set(path, real);
    return real;
  }

  /**
   * What the build files of an application or a library say.
   *
   * @param isApart  whether a folder or link below, by its relative path, has no part in the build; the same each time
   */
  buildFiles(folder: string, isApart: (path: string) => boolean): BuildFilesSurvey {
    const known = this.#surveys.get(folder);
    if (known !== undefined) return known;
    const survey = surveyBuildFiles(folder, { isApart, within: this.workspaceRoot });
    this.#surveys.set(folder, survey);
    return survey;
  }
}

function realPathIfThere(path: string): string {
  try {
    return realpathSync.native(path);
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT', 'ENOTDIR', 'ELOOP', 'EACCES')) return path;
    throw error;
  }
}

function listing(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT', 'ENOTDIR')) return [];
    throw error;
  }
}
