import type { Node, Scalar, YAMLMap, YAMLSeq } from 'yaml';
import {
  findPair,
  findPairs,
  formFault,
  insertEntry,
  insertItem,
  removeItem,
  replaceItem,
  replaceValue,
  startOf,
  type Draft,
  type FilePair,
} from './edit-nodes.ts';
import { KraftfileFault } from './fault.ts';
import type { Kconfig, Kraftfile, Target } from './model.ts';
import { readWithPlaces } from './read-kraftfile.ts';
import { styleOf, text as plainText, type Content, type TextStyle } from './render.ts';
import { applySplices, type Splice } from './splice.ts';
import { scalarText } from './tree.ts';
import { yaml } from './yaml.ts';

/** Which `kconfig` of a Kraftfile is meant: Unikraft's, a library's, or a target's (by its id). */
export type KconfigPlace = 'unikraft' | { readonly library: string } | { readonly target: string };

/**
 * Adds a target at the end of the list, written like the ones before it. Everything else of the text stays as it is.
 *
 * @throws KraftfileFault KRAFTFILE_BROKEN, EDIT_EXISTS or EDIT_FORM
 */
export function addTarget(
  text: string,
  target: { readonly platform: string; readonly architecture: string; readonly name?: string },
  fileName?: string,
): string {
  const file = openFile(text, { fileName });
  const isThere = file.kraftfile.targets.some(
    ({ platform, architecture, name }) =>
      platform === target.platform &&
      architecture === target.architecture &&
      name === (target.name ?? file.kraftfile.name),
  );
  if (isThere) {
    throw existsFault(file, `target ${target.platform}/${target.architecture}`);
  }
  if (findPair(file.root, 'targets') === undefined && file.kraftfile.targets.length > 0) throw treesFault(file);
  const pair = findPair(file.root, 'targets');
  const list = asList(file, pair);
  const content = targetContent(target, list);
  const splices =
    pair === undefined
      ? insertEntry(file, file.root, 'targets', [content])
      : list === undefined
        ? replaceValue(file, file.root, pair, [content])
        : insertItem(file, list, content);
  return finish(file, splices, (after) => after.targets.length === file.kraftfile.targets.length + 1);
}

/**
 * Removes a target by its id; with the last one the list goes too.
 *
 * @throws KraftfileFault KRAFTFILE_BROKEN, EDIT_NOT_FOUND or EDIT_FORM
 */
export function removeTarget(text: string, id: string, fileName?: string): string {
  const file = openFile(text, { fileName });
  const { list, item, target } = findTarget(file, id);
  const pair = findPair(file.root, 'targets');
  const splices =
    list.items.length === 1 && pair !== undefined ? removeItem(file, file.root, pair) : removeItem(file, list, item);
  return finish(file, splices, (after) => after.targets.every((other) => !isSameTarget(other, target)));
}

/**
 * Adds a library, written like the ones before it.
 *
 * @throws KraftfileFault KRAFTFILE_BROKEN, EDIT_EXISTS or EDIT_FORM
 */
export function addLibrary(
  text: string,
  library: { readonly name: string; readonly source?: string; readonly version?: string },
  fileName?: string,
): string {
  const file = openFile(text, { fileName });
  const { name, source, version } = library;
  if (file.kraftfile.libraries.some((other) => other.name === name)) {
    throw existsFault(file, `library ${name}`);
  }
  const pair = findPair(file.root, 'libraries');
  const map = asMap(file, pair);
  const hasMappings = map !== undefined && map.items.length > 0 && map.items.every(({ value }) => yaml().isMap(value));
  const fields: Record<string, Content> = {};
  if (source !== undefined) fields.source = plainText(file.escape(source));
  if (version !== undefined) fields.version = plainText(file.escape(version));
  const content =
    source === undefined && version !== undefined && !hasMappings ? plainText(file.escape(version)) : fields;
  const splices =
    pair === undefined
      ? insertEntry(file, file.root, 'libraries', { [name]: content })
      : map === undefined
        ? replaceValue(file, file.root, pair, { [name]: content })
        : insertEntry(file, map, name, content);
  return finish(file, splices, (after) =>
    after.libraries.some((other) => other.name === name && other.version === version && other.source === source),
  );
}

/**
 * Removes a library by its name; with the last one the key goes too.
 *
 * @throws KraftfileFault KRAFTFILE_BROKEN, EDIT_NOT_FOUND or EDIT_FORM
 */
export function removeLibrary(text: string, name: string, fileName?: string): string {
  const file = openFile(text, { fileName });
  const pair = findPair(file.root, 'libraries');
  const map = asMap(file, pair);
  const library = map === undefined ? undefined : findPair(map, name);
  if (pair === undefined || map === undefined || library === undefined) throw notFound(file, `library ${name}`);
  const splices = map.items.length === 1 ? removeItem(file, file.root, pair) : removeItem(file, map, library);
  return finish(file, splices, (after) => after.libraries.every((other) => other.name !== name));
}

/**
 * Sets an option, in the form and quotes of the options around it. A short form (`musl: stable`, `qemu/x86_64`) becomes
 * a mapping where it has to.
 *
 * @param value  as in the model: `y`, `n`, a number or a text without quotes
 * @throws KraftfileFault KRAFTFILE_BROKEN, EDIT_NOT_FOUND or EDIT_FORM
 */
export function setKconfig(
  text: string,
  place: KconfigPlace,
  symbol: string,
  value: string,
  fileName?: string,
): string {
  const file = openFile(text, { fileName });
  if (kconfigAt(file.kraftfile, file.kraftfile, place)?.[symbol] === value) return text;
  const splices = setIn(file, findHolder(file, place), symbol, file.escape(value));
  return finish(file, splices, (after) => kconfigAt(after, file.kraftfile, place)?.[symbol] === value);
}

/**
 * Removes an option, so that the default or an outer one counts again.
 *
 * @throws KraftfileFault KRAFTFILE_BROKEN, EDIT_NOT_FOUND or EDIT_FORM
 */
export function unsetKconfig(text: string, place: KconfigPlace, symbol: string, fileName?: string): string {
  const file = openFile(text, { fileName });
  const { map: holder } = findHolder(file, place);
  const pair = holder === undefined ? undefined : findPair(holder, 'kconfig');
  const kconfig = pair?.value;
  const { isMap, isSeq } = yaml();
  const options = isMap(kconfig) ? findPairs(kconfig, symbol) : isSeq(kconfig) ? findOptions(kconfig, symbol) : [];
  if (holder === undefined || pair === undefined || options.length === 0 || !(isMap(kconfig) || isSeq(kconfig))) {
    throw notFound(file, `option ${symbol}`);
  }
  const splices =
    kconfig.items.length === options.length
      ? replaceValue(file, holder, pair, {})
      : options.flatMap((option) => removeItem(file, kconfig, option));
  return finish(file, splices, (after) => kconfigAt(after, file.kraftfile, place)?.[symbol] === undefined);
}

/** A Kraftfile that is open for changes. */
export interface OpenFile extends Draft {
  readonly kraftfile: Kraftfile;
  readonly root: YAMLMap;
  /** Offset of the value of a target in the model. */
  readonly targetOffset: (index: number) => number;
  /** A text as it has to be written for the file's version to mean it. */
  readonly escape: (text: string) => string;
}

/**
 * Opens a text for changes.
 *
 * @param isStrict  refuse a file with any error, not only one that cannot be read at all
 * @param fileName  what it is called in faults (default: Kraftfile)
 * @throws KraftfileFault KRAFTFILE_BROKEN
 */
export function openFile(
  text: string,
  { isStrict = false, fileName = 'Kraftfile' }: { isStrict?: boolean; fileName?: string | undefined } = {},
): OpenFile {
  const { kraftfile, reading, problems } = readWithPlaces(text, { file: fileName, directoryName: standInName });
  const root = yaml().isMap(reading?.tree.root) ? reading.tree.root : undefined;
  const problem = problems.list().find(({ severity }) => severity === 'error');
  if (kraftfile === undefined || reading === undefined || root === undefined || (isStrict && problem !== undefined)) {
    throw new KraftfileFault('KRAFTFILE_BROKEN', problem?.message ?? 'The Kraftfile cannot be read', {
      at: problem === undefined ? fileName : `${problem.file}:${problem.line}:${problem.column}`,
      hint: 'Repair it by hand first; nx-kraft lint tells what is wrong.',
    });
  }
  return {
    name: fileName,
    text,
    kraftfile,
    root,
    layout: { lineEnd: /\r\n/.test(text) ? '\r\n' : '\n', unit: indentationUnit(text, root) },
    targetOffset: (index) => reading.offsetOf(['targets', index]) ?? -1,
    escape: (value) => (reading.family === 'legacy' ? value.replaceAll('$', '$$$$') : value),
  };
}

/** A name that nobody can write, so that a target with the folder's name is told from one without a name. */
const standInName = '\0';

/** Applies changes and makes sure that the file then says what was wanted. */
export function finish(file: OpenFile, splices: readonly Splice[], isDone: (after: Kraftfile) => boolean): string {
  const changed = applySplices(file.text, splices);
  const { kraftfile } = readWithPlaces(changed, { file: file.name, directoryName: standInName });
  if (kraftfile === undefined || !isDone(kraftfile)) throw formFault(file, 'Change it by hand.');
  return changed;
}

/** How many spaces the first indented mapping has more than what it belongs to. */
function indentationUnit(text: string, root: YAMLMap): number {
  for (const { value } of root.items) {
    if (!yaml().isMap(value) || value.flow === true) continue;
    const [first] = value.items as FilePair[];
    if (first === undefined) continue;
    const start = startOf(first);
    const column = start - (text.lastIndexOf('\n', start - 1) + 1);
    if (column > 0 && column <= 8) return column;
  }
  return 2;
}

function asList(file: OpenFile, pair: FilePair | undefined): YAMLSeq | undefined {
  return asCollection(file, pair, (value) => yaml().isSeq(value)) as YAMLSeq | undefined;
}

export function asMap(file: OpenFile, pair: FilePair | undefined): YAMLMap | undefined {
  return asCollection(file, pair, (value) => yaml().isMap(value)) as YAMLMap | undefined;
}

/** The value of a pair when it is of a kind; undefined when it is empty. */
function asCollection(file: OpenFile, pair: FilePair | undefined, isKind: (value: Node) => boolean): Node | undefined {
  const value = pair?.value;
  if (value === undefined || value === null) return undefined;
  if (yaml().isScalar(value) && value.value === null) return undefined;
  if (isKind(value)) return value;
  throw formFault(
    file,
    yaml().isAlias(value) ? 'It is an alias of another part.' : 'It is neither a list nor a mapping that can grow.',
  );
}

function targetContent(
  { platform, architecture, name }: { platform: string; architecture: string; name?: string },
  list: YAMLSeq | undefined,
): Content {
  const last = list?.items.at(-1);
  if (name === undefined && !yaml().isMap(last)) return plainText(`${platform}/${architecture}`);
  const keys = yaml().isMap(last) ? last.items.map(({ key }) => (yaml().isScalar(key) ? scalarText(key) : '')) : [];
  const platformKey = keys.includes('plat') ? 'plat' : 'platform';
  const architectureKey = keys.includes('arch') ? 'arch' : 'architecture';
  const fields: Record<string, Content> = name === undefined ? {} : { name: plainText(name) };
  const isArchitectureFirst = keys.indexOf(architectureKey) < keys.indexOf(platformKey);
  if (isArchitectureFirst) fields[architectureKey] = plainText(architecture);
  fields[platformKey] = plainText(platform);
  if (!isArchitectureFirst) fields[architectureKey] = plainText(architecture);
  return fields;
}

function findTarget(file: OpenFile, id: string): { list: YAMLSeq; item: Node; target: Target } {
  const index = file.kraftfile.targets.findIndex((target) => target.id === id);
  const target = file.kraftfile.targets[index];
  if (target === undefined)
    throw notFound(file, `target ${id}`, file.kraftfile.targets.map((other) => other.id).join(', '));
  const list = asList(file, findPair(file.root, 'targets'));
  if (list === undefined) throw treesFault(file);
  const offset = file.targetOffset(index);
  const item = (list.items as Node[]).find((candidate) => startOf(candidate) === offset);
  if (item === undefined || yaml().isAlias(item)) throw formFault(file, 'It is an alias of another part.');
  return { list, item, target };
}

function isSameTarget(a: Target, b: Target): boolean {
  return a.id === b.id && a.name === b.name && JSON.stringify(a.kconfig) === JSON.stringify(b.kconfig);
}

/** What holds a `kconfig`: a mapping, or a short form with how to make a mapping of it. */
interface Holder {
  readonly map: YAMLMap | undefined;
  /** Puts a mapping in the place of the short form. */
  readonly expand: (kconfig: Content) => readonly Splice[];
}

function findHolder(file: OpenFile, place: KconfigPlace): Holder {
  if (typeof place === 'object' && 'target' in place) {
    const { list, item, target } = findTarget(file, place.target);
    return {
      map: yaml().isMap(item) ? item : undefined,
      expand: (kconfig) =>
        replaceItem(file, list, item, {
          platform: plainText(target.platform),
          architecture: plainText(target.architecture),
          kconfig,
        }),
    };
  }
  const name = typeof place === 'object' ? place.library : 'unikraft';
  const parent = typeof place === 'object' ? asMap(file, findPair(file.root, 'libraries')) : file.root;
  const pair = parent === undefined ? undefined : findPair(parent, name);
  if (parent === undefined || pair === undefined)
    throw notFound(file, typeof place === 'object' ? `library ${name}` : name);
  const { kraftfile } = file;
  const component =
    typeof place === 'object' ? kraftfile.libraries.find((library) => library.name === name) : kraftfile.unikraft;
  return {
    map: yaml().isScalar(pair.value) ? undefined : asMap(file, pair),
    expand: (kconfig) =>
      replaceValue(file, parent, pair, {
        ...(component?.source === undefined ? {} : { source: plainText(file.escape(component.source)) }),
        ...(component?.version === undefined ? {} : { version: plainText(file.escape(component.version)) }),
        kconfig,
      }),
  };
}

function setIn(file: OpenFile, { map: holder, expand }: Holder, symbol: string, value: string): readonly Splice[] {
  const { isMap, isScalar, isSeq } = yaml();
  const option: Content = { [symbol]: plainText(value, 'single') };
  if (holder === undefined) return expand(option);
  const pair = findPair(holder, 'kconfig');
  if (pair === undefined) return insertEntry(file, holder, 'kconfig', option);
  const kconfig = pair.value;
  if (isMap(kconfig)) {
    const existing = findPair(kconfig, symbol);
    const likeThis = (existing ?? (kconfig.items.at(-1) as FilePair | undefined))?.value;
    const content = plainText(value, isScalar(likeThis) ? quotesLike(likeThis, value) : 'single');
    return existing === undefined
      ? insertEntry(file, kconfig, symbol, content)
      : replaceValue(file, kconfig, existing, content);
  }
  if (isSeq(kconfig)) {
    const existing = findOptions(kconfig, symbol).at(-1);
    const likeThis = existing ?? (kconfig.items.at(-1) as Scalar | undefined);
    const content = plainText(`${symbol}=${value}`, styleOf(likeThis));
    return existing === undefined ? insertItem(file, kconfig, content) : replaceItem(file, kconfig, existing, content);
  }
  if (yaml().isAlias(kconfig)) throw formFault(file, 'It is an alias of another part.');
  return replaceValue(file, holder, pair, option);
}

/**
 * The quotes that a neighbour has. A number has none beside words that have them, which says nothing of others; a bare
 * `y` is no text for all parsers, yet all of them know what it means here.
 */
function quotesLike(scalar: Scalar, value: string): TextStyle {
  if (typeof scalar.value === 'number') return 'single';
  return scalar.type === 'PLAIN' && /^[ymn]$/.test(value) ? 'literal' : styleOf(scalar);
}

function findOptions(list: YAMLSeq, symbol: string): readonly Scalar[] {
  return list.items.filter(
    (item): item is Scalar => yaml().isScalar(item) && scalarText(item).split('=')[0]?.trim() === symbol,
  );
}

function kconfigAt(after: Kraftfile, before: Kraftfile, place: KconfigPlace): Kconfig | undefined {
  if (place === 'unikraft') return after.unikraft?.kconfig;
  if ('library' in place) return after.libraries.find(({ name }) => name === place.library)?.kconfig;
  return after.targets[before.targets.findIndex(({ id }) => id === place.target)]?.kconfig;
}

function notFound({ name }: OpenFile, what: string, known?: string): KraftfileFault {
  return new KraftfileFault('EDIT_NOT_FOUND', `The Kraftfile has no ${what}`, {
    at: name,
    hint: known === undefined || known === '' ? undefined : `It has: ${known}.`,
  });
}

function existsFault({ name }: OpenFile, what: string): KraftfileFault {
  return new KraftfileFault('EDIT_EXISTS', `The ${what} is there already`, { at: name });
}

function treesFault(file: OpenFile): KraftfileFault {
  return formFault(file, 'Its targets come from architectures and platforms: upgrade the file to v0.6 first.');
}
