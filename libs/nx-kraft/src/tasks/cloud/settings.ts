import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hasErrorCode, regularFile } from '@nx-kraft/base';
import { type Settings, parseSettings } from '@nx-kraft/cloud';
import { deployFileName } from '../files.ts';
import { type Kraftproject, ProjectFault, loadKraftproject } from '../kraftproject.ts';

/** What all tasks of the cloud take. */
export interface CloudOptions {
  /** The Kraftfile, relative to the workspace. */
  readonly kraftfile: string;
  /** The file with the settings, relative to the Kraftfile's folder. */
  readonly settings?: string;
  /** Under which name it runs; default: the settings' or the Kraftfile's. */
  readonly name?: string;
  /** Default: the settings', else from the environment. */
  readonly metro?: string;
  readonly json?: boolean;
}

/** A project that is deployed. */
export interface CloudProject {
  readonly project: Kraftproject;
  readonly settings: Settings;
  readonly name: string;
  readonly metro: string | undefined;
}

/** Reads a project's settings. */
export async function loadCloudProject(workspaceRoot: string, options: CloudOptions): Promise<CloudProject> {
  const project = await loadKraftproject(workspaceRoot, options.kraftfile);
  const path = join(project.folder, options.settings ?? deployFileName);
  const settings = parseSettings(await readSettings(path, project.file), path);
  const name = options.name ?? settings.name ?? cloudName(project.kraftfile.name);
  return { project, settings, name, metro: options.metro ?? settings.metro };
}

async function readSettings(path: string, at: string): Promise<string> {
  try {
    return await readFile(regularFile(path), 'utf8');
  } catch (error) {
    if (!hasErrorCode(error, 'ENOENT', 'EISDIR')) throw error;
    throw new ProjectFault('KRAFTFILE_NO_SETTINGS', `there is no ${path}`, {
      at,
      hint: 'Write one, {} at the least, or name another by the option settings.',
      cause: error,
    });
  }
}

/** Names of services and instances are of small letters, digits and hyphens. */
function cloudName(name: string): string {
  const allowed = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '');
  return allowed || 'unikernel';
}
