import type { Node, Scalar, YAMLMap, YAMLSeq } from 'yaml';
import { finish, openFile, type OpenFile } from './edit.ts';
import { endOf, findPair, removeItem, replaceValue, startOf, type FilePair } from './edit-nodes.ts';
import type { Kraftfile, SpecVersion } from './model.ts';
import { renderAfterKey, renderFlow, renderText, styleOf, text as plainText, type Content } from './render.ts';
import { SourceText } from './source-text.ts';
import type { Splice } from './splice.ts';
import { scalarText } from './tree.ts';
import { yaml } from './yaml.ts';

/** Something that a file says and that the newer version has no way to say. */
export interface Loss {
  readonly message: string;
  readonly line: number;
  readonly column: number;
}

export interface Upgrade {
  /** The text of the newer version; comments, order and quotes stay. */
  readonly text: string;
  /** What the text no longer says for kraft, in the order of the file; empty when nothing is lost. */
  readonly losses: readonly Loss[];
}

/**
 * Rewrites a Kraftfile for a newer version of the specification: v0.4 and v0.5 for v0.6, and those for v0.7. A file
 * that is of that version already stays as it is.
 *
 * @throws KraftfileFault KRAFTFILE_BROKEN for a file that cannot be read, EDIT_FORM for one that cannot be rewritten
 */
export function upgradeKraftfile(text: string, to: 'v0.6' | 'v0.7', fileName?: string): Upgrade {
  const file = openFile(text, { isStrict: true, fileName });
  if (file.kraftfile.spec >= to) return { text, losses: [] };
  const source = new SourceText(text);
  const changes: Changes = {
    splices: [],
    losses: [],
    lose: (at, message) => changes.losses.push({ message, ...source.positionAt(startOf(at)) }),
  };
  changeSpec(file, to, changes);
  replaceTrees(file, changes);
  if (to === 'v0.7') changeForNewRules(file, changes);
  const upgraded = finish(
    file,
    withoutOverlaps(changes.splices),
    (after) => after.spec === to && sameTargets(after, file),
  );
  return { text: upgraded, losses: changes.losses.toSorted((a, b) => a.line - b.line || a.column - b.column) };
}

interface Changes {
  readonly splices: Splice[];
  readonly losses: Loss[];
  readonly lose: (at: FilePair | Node, message: string) => void;
}

function sameTargets(after: Kraftfile, { kraftfile: before }: OpenFile): boolean {
  const list = ({ targets }: Kraftfile): string =>
    JSON.stringify(targets.map(({ platform, architecture, kconfig }) => [platform, architecture, kconfig]));
  return list(after) === list(before);
}

/** Writes the version as the file writes it, with or without `v`, and keeps one of `spec` and `specification`. */
function changeSpec(file: OpenFile, to: SpecVersion, { splices }: Changes): void {
  const spec = findPair(file.root, 'spec');
  const specification = findPair(file.root, 'specification');
  const pair = specification ?? spec;
  if (pair === undefined) {
    // kraft reads no file without a version, so this one gets it at the very top.
    const start = startOf(file.root);
    splices.push({ start, end: start, text: `spec: ${to}${file.layout.lineEnd}` });
    return;
  }
  if (spec !== undefined && specification !== undefined) splices.push(...removeItem(file, file.root, spec));
  const value = yaml().isScalar(pair.value) ? pair.value : undefined;
  const hasV = value === undefined || scalarText(value).startsWith('v');
  splices.push(
    ...replaceValue(file, file.root, pair, plainText(hasV ? to : to.slice(1), hasV ? styleOf(value) : quoted(value))),
  );
}

/** A version without `v` is a number unless it is quoted. */
function quoted(value: Scalar | undefined): 'single' | 'double' {
  return styleOf(value) === 'double' ? 'double' : 'single';
}

/** Puts `targets` in the place of `architectures` and `platforms`, where the later of them stood. */
function replaceTrees(file: OpenFile, { splices, lose }: Changes): void {
  if (findPair(file.root, 'targets') !== undefined || file.kraftfile.targets.length === 0) return;
  const trees = ['architectures', 'platforms']
    .flatMap((key) => findPair(file.root, key) ?? [])
    .toSorted((a, b) => startOf(a) - startOf(b));
  for (const tree of trees) {
    if (hasComment(file, tree)) lose(tree, `comments inside of ${scalarText(tree.key)} have no place in targets`);
  }
  const last = trees.pop();
  if (last === undefined) return;
  // What goes takes the empty line behind it along.
  const removals = trees.flatMap((tree) => removeItem(file, file.root, tree));
  splices.push(...removals.map((splice) => ({ ...splice, end: pastEmptyLine(file.text, splice.end) })));
  const targets = treeTargets(file.kraftfile);
  const content =
    file.root.flow === true ? ` ${renderFlow(targets)}` : renderAfterKey(targets, file.layout.unit, file.layout);
  splices.push({ start: startOf(last), end: endOf(file, last), text: `targets:${content}` });
}

/** Whether there is a comment in what a value takes up. */
function hasComment(file: OpenFile, pair: FilePair): boolean {
  return /(^|\s)#/m.test(file.text.slice(startOf(pair), endOf(file, pair)));
}

function treeTargets({ targets }: Kraftfile): Content {
  return targets.map(({ platform, architecture, kconfig }): Content => {
    if (Object.keys(kconfig).length === 0) return plainText(`${platform}/${architecture}`);
    const options = Object.entries(kconfig).map(([key, value]): [string, Content] => [key, plainText(value, 'single')]);
    return {
      platform: plainText(platform),
      architecture: plainText(architecture),
      kconfig: Object.fromEntries(options),
    };
  });
}

function pastEmptyLine(text: string, at: number): number {
  return at + (/^[ \t]*\r?\n/.exec(text.slice(at, at + 64))?.[0].length ?? 0);
}

function changeForNewRules(file: OpenFile, changes: Changes): void {
  const { root } = file;
  const { isMap, isScalar, isSeq } = yaml();
  changeVariables(file, changes);

  const cmd = findPair(root, 'cmd');
  if (cmd !== undefined && isScalar(cmd.value) && file.kraftfile.cmd?.length === 1) {
    changes.splices.push(...replaceScalar(cmd.value, (content) => `[${renderText(plainText(content, 'double'))}]`));
  }
  const unikraft = findPair(root, 'unikraft');
  if (unikraft !== undefined && isScalar(unikraft.value)) changeShortComponent(file, root, unikraft, changes);
  const libraries = findPair(root, 'libraries');
  if (libraries !== undefined && isMap(libraries.value)) {
    for (const pair of libraries.value.items as FilePair[]) {
      if (isScalar(pair.value) && pair.value.value !== null) changeShortComponent(file, libraries.value, pair, changes);
    }
  }
  const runtime = findPair(root, 'runtime');
  if (runtime !== undefined && isMap(runtime.value)) changeRuntime(file, runtime, runtime.value, changes);

  const template = findPair(root, 'template');
  if (template !== undefined && isMap(template.value)) {
    loseKey(template.value, 'name', 'v0.7 has no name for a template', changes);
    loseKey(template.value, 'kconfig', 'v0.7 has no kconfig for a template', changes);
  }
  const rootfs = findPair(root, 'rootfs');
  if (rootfs !== undefined && isMap(rootfs.value)) changeFilesystemType(rootfs.value, changes);

  const volumes = findPair(root, 'volumes');
  if (volumes !== undefined && file.kraftfile.volumes.length > 0 && !isSeq(volumes.value)) {
    changeVolumes(file, volumes, changes);
  }
  const labels = findPair(root, 'labels');
  if (labels !== undefined && isMap(labels.value)) {
    for (const { value } of labels.value.items as FilePair[]) {
      if (isScalar(value) && typeof value.value === 'number') {
        changes.splices.push(...replaceScalar(value, (content) => renderText(plainText(content, 'double'))));
      }
    }
  }
  const targets = findPair(root, 'targets');
  if (targets !== undefined && isSeq(targets.value)) loseNames(targets.value, changes);
  const outdir = findPair(root, 'outdir');
  if (outdir !== undefined) changes.lose(outdir, 'v0.7 has no outdir: kraft builds in .unikraft/build');
}

/** Before v0.7 `$$` stands for a dollar sign and variables are put in; v0.7 takes both as they are. */
function changeVariables(file: OpenFile, changes: Changes): void {
  yaml().visit(file.root, {
    Scalar: (key, scalar) => {
      if (key === 'key' || typeof scalar.value !== 'string' || !scalar.value.includes('$')) return;
      if (/\$/.test(scalar.value.replaceAll('$$', ''))) {
        changes.lose(scalar, 'v0.7 puts no variables into texts');
        return;
      }
      const content = scalar.value.replaceAll('$$', '$');
      changes.splices.push(...replaceScalar(scalar, () => renderText(plainText(content, styleOf(scalar)))));
    },
  });
}

/** `unikraft: URL@version` is a version for v0.7, and a number is refused. */
function changeShortComponent(file: OpenFile, parent: YAMLMap, pair: FilePair, { splices }: Changes): void {
  const name = scalarText(pair.key);
  const component =
    parent === file.root ? file.kraftfile.unikraft : file.kraftfile.libraries.find((library) => library.name === name);
  if (component?.source !== undefined) {
    splices.push(
      ...replaceValue(file, parent, pair, {
        source: plainText(component.source),
        ...(component.version === undefined ? {} : { version: plainText(component.version) }),
      }),
    );
  } else if (yaml().isScalar(pair.value) && typeof pair.value.value === 'number') {
    splices.push(...replaceScalar(pair.value, (content) => renderText(plainText(content, 'single'))));
  }
}

/** v0.7 knows a runtime only as a text. */
function changeRuntime(file: OpenFile, pair: FilePair, map: YAMLMap, changes: Changes): void {
  const reference = file.kraftfile.runtime?.reference;
  if (reference === undefined) return;
  loseKey(map, 'kconfig', 'v0.7 has no kconfig for a runtime', changes);
  if (hasComment(file, pair)) changes.lose(pair, 'comments inside of runtime have no place in a text');
  changes.splices.push(...replaceValue(file, file.root, pair, plainText(reference)));
}

/** What a file before v0.7 calls the type of a file system is its format. */
function changeFilesystemType(map: YAMLMap, { splices }: Changes): void {
  const type = findPair(map, 'type');
  const isFormat = yaml().isScalar(type?.value) && ['cpio', 'erofs'].includes(scalarText(type.value));
  if (type !== undefined && isFormat && findPair(map, 'format') === undefined) {
    splices.push(...replaceScalar(type.key, () => 'format'));
  }
}

function changeVolumes(file: OpenFile, pair: FilePair, changes: Changes): void {
  if (yaml().isScalar(pair.value)) {
    const content = pair.value;
    changes.splices.push(...replaceScalar(content, (volume) => `[${renderText(plainText(volume, 'double'))}]`));
    return;
  }
  if (hasComment(file, pair)) changes.lose(pair, 'comments inside of volumes have no place in the list');
  const volumes = file.kraftfile.volumes.map((volume): Content => {
    if (volume.name !== undefined) changes.lose(pair, `v0.7 has no name for a volume such as ${volume.name}`);
    return {
      ...(volume.source === undefined ? {} : { source: plainText(volume.source) }),
      destination: plainText(volume.destination),
      ...(volume.driver === undefined ? {} : { driver: plainText(volume.driver) }),
      ...(volume.mode === undefined ? {} : { mode: plainText(volume.mode) }),
      ...(volume.readOnly ? { readonly: { text: 'true', style: 'literal' } } : {}),
    };
  });
  changes.splices.push(...replaceValue(file, file.root, pair, volumes));
}

function loseNames(targets: YAMLSeq, changes: Changes): void {
  for (const item of targets.items) {
    if (!yaml().isMap(item)) continue;
    loseKey(item, 'name', 'v0.7 has no name for a target', changes);
    loseKey(item, 'kernel', 'v0.7 has no name for a target', changes);
  }
}

function loseKey(map: YAMLMap, key: string, message: string, { lose }: Changes): void {
  const pair = findPair(map, key);
  if (pair !== undefined) lose(pair, message);
}

function replaceScalar(scalar: Scalar, write: (content: string) => string): readonly Splice[] {
  const [start, end] = scalar.range ?? [0, 0];
  return [{ start, end, text: write(scalarText(scalar)) }];
}

/** Where a part is rewritten as a whole, changes inside of it are in it already. */
function withoutOverlaps(splices: readonly Splice[]): readonly Splice[] {
  const isInside = (inner: Splice, outer: Splice): boolean =>
    outer.start <= inner.start && inner.end <= outer.end && outer.end - outer.start > inner.end - inner.start;
  return splices.filter((inner) => !splices.some((outer) => isInside(inner, outer)));
}
