import type { Stats } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hasErrorCode } from '@nx-kraft/base';
import { isArchiveName } from './archive-name.ts';
import { ComponentFault } from './fault.ts';
import { hideCredentials, isFileUrl, isGitAddress, looksLikeHost, looksLikeUrl } from './url.ts';

/** Unikraft itself, a library (`lib-NAME`), or an application that others build on (`app-NAME`). */
export type ComponentType = 'core' | 'library' | 'template';

/** A component as a Kraftfile names it. */
export interface ComponentRequest {
  readonly type: ComponentType;
  readonly name: string;
  /** A git URL, tarball URL or folder, without a version; absent for what indexes know by its name. */
  readonly source?: string | undefined;
  /** A channel, release, branch, tag or commit; absent for the default one. */
  readonly version?: string | undefined;
}

/** Where a component comes from, before anything is asked. URLs may hold credentials. */
export type Origin =
  | { readonly kind: 'folder'; readonly folder: string }
  | { readonly kind: 'archive'; readonly path: string }
  | { readonly kind: 'git'; readonly url: string; readonly version: string | undefined }
  | { readonly kind: 'tarball'; readonly url: string }
  | { readonly kind: 'named'; readonly version: string | undefined };

/** The channel that a bare name means. */
export const defaultChannel = 'stable';

const prefixes: Readonly<Record<ComponentType, string>> = { core: 'core', library: 'lib', template: 'app' };

/**
 * What kind of thing a request names: a folder (a path, or a `file:` URL of a folder that is no git repository), an
 * archive (a path that ends like one), a tarball (a URL that ends like one), a git repository (any other URL,
 * `user@host:path` or `host.tld/path`), or, without a source, a name for the indexes.
 *
 * @param baseDirectory  what relative paths are relative to
 * @throws ComponentFault COMPONENT_BAD_NAME for what git or a shell could take for an option or a command,
 *   COMPONENT_NOT_FOUND for a folder that is not there
 */
export async function locate(request: ComponentRequest, baseDirectory: string): Promise<Origin> {
  const { source } = request;
  checkName(request.name);
  const version = checkVersion(request.version);
  if (source === undefined) return { kind: 'named', version };
  if (source === '' || source.startsWith('-') || hasControlCharacter(source)) throw badSource(source);
  if (isFileUrl(source)) return locateFile(source, version);
  if (isGitAddress(source)) return locateUrl(source, version);
  if (looksLikeUrl(source)) throw badSource(source);
  return locatePath(source, version, baseDirectory);
}

function locateUrl(source: string, version: string | undefined): Origin {
  if (/^http/i.test(source) && isArchiveName(new URL(source).pathname)) return { kind: 'tarball', url: source };
  return { kind: 'git', url: source, version };
}

async function locateFile(source: string, version: string | undefined): Promise<Origin> {
  const path = toPath(source);
  if (isArchiveName(path) && !(await isFolder(path))) return { kind: 'tarball', url: source };
  const isRepository = (await isFolder(join(path, '.git'))) || (await isFolder(join(path, 'objects')));
  if (isRepository) return { kind: 'git', url: source, version };
  return { kind: 'folder', folder: await requireFolder(path, source) };
}

async function locatePath(source: string, version: string | undefined, baseDirectory: string): Promise<Origin> {
  const path = resolve(baseDirectory, source.replace(/^~(?=\/|$)/, homedir()));
  if (isArchiveName(path) && (await isFile(path))) return { kind: 'archive', path };
  if (looksLikeHost(source) && !(await isFolder(path))) return { kind: 'git', url: `https://${source}`, version };
  return { kind: 'folder', folder: await requireFolder(path, source) };
}

async function requireFolder(path: string, source: string): Promise<string> {
  if (await isFolder(path)) return realpath(path);
  throw new ComponentFault('COMPONENT_NOT_FOUND', `there is no folder '${source}'`, {
    at: path,
    hint: 'Write a folder or an archive relative to the Kraftfile, or a URL of a git repository or a tarball.',
  });
}

async function isFolder(path: string): Promise<boolean> {
  return (await statIfThere(path))?.isDirectory() === true;
}

async function isFile(path: string): Promise<boolean> {
  return (await statIfThere(path))?.isFile() === true;
}

async function statIfThere(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}

function toPath(url: string): string {
  try {
    return fileURLToPath(url);
  } catch (error) {
    throw badSource(url, error);
  }
}

function checkName(name: string): void {
  if (/^[\w][\w.+/-]*$/.test(name) && !name.split('/').includes('..')) return;
  throw new ComponentFault('COMPONENT_BAD_NAME', `'${name}' cannot be the name of a component`);
}

function checkVersion(version: string | undefined): string | undefined {
  if (version === undefined || version === '') return undefined;
  // What git allows in names of branches and tags, and nothing that could be an option or a refspec.
  if (/^[\w][\w./+@-]*$/.test(version) && !version.includes('..') && !version.includes('@{')) return version;
  throw new ComponentFault('COMPONENT_BAD_NAME', `'${version}' cannot be a version, branch, tag or commit`);
}

function hasControlCharacter(text: string): boolean {
  return /\p{Cc}/u.test(text);
}

function badSource(source: string, cause?: unknown): ComponentFault {
  return new ComponentFault('COMPONENT_BAD_NAME', `'${hideCredentials(source)}' cannot be a source of a component`, {
    hint: 'Use a folder, a tarball URL, or a git URL that begins with https:, ssh: or file:.',
    cause,
  });
}

/**
 * The name of a request in lock files, messages and commands: `core/unikraft@stable`, `lib/musl@0.16.3`,
 * `lib/lwip@https://example.com/lwip.git#main`. Credentials are left out.
 */
export function componentKey(request: ComponentRequest): string {
  const { type, source, version } = request;
  const head = `${prefixes[type]}/${bareName(request)}`;
  if (source === undefined) return `${head}@${version || defaultChannel}`;
  return `${head}@${hideCredentials(source)}${version ? `#${version}` : ''}`;
}

const writtenName = /^(?:(core|lib|app)\/)?([\w][\w.+-]*)(?:[@:](.+))?$/;

/** Whether {@link parseComponentName} can read a text, which it cannot for most names of images. */
export function isComponentName(text: string): boolean {
  return writtenName.test(text);
}

/**
 * Reads a component's name as people type it: `unikraft`, `musl`, `lib/musl`, `app/elfloader:staging`, or what
 * {@link componentKey} wrote.
 *
 * @throws ComponentFault COMPONENT_BAD_NAME
 */
export function parseComponentName(text: string): ComponentRequest {
  const [, prefix, name, rest] = writtenName.exec(text) ?? [];
  if (name === undefined) {
    throw new ComponentFault('COMPONENT_BAD_NAME', `'${text}' cannot be the name of a component`, {
      hint: 'Write unikraft, lib/NAME or app/NAME, with :VERSION behind it if you like.',
    });
  }
  const type = typeOf(prefix, name);
  if (rest === undefined) return { type, name };
  // The names of branches may have slashes too.
  if (!looksLikeUrl(rest) && !looksLikeHost(rest) && !/^[./~]/.test(rest)) return { type, name, version: rest };
  const [source, version] = rest.split('#');
  return { type, name, source, ...(version === undefined ? {} : { version }) };
}

function typeOf(prefix: string | undefined, name: string): ComponentType {
  if (prefix === undefined) return name === 'unikraft' ? 'core' : 'library';
  return prefix === 'core' ? 'core' : prefix === 'lib' ? 'library' : 'template';
}

/** A component's own name: `elfloader` for a template that is written as `app/elfloader`. */
export function bareName({ name }: Pick<ComponentRequest, 'name'>): string {
  return name.replace(/^(core|lib|app)\//, '');
}

/** The repository where a component lies that no index knows, by its name. */
export function defaultRepository(request: Pick<ComponentRequest, 'type' | 'name'>): string {
  const name = bareName(request);
  const repository = request.type === 'core' ? name : `${prefixes[request.type]}-${name.replace(/^(lib|app)-/, '')}`;
  return `https://github.com/unikraft/${repository}.git`;
}
