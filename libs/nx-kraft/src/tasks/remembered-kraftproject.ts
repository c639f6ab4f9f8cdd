import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { hasErrorCode, regularFile } from '@nx-kraft/base';
import type { Kraftfile } from '@nx-kraft/kraftfile';
import { dataFile, writeWhole } from '../inference/workspace-data.ts';
import { type Kraftproject, loadKraftproject, placeOf } from './kraftproject.ts';
import { pluginState } from './version.ts';

interface Memory {
  /** A digest of all that the model was made from. */
  readonly key: string;
  readonly kraftfile: Kraftfile;
}

/** A Kraftfile that certainly has no variables of the environment in it, not even behind an escape of YAML. */
const plain = /^[^$\\]*$/;

/**
 * Reads a Kraftfile as {@link loadKraftproject} does, but takes what was found the last time while the file is the same:
 * the parsers alone take longer to load than all else that a run needs. One into which variables go is not remembered,
 * since their values may be secrets.
 *
 * @param path  relative to the workspace
 * @throws ProjectFault KRAFTFILE_BROKEN with all its errors
 */
export async function recallKraftproject(workspaceRoot: string, path: string): Promise<Kraftproject> {
  const absolute = resolve(workspaceRoot, path);
  const text = readIfThere(absolute);
  if (text === undefined || !plain.test(text)) return loadKraftproject(workspaceRoot, path);
  const memory = dataFile(workspaceRoot, `nx-kraft/${digest(absolute)}.json`);
  const key = digest(pluginState(), absolute, text);
  const remembered = readMemory(memory);
  if (remembered?.key === key) return { ...placeOf(absolute), kraftfile: remembered.kraftfile };
  const project = await loadKraftproject(workspaceRoot, path);
  keep(memory, { key, kraftfile: project.kraftfile });
  return project;
}

/** What cannot be read is told by who reads it next. */
function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(regularFile(path), 'utf8');
  } catch {
    return undefined;
  }
}

/** A memory that cannot be read, for whatever reason, is none. */
function readMemory(file: string): Memory | undefined {
  if (process.env.NX_CACHE_PROJECT_GRAPH === 'false') return undefined;
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Memory;
  } catch {
    return undefined;
  }
}

function keep(file: string, memory: Memory): void {
  try {
    writeWhole(file, JSON.stringify(memory));
  } catch (error) {
    // A workspace that cannot be written to only costs the memory.
    if (!hasErrorCode(error, 'EACCES', 'EROFS', 'EPERM', 'ENOTDIR', 'ENOSPC')) throw error;
  }
}

function digest(...parts: readonly string[]): string {
  return createHash('sha256').update(parts.join('\0')).digest('base64url');
}
