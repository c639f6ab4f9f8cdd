import { Fault } from '@nx-kraft/base';
import { ComponentFault } from './fault.ts';
import type { ResolveDigest } from './image.ts';
import { emptyLock, type Lock, type LockedComponent, lockedDigest, lockedResolution, toEntry } from './lock.ts';
import {
  bareName,
  type ComponentRequest,
  componentKey,
  isComponentName,
  locate,
  parseComponentName,
} from './request.ts';
import { resolveComponent, type ResolveOptions } from './resolve.ts';
import { formatTable } from './table.ts';
import { upstreamDownloads } from './upstream-notes.ts';
import { forgetDownloads, refreshDownloads } from './upstream-pins.ts';

/** A component of a Kraftfile, with the folder that a relative source is relative to. */
export interface PlacedRequest {
  readonly request: ComponentRequest;
  readonly baseDirectory: string;
  /** Of a template: what its own Kraftfile names and mentions, as {@link LockedComponent} has it. */
  readonly template?: Required<Pick<LockedComponent, 'components' | 'variables'>>;
}

/** Everything that the Kraftfiles and Dockerfiles of a workspace name. */
export interface LockNeeds {
  readonly components: readonly PlacedRequest[];
  /** References of runtime and base images as they are written; those with a digest in them need no entry. */
  readonly images: readonly string[];
  /** Whether there may be more that could not be found out. Nothing that is locked then counts as unused. */
  readonly isPartial?: boolean;
}

export interface LockOptions extends Omit<ResolveOptions, 'baseDirectory' | 'lock' | 'frozen'> {
  readonly resolveDigest: ResolveDigest;
  /**
   * What to ask for again although it is locked: names of components (`musl`, `lib/musl`, whole keys), references of
   * images, or everything. What their builds on this machine have fetched upstream is asked for again as well.
   */
  readonly update?: readonly string[] | 'all';
  /** Takes what cannot be locked, so that the rest still is; what an older lock has of it stays. Default: it is thrown. */
  readonly onFault?: (key: string, fault: Fault) => void;
}

/** One entry that is new, gone, or another than before. */
export interface LockChange {
  /** A component's key or an image's reference. */
  readonly key: string;
  readonly before?: LockedComponent | string;
  readonly after?: LockedComponent | string;
}

/** How a lock differs from what is needed; both are sorted lists of keys and references. */
export interface LockGaps {
  readonly missing: readonly string[];
  readonly unused: readonly string[];
}

/** Compares a lock with what is needed, without a network. */
export async function findLockGaps(lock: Lock | undefined, needs: LockNeeds): Promise<LockGaps> {
  const needed = [...(await remoteRequests(needs)).keys(), ...imageReferences(needs)];
  const present = [...Object.keys(lock?.components ?? {}), ...Object.keys(lock?.images ?? {})];
  return {
    missing: needed.filter((key) => !present.includes(key)).toSorted(),
    unused: present.filter((key) => !needed.includes(key)).toSorted(),
  };
}

/**
 * Makes a lock that has exactly what is needed: entries that are there stay as they are (but for those to update),
 * missing ones are resolved, unused ones go, unless the needs are not all known. What builds on this machine have fetched
 * upstream without any checksum is added to the entries of its libraries.
 *
 * @throws ComponentFault COMPONENT_NOT_FOUND when nothing that is needed has a name to update
 */
export async function updateLock(lock: Lock | undefined, needs: LockNeeds, options: LockOptions): Promise<Lock> {
  const requests = await remoteRequests(needs);
  const references = imageReferences(needs);
  const selected = select(requests, references, options.update ?? []);
  const components = [...requests].map(async ([key, placed]): Promise<LockedComponent> => {
    const before = lockedResolution(lock, key);
    const isSelected = selected.has(key);
    if (isSelected && before !== undefined && options.offline !== true)
      await forgetDownloads(options.store, before.content);
    const known = isSelected ? undefined : before;
    const locked = await withDownloads(known ?? (await lockComponent(placed, options)), isSelected, options);
    return { ...locked, ...placed.template };
  });
  const images = references.map(async (reference): Promise<string> => {
    const known = selected.has(reference) ? undefined : lockedDigest(lock, reference);
    return known ?? (await options.resolveDigest(reference, options.signal));
  });
  const [lockedComponents, lockedImages] = await Promise.all([
    collect([...requests.keys()], components, (key) => lockedResolution(lock, key), options),
    collect(references, images, (reference) => lockedDigest(lock, reference), options),
  ]);
  const kept = needs.isPartial === true ? lock : undefined;
  return {
    components: { ...kept?.components, ...lockedComponents },
    images: { ...kept?.images, ...lockedImages },
  };
}

/** The entries by their keys; those that fail as they were before, if the caller takes faults. */
async function collect<Entry>(
  keys: readonly string[],
  entries: readonly Promise<Entry>[],
  before: (key: string) => Entry | undefined,
  { onFault }: LockOptions,
): Promise<Record<string, Entry>> {
  const settled = await Promise.allSettled(entries);
  const all = keys.map((key, index): [string, Entry | undefined] => {
    const result = settled[index];
    if (result?.status === 'fulfilled') return [key, result.value];
    const reason: unknown = result?.reason;
    if (onFault === undefined || !(reason instanceof Fault)) throw reason;
    onFault(key, reason as Fault);
    return [key, before(key)];
  });
  return Object.fromEntries(all.filter((entry): entry is [string, Entry] => entry[1] !== undefined));
}

/** The requests that are not for local folders and archives, by their keys. */
async function remoteRequests({ components }: LockNeeds): Promise<Map<string, PlacedRequest>> {
  const located = await Promise.all(components.map(async (placed) => ({ placed, isHere: await isLocal(placed) })));
  const remote = located.filter(({ isHere }) => !isHere);
  return new Map(remote.map(({ placed }) => [componentKey(placed.request), placed]));
}

/** A source that cannot be meant or is not there counts as remote: its fault is met where its own entry is made. */
async function isLocal({ request, baseDirectory }: PlacedRequest): Promise<boolean> {
  try {
    const { kind } = await locate(request, baseDirectory);
    return kind === 'folder' || kind === 'archive';
  } catch (error) {
    if (error instanceof ComponentFault) return false;
    throw error;
  }
}

function imageReferences({ images }: LockNeeds): readonly string[] {
  return [...new Set(images.filter((reference) => !reference.includes('@')))];
}

/** Whether a component is among those that an update asks for again. */
export function isToUpdate(request: ComponentRequest, update: LockOptions['update'] = []): boolean {
  return update === 'all' || update.some((name) => name === componentKey(request) || isNamed(request, name));
}

function select(
  requests: ReadonlyMap<string, PlacedRequest>,
  references: readonly string[],
  update: readonly string[] | 'all',
): ReadonlySet<string> {
  if (update === 'all') return new Set([...requests.keys(), ...references]);
  return new Set(update.flatMap((name) => selectOne(requests, references, name)));
}

function selectOne(
  requests: ReadonlyMap<string, PlacedRequest>,
  references: readonly string[],
  name: string,
): readonly string[] {
  if (requests.has(name) || references.includes(name)) return [name];
  const found = [...requests].filter(([, { request }]) => isNamed(request, name)).map(([key]) => key);
  if (found.length > 0) return found;
  throw new ComponentFault('COMPONENT_NOT_FOUND', `no Kraftfile names ${name}`, {
    hint: `There is: ${[...requests.keys(), ...references].toSorted().join(', ')}`,
  });
}

function isNamed(request: ComponentRequest, name: string): boolean {
  if (!isComponentName(name)) return false;
  const wanted = parseComponentName(name);
  const isTyped = name.includes('/');
  return (
    bareName(request) === wanted.name &&
    (!isTyped || request.type === wanted.type) &&
    (wanted.version === undefined || wanted.version === request.version)
  );
}

async function lockComponent(
  { request, baseDirectory }: PlacedRequest,
  options: LockOptions,
): Promise<LockedComponent> {
  const resolution = await resolveComponent(request, { ...options, baseDirectory });
  if (resolution.kind === 'folder') throw new Error(`${resolution.key} is a folder`);
  return resolution;
}

/** Adds what make fetches for a component, so far as a build on this machine has shown it; what is locked stays. */
async function withDownloads(
  locked: LockedComponent,
  isUpdated: boolean,
  { store, offline }: LockOptions,
): Promise<LockedComponent> {
  const { content } = locked;
  const found = isUpdated
    ? await refreshDownloads(store, content, offline)
    : await upstreamDownloads(store, content, 'unchecked');
  const downloads = { ...found, ...locked.downloads };
  return Object.keys(downloads).length === 0 ? locked : { ...locked, downloads };
}

/** What differs between two locks, sorted by key. */
export function compareLocks(before: Lock = emptyLock, after: Lock = emptyLock): readonly LockChange[] {
  const old = { ...before.components, ...before.images };
  const now = { ...after.components, ...after.images };
  const keys = [...new Set([...Object.keys(old), ...Object.keys(now)])].toSorted();
  return keys
    .filter((key) => describe(old[key], true) !== describe(now[key], true))
    .map((key) => ({
      key,
      ...(old[key] === undefined ? {} : { before: old[key] }),
      ...(now[key] === undefined ? {} : { after: now[key] }),
    }));
}

/** The changes as a table for people. */
export function formatLockChanges(changes: readonly LockChange[]): string {
  const rows = changes.map(({ key, before, after }) => [
    before === undefined
      ? 'added'
      : after === undefined
        ? 'removed'
        : isMovedTag(before, after)
          ? 'tag moved'
          : 'updated',
    key,
    describe(before),
    describe(after),
  ]);
  return formatTable(['CHANGE', 'COMPONENT OR IMAGE', 'BEFORE', 'AFTER'], rows);
}

/** A tag means one commit for ever; if it does not, people should look twice. */
function isMovedTag(before: LockedComponent | string, after: LockedComponent | string): boolean {
  if (typeof before === 'string' || typeof after === 'string' || before.kind !== 'git' || after.kind !== 'git')
    return false;
  return (
    before.ref?.startsWith('refs/tags/') === true && before.ref === after.ref && before.revision !== after.revision
  );
}

/** What tells two entries apart, in a short form for people or as a whole. */
function describe(entry: LockedComponent | string | undefined, whole = false): string {
  if (entry === undefined) return '';
  if (typeof entry === 'string') return whole ? entry : entry.slice(0, 19);
  if (whole) return JSON.stringify(toEntry(entry));
  const digest = (entry.revision ?? (entry.kind === 'tarball' ? entry.sha256 : '')).slice(0, 12);
  const ref = entry.kind === 'git' && entry.ref !== undefined ? ` (${entry.ref.replace(/^refs\/\w+\//, '')})` : '';
  return `${digest}${ref}${describeRest(entry)}`;
}

/** What an entry has besides its own source. */
function describeRest({ components = [], variables = [], downloads = {} }: LockedComponent): string {
  const archives = Object.entries(downloads).map(
    ([url, sha256]) => `${url.replace(/^.*\//, '')} ${sha256.slice(0, 8)}`,
  );
  const named = components.length === 1 ? '1 component' : `${components.length} components`;
  const taken = variables.length === 0 ? [] : [`takes ${variables.join(' and ')}`];
  const parts = [...(components.length === 0 ? [] : [`names ${named}`]), ...taken, ...archives];
  return parts.map((part) => `, ${part}`).join('');
}
