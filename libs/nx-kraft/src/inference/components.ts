import { homedir } from 'node:os';
import { resolve } from 'node:path';
import type { NamedComponent } from '../tasks/needs.ts';
import type { LockSummary } from './lock.ts';

/** All components of a Kraftfile, those that its templates add among them. */
export interface UsedComponents {
  /** Keys of the remote ones, as `kraft.lock` has them. */
  readonly remote: readonly string[];
  /** Absolute folders of the local ones, or archives, behind all links. */
  readonly folders: readonly string[];
  /** The one of them that is the core. */
  readonly core: string | undefined;
  /** Those of them that are templates. */
  readonly templates: readonly string[];
  /** Names of the environment variables that remote templates take. */
  readonly variables: readonly string[];
  /** Whether that is all: what a remote template adds is known once it is locked. */
  readonly isWhole: boolean;
}

export interface ComponentSources {
  readonly lock: LockSummary;
  /** What the Kraftfile of a local template names; undefined when there is none. */
  readonly componentsOf: (folder: string) => readonly NamedComponent[] | undefined;
  /** Where an absolute path leads, behind all links. */
  readonly realPath: (path: string) => string;
}

/** A component without its version; a template's is replaced by the project's of the same kind and name. */
interface Used {
  readonly identity: string;
  readonly key: string;
  readonly isPlaced: boolean;
  readonly folder?: string;
}

/**
 * Finds what a Kraftfile is built from, by the rules by which templates are merged (`mergeTemplate` in
 * `libs/components`), without reading anything.
 *
 * @param folder  of the Kraftfile, absolute
 */
export function usedComponents(
  components: readonly NamedComponent[],
  folder: string,
  sources: ComponentSources,
): UsedComponents {
  const { used, isWhole } = withTemplates(components.map(place(folder, sources)), sources, [folder]);
  const templates = used.filter(({ identity }) => identity.startsWith('app/'));
  return {
    remote: used.filter((one) => one.folder === undefined).map(({ key }) => key),
    folders: used.flatMap((one) => one.folder ?? []),
    core: used.find(({ identity }) => identity.startsWith('core/'))?.folder,
    templates: templates.flatMap((one) => one.folder ?? []),
    variables: templates
      .filter(({ folder: place }) => place === undefined)
      .flatMap(({ key }) => sources.lock.components.get(key)?.variables ?? []),
    isWhole,
  };
}

function place(folder: string, { realPath }: ComponentSources) {
  return ({ key, isPlaced, folder: source }: NamedComponent): Used => ({
    identity: identityOf(key),
    key,
    isPlaced,
    ...(source === undefined ? {} : { folder: realPath(resolve(folder, source.replace(/^~(?=\/|$)/, homedir()))) }),
  });
}

function identityOf(key: string): string {
  return key.slice(0, key.indexOf('@'));
}

function withTemplates(
  own: readonly Used[],
  sources: ComponentSources,
  seen: readonly string[],
): { readonly used: readonly Used[]; readonly isWhole: boolean } {
  const template = own.find(({ identity }) => identity.startsWith('app/'));
  if (template === undefined) return { used: own, isWhole: true };
  const place = template.folder ?? template.key;
  const added = componentsOfTemplate(template, sources);
  // One that uses itself is refused when it is built.
  if (added === undefined || seen.includes(place)) return { used: own, isWhole: false };
  const inherited = withTemplates(added, sources, [...seen, place]);
  const names = new Map(inherited.used.map((one) => [one.identity, one]));
  const kept = own.filter((one) => one.isPlaced || one === template || !names.has(one.identity));
  const replaced = new Set(kept.map(({ identity }) => identity));
  return {
    used: [...kept, ...inherited.used.filter(({ identity }) => !replaced.has(identity))],
    isWhole: inherited.isWhole,
  };
}

function componentsOfTemplate({ folder, key }: Used, sources: ComponentSources) {
  if (folder !== undefined) return sources.componentsOf(folder)?.map(place(folder, sources));
  const keys = sources.lock.components.get(key)?.components;
  return keys?.map((one) => ({ identity: identityOf(one), key: one, isPlaced: true }));
}
