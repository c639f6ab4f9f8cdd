import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { lockFileName } from '../tasks/files.ts';

/** What `kraft.lock` has for names, as digests; cheap, since it is read on every command. */
export interface LockDigests {
  /** A digest over the entry of a component or image; undefined for one that is not locked. */
  readonly of: (name: string) => string | undefined;
  /** A digest over all components. */
  readonly all: string | undefined;
}

/** Reads the lock of a workspace. One that is missing or broken locks nothing; the tasks that need it tell of it. */
export function readLockDigests(workspaceRoot: string): LockDigests {
  const { components = {}, images = {} } = readEntries(join(workspaceRoot, lockFileName));
  const entries: Readonly<Record<string, unknown>> = { ...components, ...images };
  return {
    of: (name) => (Object.hasOwn(entries, name) ? digest(entries[name]) : undefined),
    all: Object.keys(components).length === 0 ? undefined : digest(components),
  };
}

interface Entries {
  readonly components?: Readonly<Record<string, unknown>>;
  readonly images?: Readonly<Record<string, unknown>>;
}

function readEntries(file: string): Entries {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Entries;
  } catch {
    return {};
  }
}

function digest(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex');
}
