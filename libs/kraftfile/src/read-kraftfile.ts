import type { Diagnostic } from './diagnostics.ts';
import type { Component, Kraftfile, Plain, PositionOf, SpecVersion } from './model.ts';
import { isMap, isScalar } from './nodes.ts';
import { variantOfName } from './names.ts';
import { checkKeys } from './check-keys.ts';
import { checkModel } from './check-model.ts';
import { checkShape } from './check-shape.ts';
import { Problems } from './problems.ts';
import { readCommand } from './read-command.ts';
import { readComponent, readRuntime, readTemplate } from './read-components.ts';
import { readFilesystem } from './read-filesystems.ts';
import { readKconfig } from './read-kconfig.ts';
import { checkSpec, guessSpec } from './read-spec.ts';
import { readStrings } from './read-strings.ts';
import { readTargets } from './read-targets.ts';
import { largestText, readTree, reportLimit } from './read-tree.ts';
import { readVolumes } from './read-volumes.ts';
import { Reading } from './reading.ts';
import { SourceText } from './source-text.ts';
import { readSimpleYaml } from './simple-yaml.ts';
import { scalarText, Tree, TreeLimit, type Entry } from './tree.ts';
import { topKeys, treeKeys } from './words.ts';

export interface ReadOptions {
  /** How diagnostics name the file; its last part tells the variant (`Kraftfile.web`). */
  readonly file: string;
  /** Name of the folder that the file lies in: the project's name where the file gives none. */
  readonly directoryName: string;
  /** Variables for `${NAME}` in files before v0.7 (none by default: the result then depends on the text alone). */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Whether there is a file or folder at a path relative to the Kraftfile's folder, to warn of one that is missing. */
  readonly exists?: (path: string) => boolean;
}

export interface ReadResult {
  /** Absent when the text is no YAML, no mapping, or of a specification that is not read. */
  readonly kraftfile: Kraftfile | undefined;
  /** All problems, in the order of the file. */
  readonly diagnostics: readonly Diagnostic[];
  readonly positionOf: PositionOf;
}

/**
 * Reads a Kraftfile of v0.4, v0.5, v0.6 or v0.7. Never throws for what a user wrote: problems are diagnostics, and
 * what they do not touch is still read.
 */
export function readKraftfile(text: string, options: ReadOptions): ReadResult {
  const { kraftfile, reading, problems } = readBy(readAnyTree, text, options);
  return {
    kraftfile,
    diagnostics: problems.list(),
    positionOf: (path) => reading?.positionOf(path) ?? { line: 1, column: 1 },
  };
}

/** What {@link readKraftfile} finds, with the values of the file for those who change it. */
export interface ReadWithPlaces {
  readonly kraftfile: Kraftfile | undefined;
  /** Absent when the text is no usable YAML. */
  readonly reading: Reading | undefined;
  readonly problems: Problems;
}

/** Reads with the parser alone, whose nodes those who change a file need. */
export function readWithPlaces(text: string, options: ReadOptions): ReadWithPlaces {
  return readBy(readTree, text, options);
}

/** Nearly all files need no parser: see {@link readSimpleYaml}. */
function readAnyTree(text: string, problems: Problems): Tree | undefined {
  const root = text.length > largestText ? undefined : readSimpleYaml(text);
  return root === undefined ? readTree(text, problems) : new Tree(root, false);
}

function readBy(read: typeof readTree, text: string, options: ReadOptions): ReadWithPlaces {
  // Of a text that is too large to be read, the start is enough to point at.
  const problems = new Problems(new SourceText(text.slice(0, largestText)), options.file);
  const tree = read(text, problems);
  if (tree === undefined) return { kraftfile: undefined, reading: undefined, problems };
  try {
    const top = topEntries(tree);
    const spec = guessSpec(writtenSpec(top));
    const reading = new Reading(tree, spec === 'v0.7' ? 'v0.7' : 'legacy', options.env ?? {}, problems);
    checkShape(reading);
    checkKeys(reading);
    checkSpec(reading, top, top.values().next().value);
    const kraftfile = readModel(reading, top, spec ?? 'v0.6', options);
    checkModel(reading, top, kraftfile, options.exists);
    return { kraftfile: spec === undefined ? undefined : deepFreeze(kraftfile), reading, problems };
  } catch (error) {
    if (!(error instanceof TreeLimit)) throw error;
    reportLimit(problems, error);
    return { kraftfile: undefined, reading: undefined, problems };
  }
}

function topEntries(tree: Tree): ReadonlyMap<string, Entry> {
  const entries = isMap(tree.root) ? tree.entries(tree.root) : [];
  return new Map(entries.map((entry) => [entry.key, entry]));
}

function writtenSpec(top: ReadonlyMap<string, Entry>): string | undefined {
  const entry = top.get('specification') ?? top.get('spec');
  if (entry === undefined) return undefined;
  return isScalar(entry.value) ? scalarText(entry.value) : '';
}

function readModel(
  reading: Reading,
  top: ReadonlyMap<string, Entry>,
  spec: SpecVersion,
  { file, directoryName }: ReadOptions,
): Kraftfile {
  for (const entry of top.values()) reading.place([entry.key], entry.value ?? entry.keyNode);
  const value = (key: (typeof topKeys)[number]): Entry['value'] => top.get(key)?.value;
  const name = reading.text(value('name'))?.trim() || directoryName;
  const variant = variantOfName(file.split(/[/\\]/).at(-1) ?? '');
  const unikraft = value('unikraft');
  const template = value('template');
  const runtime = readRuntime(reading, value('runtime'), ['runtime']);
  const rootfs = value('rootfs') === undefined ? undefined : readFilesystem(reading, value('rootfs'), ['rootfs']);
  const cmd = readCommand(reading, value('cmd'));
  const outdir = readOutdir(reading, value('outdir'));
  return {
    spec,
    name,
    ...(variant === undefined ? {} : { variant }),
    ...(unikraft === undefined ? {} : { unikraft: readComponent(reading, unikraft, 'unikraft', ['unikraft']) }),
    libraries: readLibraries(reading, top.get('libraries')),
    ...(template === undefined ? {} : { template: readTemplate(reading, template, ['template']) }),
    ...(runtime === undefined ? {} : { runtime }),
    ...(rootfs === undefined ? {} : { rootfs }),
    roms: reading.items(value('roms')).flatMap((item, index) => {
      const rom = item === undefined ? undefined : readFilesystem(reading, item, ['roms', index]);
      return rom === undefined ? [] : [rom];
    }),
    volumes: readVolumes(reading, value('volumes')),
    ...(cmd === undefined ? {} : { cmd }),
    env: readStrings(reading, value('env'), ['env']),
    labels: readStrings(reading, value('labels'), ['labels']),
    kconfig: readKconfig(reading, value('kconfig'), ['kconfig']),
    targets: readTargets(reading, top, name),
    ...(outdir === undefined ? {} : { outdir }),
    extensions: readExtensions(reading, top),
    unknown: [...top.keys()].filter((key) => !isKnown(key)),
  };
}

const knownKeys = new Set<string>([...topKeys, ...treeKeys]);

function isKnown(key: string): boolean {
  return knownKeys.has(key) || key.startsWith('x-');
}

function readLibraries(reading: Reading, entry: Entry | undefined): readonly Component[] {
  return reading.entries(entry?.value).map((library, index) => {
    const path = ['libraries', index];
    reading.place(path, library.keyNode);
    return readComponent(reading, library.value, library.key, path);
  });
}

/** A build folder inside of the Kraftfile's own, with `/` between its parts. */
function readOutdir(reading: Reading, value: Entry['value']): string | undefined {
  const text = reading.text(value)?.trim();
  if (value === undefined || text === undefined || text === '') return undefined;
  const parts = text.split(/[/\\]/).filter((part) => part !== '' && part !== '.');
  if (/^([/\\~-]|[A-Za-z]:)|\p{Cc}/u.test(text) || parts.includes('..')) {
    reading.warn('OUTDIR_OUTSIDE', value, `'${text}' is no folder inside of the Kraftfile's, and is not used`, {
      expected: "a folder relative to the Kraftfile's",
    });
    return undefined;
  }
  return parts.join('/') || undefined;
}

function readExtensions(reading: Reading, top: ReadonlyMap<string, Entry>): Readonly<Record<string, Plain>> {
  const extensions = [...top.values()].filter((entry) => entry.key.startsWith('x-'));
  return Object.fromEntries(extensions.map((entry) => [entry.key, reading.tree.plain(entry.value)]));
}

/** Keeps a model that many share from being changed by one of them. */
function deepFreeze<T extends object>(value: T): T {
  for (const content of Object.values(value)) {
    if (typeof content === 'object' && content !== null) deepFreeze(content as object);
  }
  return Object.freeze(value);
}
