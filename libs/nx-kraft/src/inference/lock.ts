import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { regularFile } from '@nx-kraft/base';
import { fromLockField } from '@nx-kraft/components/lock-field';
import { lockFileName } from '../tasks/files.ts';

/** What inference needs of `kraft.lock`. */
export interface LockSummary {
  /** Components by their keys, such as `lib/musl@0.17`. */
  readonly components: ReadonlyMap<string, LockedSource>;
  /** Digests of images by their names in full. */
  readonly images: ReadonlyMap<string, string>;
}

/** A component as the file has it. */
export interface LockedSource {
  readonly revision?: string;
  readonly sha256?: string;
  readonly content?: string;
  /** What a template's own Kraftfile names. */
  readonly components?: readonly string[];
  /** The variables that this mentions. */
  readonly variables?: readonly string[];
}

/**
 * Reads `kraft.lock` on every command, so nothing of it is checked here; of one that is missing or broken the tasks that
 * need it tell.
 */
export function readLockSummary(workspaceRoot: string): LockSummary {
  const lock = readLock(join(workspaceRoot, lockFileName));
  return { components: byName(lock?.components), images: byName(lock?.images) };
}

/** As far as it has the form of a lock. */
interface LockText {
  readonly components?: Readonly<Record<string, LockedSource>> | null;
  readonly images?: Readonly<Record<string, string>> | null;
}

function readLock(file: string): LockText | null {
  try {
    return JSON.parse(readFileSync(regularFile(file), 'utf8')) as LockText;
  } catch {
    return null;
  }
}

function byName<T>(fields: Readonly<Record<string, T>> | null | undefined): ReadonlyMap<string, T> {
  return new Map(Object.entries(fields ?? {}).map(([field, value]) => [fromLockField(field), value]));
}
