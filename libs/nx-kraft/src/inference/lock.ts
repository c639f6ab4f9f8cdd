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
}

/**
 * Reads `kraft.lock` on every command, so nothing of it is checked here; of one that is missing or broken the tasks that
 * need it tell.
 */
export function readLockSummary(workspaceRoot: string): LockSummary {
  const { components = {}, images = {} } = readLock(join(workspaceRoot, lockFileName));
  return { components: byName(components), images: byName(images) };
}

interface LockText {
  readonly components?: Readonly<Record<string, LockedSource>>;
  readonly images?: Readonly<Record<string, string>>;
}

function readLock(file: string): LockText {
  try {
    return JSON.parse(readFileSync(regularFile(file), 'utf8')) as LockText;
  } catch {
    return {};
  }
}

function byName<T>(fields: Readonly<Record<string, T>>): ReadonlyMap<string, T> {
  return new Map(Object.entries(fields).map(([field, value]) => [fromLockField(field), value]));
}
