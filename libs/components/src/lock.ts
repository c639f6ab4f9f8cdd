import { readFile, writeFile } from 'node:fs/promises';
import { hasErrorCode, regularFile, replaceAtomically } from '@nx-kraft/base';
import { ComponentFault } from './fault.ts';
import { fromLockField, lockField } from './lock-field.ts';
import type { RemoteResolution } from './resolution.ts';
import { isCloneKey } from './upstream-key.ts';
import { isFileUrl, isGitAddress } from './url.ts';

/** What `kraft.lock` says, immutable. */
export interface Lock {
  /** By the component's key. */
  readonly components: Readonly<Record<string, LockedComponent>>;
  /** Digests (`sha256:…`) of runtime and base images, by the reference as it is written. */
  readonly images: Readonly<Record<string, string>>;
}

/** Exact sources, and what else is known to be needed when they are built. */
export type LockedComponent = RemoteResolution & {
  /** Of a template: the keys of the components that its own Kraftfile names, but for local folders; sorted. */
  readonly components?: readonly string[];
  /** Of a template: the environment variables that its own Kraftfile mentions; sorted. */
  readonly variables?: readonly string[];
  /**
   * What its own make step fetches: sha256 (hexadecimal) of archives by their URL, commits of repositories by `URL#REF`.
   */
  readonly downloads?: Readonly<Record<string, string>>;
};

/** A lock without entries. */
export const emptyLock: Lock = { components: {}, images: {} };

/** The version of the file's form that is written; files of a newer one are not read. */
const formVersion = 1;

/** The exact sources that the lock has for a component, by its key; the same object for the same lock. */
export function lockedResolution(lock: Lock | undefined, key: string): LockedComponent | undefined {
  return lock !== undefined && Object.hasOwn(lock.components, key) ? lock.components[key] : undefined;
}

/** The digest that the lock has for an image, by its reference as it is written. */
export function lockedDigest(lock: Lock | undefined, reference: string): string | undefined {
  return lock !== undefined && Object.hasOwn(lock.images, reference) ? lock.images[reference] : undefined;
}

/**
 * Reads a lock file.
 *
 * @returns undefined when there is none
 * @throws ComponentFault COMPONENT_BAD_LOCK, FileFault
 */
export async function readLock(path: string): Promise<Lock | undefined> {
  try {
    return parseLock(await readFile(regularFile(path), 'utf8'), path);
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/**
 * Writes a lock file as a whole, unless it says the same already.
 *
 * @returns whether it was written
 */
export async function writeLock(path: string, lock: Lock): Promise<boolean> {
  const text = formatLock(lock);
  const before = await readFile(path, 'utf8').catch((error: unknown) => {
    if (hasErrorCode(error, 'ENOENT')) return undefined;
    throw error;
  });
  if (before === text) return false;
  await replaceAtomically(path, (temporary) => writeFile(temporary, text), { durable: true });
  return true;
}

/**
 * The text of a lock file: JSON (which is read fifty times as fast as YAML), one field a line, everything sorted, so
 * that equal locks are equal files and changes of different components are on different lines.
 */
export function formatLock({ components, images }: Lock): string {
  const entries = sorted(components).map(([key, component]) => [lockField(key), toEntry(component)]);
  const form = {
    version: formVersion,
    components: Object.fromEntries(entries) as unknown,
    images: Object.fromEntries(sorted(images).map(([reference, digest]) => [lockField(reference), digest])),
  };
  return `${JSON.stringify(form, undefined, 2)}\n`;
}

/** A component as the file has it. */
export function toEntry(component: LockedComponent): Record<string, unknown> {
  const { revision, content, components, variables, downloads } = component;
  const rest = {
    ...(revision === undefined ? {} : { revision }),
    content,
    ...(components === undefined ? {} : { components }),
    ...(variables === undefined || variables.length === 0 ? {} : { variables }),
    ...(downloads === undefined ? {} : { downloads: Object.fromEntries(sorted(downloads)) }),
  };
  if (component.kind === 'tarball') return { tarball: component.url, sha256: component.sha256, ...rest };
  return { git: component.url, ...(component.ref === undefined ? {} : { ref: component.ref }), ...rest };
}

function sorted<T>(record: Readonly<Record<string, T>>): [string, T][] {
  return Object.entries(record).toSorted(([a], [b]) => (a < b ? -1 : 1));
}

/**
 * Reads the text of a lock file.
 *
 * @param at  what to call it in faults
 * @throws ComponentFault COMPONENT_BAD_LOCK
 */
export function parseLock(text: string, at: string): Lock {
  const data = parseJson(text, at);
  const reader = new Reader(at);
  const form = reader.record(data, 'the file');
  if (form.version !== formVersion) {
    throw reader.fault(`its version is ${JSON.stringify(form.version)}, and only ${formVersion} can be read`);
  }
  const components = Object.entries(reader.record(form.components ?? {}, 'components')).map(
    ([field, entry]): [string, LockedComponent] => {
      const key = fromLockField(field);
      return [key, toComponent(key, reader.record(entry, key), reader)];
    },
  );
  const images = Object.entries(reader.record(form.images ?? {}, 'images')).map(([field, digest]) => [
    fromLockField(field),
    reader.text(digest, /^[a-z0-9]+:[0-9a-f]{32,}$/, `the digest of ${fromLockField(field)}`),
  ]);
  return { components: Object.fromEntries(components), images: Object.fromEntries(images) as Lock['images'] };
}

function parseJson(text: string, at: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    const conflict = /^(<{7}|={7}|>{7})/m.test(text);
    throw new ComponentFault('COMPONENT_BAD_LOCK', conflict ? 'it has conflict marks of git' : String(error), {
      at,
      hint: conflict ? 'Keep the entries of both sides, or delete those in conflict, and run nx sync.' : undefined,
    });
  }
}

const isRevision = /^([0-9a-f]{40}|[0-9a-f]{64})$/;

function toComponent(key: string, entry: Readonly<Record<string, unknown>>, reader: Reader): LockedComponent {
  const { git, tarball, ref, revision, sha256, content, components, variables, downloads } = entry;
  const common = {
    content: reader.text(content, /^sha256:[0-9a-f]{64}$/, `content of ${key}`),
    ...(components === undefined ? {} : { components: toKeys(key, components, reader) }),
    ...(variables === undefined ? {} : { variables: toNames(key, variables, reader) }),
    ...(downloads === undefined ? {} : { downloads: toDownloads(key, downloads, reader) }),
  };
  if (tarball !== undefined) {
    return {
      kind: 'tarball',
      key,
      url: reader.text(tarball, /^(https?|file):/i, `tarball of ${key}`),
      sha256: reader.text(sha256, /^[0-9a-f]{64}$/, `sha256 of ${key}`),
      ...(revision === undefined ? {} : { revision: reader.text(revision, isRevision, `revision of ${key}`) }),
      ...common,
    };
  }
  return {
    kind: 'git',
    key,
    url: toGitAddress(key, git, reader),
    ...(ref === undefined ? {} : { ref: reader.text(ref, /^(HEAD|refs\/\S+)$/, `ref of ${key}`) }),
    revision: reader.text(revision, isRevision, `revision of ${key}`),
    ...common,
  };
}

function toGitAddress(key: string, git: unknown, reader: Reader): string {
  // The same as in a Kraftfile: nothing that git could take for an option or for a program to run.
  if (typeof git === 'string' && (isGitAddress(git) || isFileUrl(git))) return git;
  throw reader.fault(`git of ${key} is ${JSON.stringify(git)}`);
}

function toKeys(key: string, components: unknown, reader: Reader): readonly string[] {
  if (!Array.isArray(components)) throw reader.fault(`components of ${key} is no list`);
  return components.map((one) => reader.text(one, /^(core|lib|app)\/[^@]+@./, `a component of ${key}`));
}

function toNames(key: string, variables: unknown, reader: Reader): readonly string[] {
  if (!Array.isArray(variables)) throw reader.fault(`variables of ${key} is no list`);
  return variables.map((one) => reader.text(one, /^[A-Za-z_]\w*$/, `a variable of ${key}`));
}

function toDownloads(key: string, downloads: unknown, reader: Reader): Record<string, string> {
  const entries = Object.entries(reader.record(downloads, `downloads of ${key}`));
  return Object.fromEntries(
    entries.map(([name, pin]) => {
      if (!isCloneKey(name)) {
        const url = reader.text(name, /^(https?|file):/i, `a download of ${key}`);
        return [url, reader.text(pin, /^[0-9a-f]{64}$/, `sha256 of ${name}`)];
      }
      toGitAddress(`${name}, a download of ${key},`, name.slice(0, name.indexOf('#')), reader);
      return [name, reader.text(pin, isRevision, `revision of ${name}`)];
    }),
  );
}

/** Checks by hand: a lock is read before every build, where a schema would cost more than all the rest. */
class Reader {
  readonly at: string;

  constructor(at: string) {
    this.at = at;
  }

  record(value: unknown, name: string): Readonly<Record<string, unknown>> {
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
    throw this.fault(`${name} is no mapping`);
  }

  text(value: unknown, pattern: RegExp, name: string): string {
    if (typeof value === 'string' && pattern.test(value)) return value;
    throw this.fault(`${name} is ${JSON.stringify(value)}`);
  }

  fault(message: string): ComponentFault {
    const hint = 'Take the file from version control again, or delete it and run nx sync.';
    return new ComponentFault('COMPONENT_BAD_LOCK', message, { at: this.at, hint });
  }
}
