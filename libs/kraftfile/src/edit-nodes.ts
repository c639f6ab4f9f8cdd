import type { Node, Pair, Scalar, YAMLMap, YAMLSeq } from 'yaml';
import { KraftfileFault } from './fault.ts';
import { renderAfterKey, renderBlock, renderFlow, renderText, text, type Content, type Layout } from './render.ts';
import type { Splice } from './splice.ts';
import { scalarText } from './tree.ts';
import { yaml } from './yaml.ts';

/** A text whose values are to be changed, and how it is laid out. */
export interface Draft {
  /** What the file is called in faults. */
  readonly name: string;
  readonly text: string;
  readonly layout: Layout;
}

/** A key of a mapping as it stands in the file, aliases and all. */
export type FilePair = Pair<Scalar, Node | null>;

/** The last of the pairs of a mapping with this key, which is the one that counts. */
export function findPair(map: YAMLMap, key: string): FilePair | undefined {
  return findPairs(map, key).at(-1);
}

/** All pairs of a mapping with this key. */
export function findPairs(map: YAMLMap, key: string): readonly FilePair[] {
  const isIt = ({ key: node }: YAMLMap['items'][number]): boolean => yaml().isScalar(node) && scalarText(node) === key;
  return map.items.filter(isIt) as FilePair[];
}

/** Adds a key at the end of a mapping. */
export function insertEntry(draft: Draft, map: YAMLMap, key: string, content: Content): readonly Splice[] {
  const rendered = renderText(text(key));
  const last = map.items.at(-1) as FilePair | undefined;
  if (map.flow === true || last === undefined) return insertIntoFlow(draft, map, `${rendered}: ${renderFlow(content)}`);
  const column = columnOf(draft, startOf(last.key));
  const space = ' '.repeat(column);
  return insertLines(draft, endOf(draft, last), [
    `${space}${rendered}:${renderAfterKey(content, column + draft.layout.unit, draft.layout)}`,
  ]);
}

/** Adds an item at the end of a list. */
export function insertItem(draft: Draft, list: YAMLSeq, content: Content): readonly Splice[] {
  const last = list.items.at(-1) as Node | undefined;
  if (list.flow === true || last === undefined) return insertIntoFlow(draft, list, renderFlow(content));
  const column = columnOf(draft, draft.text.lastIndexOf('-', startOf(last) - 1));
  const lines = renderBlock(content, column + 2, draft.layout).trimStart();
  return insertLines(draft, endOf(draft, last), [`${' '.repeat(column)}- ${lines}`]);
}

/** Gives a key another value, which may have several lines; a comment behind the old one stays in the key's line. */
export function replaceValue(draft: Draft, parent: YAMLMap, pair: FilePair, content: Content): readonly Splice[] {
  const colon = draft.text.indexOf(':', endOf(draft, pair.key));
  const isFlow = parent.flow === true;
  const rendered = isFlow
    ? ` ${renderFlow(content)}`
    : renderAfterKey(content, columnOf(draft, startOf(pair.key)) + draft.layout.unit, draft.layout);
  return [replaceKeepingComment(draft, colon + 1, Math.max(colon + 1, endOf(draft, pair)), rendered, isFlow)];
}

/** Puts other content in the place of an item of a list. */
export function replaceItem(draft: Draft, list: YAMLSeq, item: Node, content: Content): readonly Splice[] {
  const start = startOf(item);
  const isFlow = list.flow === true;
  const rendered = isFlow
    ? renderFlow(content)
    : renderBlock(content, columnOf(draft, start), draft.layout).trimStart();
  return [replaceKeepingComment(draft, start, endOf(draft, item), rendered, isFlow)];
}

/** Takes a pair out of a mapping, or an item out of a list, with its lines or its comma. */
export function removeItem(draft: Draft, parent: YAMLMap | YAMLSeq, item: FilePair | Node): readonly Splice[] {
  const start = startOf(item);
  const end = endOf(draft, item);
  if (parent.flow === true) return [removeFromFlow(draft, parent, item, start, end)];
  const lineStart = draft.text.lastIndexOf('\n', start - 1) + 1;
  const before = draft.text.slice(lineStart, start);
  const isOwnLine = yaml().isSeq(parent) ? /^ *- +$/.test(before) : before.trim() === '';
  if (!isOwnLine) throw formFault(draft, 'It does not stand in lines of its own.');
  const next = draft.text.indexOf('\n', end);
  if (next !== -1) return [{ start: lineStart, end: next + 1, text: '' }];
  // The last line of a file that does not end with a line end: the one before it goes instead.
  const previous = draft.text.slice(0, lineStart).replace(/\r?\n$/, '').length;
  return [{ start: previous, end: draft.text.length, text: '' }];
}

/** What is thrown for a form of writing that cannot be changed. */
export function formFault({ name }: Pick<Draft, 'name'>, hint: string): KraftfileFault {
  return new KraftfileFault('EDIT_FORM', 'This part of the file cannot be changed by a program', { at: name, hint });
}

/** Where the pair or value, which was read from a text, starts. */
export function startOf(item: FilePair | Node): number {
  const node = yaml().isPair(item) ? item.key : item;
  if (!node.range) throw new Error('this part of a Kraftfile was read from no text');
  return node.range[0];
}

/** Where what a value says ends: without the line ends and comments behind it. */
export function endOf(draft: Draft, item: FilePair | Node): number {
  const { isMap, isPair, isScalar, isSeq } = yaml();
  if (isPair(item)) {
    const pair = item;
    const isEmpty = pair.value === null || (isScalar(pair.value) && pair.value.source === '');
    if (!isEmpty) return endOf(draft, pair.value as Node);
    const keyEnd = endOf(draft, pair.key);
    const colon = /^[ \t]*:/.exec(draft.text.slice(keyEnd, keyEnd + 64))?.[0].length ?? 0;
    return keyEnd + colon;
  }
  if ((isMap(item) || isSeq(item)) && item.flow !== true) {
    const last = item.items.at(-1) as FilePair | Node | undefined;
    if (last !== undefined) return endOf(draft, last);
  }
  const [start = 0, end = 0] = item.range ?? [];
  return start + draft.text.slice(start, end).trimEnd().length;
}

function columnOf(draft: Draft, offset: number): number {
  return offset - (draft.text.lastIndexOf('\n', offset - 1) + 1);
}

function lineEndOf(draft: Draft, offset: number): number {
  const end = draft.text.indexOf('\n', offset);
  if (end === -1) return draft.text.length;
  return draft.text[end - 1] === '\r' ? end - 1 : end;
}

function insertLines(draft: Draft, after: number, lines: readonly string[]): readonly Splice[] {
  const at = lineEndOf(draft, after);
  return [{ start: at, end: at, text: lines.map((line) => draft.layout.lineEnd + line).join('') }];
}

function insertIntoFlow(draft: Draft, parent: YAMLMap | YAMLSeq, rendered: string): readonly Splice[] {
  const last = parent.items.at(-1) as FilePair | Node | undefined;
  if (last === undefined) {
    const at = startOf(parent) + 1;
    return [{ start: at, end: at, text: rendered }];
  }
  const end = endOf(draft, last);
  const comma = /^\s*,/.exec(draft.text.slice(end, parent.range?.[1]))?.[0].length ?? 0;
  const lineStart = draft.text.lastIndexOf('\n', startOf(last) - 1) + 1;
  if (lineStart <= startOf(parent)) {
    return [{ start: end + comma, end: end + comma, text: comma === 0 ? `, ${rendered}` : ` ${rendered}` }];
  }
  // One item a line: the new one gets a line of its own, below a comment of the last one.
  const space = /^[ \t]*/.exec(draft.text.slice(lineStart, startOf(last)))?.[0] ?? '';
  const restOfLine = draft.text.slice(end + comma, lineEndOf(draft, end + comma));
  const at = /^\s*(#.*)?$/.test(restOfLine) ? lineEndOf(draft, end + comma) : end + comma;
  const line = draft.layout.lineEnd + space + rendered;
  return comma === 0
    ? [
        { start: end, end, text: ',' },
        { start: at, end: at, text: line },
      ]
    : [{ start: at, end: at, text: `${line},` }];
}

function removeFromFlow(
  draft: Draft,
  parent: YAMLMap | YAMLSeq,
  item: FilePair | Node,
  start: number,
  end: number,
): Splice {
  const items = parent.items as readonly (FilePair | Node)[];
  const index = items.indexOf(item);
  const next = items[index + 1];
  if (next !== undefined) return { start, end: startOf(next), text: '' };
  const previous = items[index - 1];
  return { start: previous === undefined ? start : endOf(draft, previous), end, text: '' };
}

/** Several lines in the place of a value would take the comment behind it along: it goes to the end of the first line. */
function replaceKeepingComment(draft: Draft, start: number, end: number, rendered: string, isFlow: boolean): Splice {
  const lines = rendered.split(draft.layout.lineEnd);
  const lineEnd = lineEndOf(draft, end);
  const comment = draft.text.slice(end, lineEnd).trimEnd();
  if (isFlow || lines.length === 1 || comment === '') return { start, end, text: rendered };
  const [first = '', ...rest] = lines;
  return { start, end: lineEnd, text: [first + comment, ...rest].join(draft.layout.lineEnd) };
}
