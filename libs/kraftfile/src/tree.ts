import type { Alias, Node } from 'yaml';
import type { Plain } from './model.ts';
import { type AnyList, type AnyMap, type AnyNode, type AnyScalar, isAlias, isList, isMap, isScalar } from './nodes.ts';
import { setOwn } from './set-own.ts';
import { yaml } from './yaml.ts';

/** A value of the file: a scalar, a mapping or a list. Aliases are followed; an empty value is `undefined`. */
export type Value = AnyScalar | AnyMap | AnyList;

/** A key of a mapping with its value. */
export interface Entry {
  readonly key: string;
  readonly keyNode: AnyScalar;
  readonly value: Value | undefined;
  /** The first place of the same key, if this one replaces it. */
  readonly replaced: AnyScalar | undefined;
  /** Whether it came in through `<<` from another mapping. */
  readonly merged: boolean;
}

/** More nested than any Kraftfile, and little enough for the stack. */
const deepest = 64;
/** More values than a text of the largest size can hold without aliases. */
const mostValues = 70_000;

/** A file that unfolds into more than its text can hold, or nests too deep. */
export class TreeLimit extends Error {
  override readonly name = 'TreeLimit';
  readonly limit: 'depth' | 'size';

  constructor(limit: 'depth' | 'size') {
    super(limit);
    this.limit = limit;
  }
}

/** The values of one parsed document, with aliases, merge keys and repeated keys settled in one place. */
export class Tree {
  readonly root: Value | undefined;
  /** Aliases that name nothing. */
  readonly dangling: readonly Alias[] = [];
  /** Keys that are there several times in one mapping, of the mappings asked for so far. */
  readonly repeated: Entry[] = [];
  readonly #anchored = new Map<Node, Node>();
  readonly #entries = new Map<AnyMap, readonly Entry[]>();
  #inherited = 0;

  constructor(contents: AnyNode | null, hasAliases: boolean) {
    if (hasAliases) this.dangling = this.#findAnchors(contents as Node | null);
    this.root = this.#follow(contents);
  }

  /** The keys of a mapping in their order; a repeated key keeps its first place and takes its last value. */
  entries(map: AnyMap, depth = 0): readonly Entry[] {
    const known = this.#entries.get(map);
    if (known !== undefined) return known;
    const entries = this.#readEntries(map, depth);
    this.#entries.set(map, entries);
    return entries;
  }

  /** The items of a list. */
  items(list: AnyList): readonly (Value | undefined)[] {
    return list.items.map((item) => this.#follow(item as AnyNode | null));
  }

  /**
   * A value as plain JSON data.
   *
   * @param uniform  key of mappings whose values all follow one rule: of the strings in them only the first is taken,
   *   which is enough for a check of the form, and most of what a Kraftfile says
   * @throws TreeLimit when it nests too deep or unfolds into too much
   */
  plain(value: Value | undefined, uniform?: string): Plain {
    let count = 0;
    const convert = (node: Value | undefined, depth: number, isUniform: boolean): Plain => {
      if (depth > deepest) throw new TreeLimit('depth');
      if (++count > mostValues) throw new TreeLimit('size');
      if (node === undefined) return null;
      if (isMap(node)) {
        const object: Record<string, Plain> = {};
        let hasString = false;
        for (const entry of this.entries(node)) {
          const isString = isUniform && isPlainString(entry.value);
          if (!(isString && hasString)) {
            setOwn(object, entry.key, convert(entry.value, depth + 1, entry.key === uniform));
          }
          hasString ||= isString;
        }
        return object;
      }
      if (isList(node)) return this.items(node).map((item) => convert(item, depth + 1, false));
      const content: unknown = node.value;
      if (typeof content === 'boolean' || (typeof content === 'number' && Number.isFinite(content))) return content;
      return scalarText(node);
    };
    return convert(value, 0, false);
  }

  #readEntries(map: AnyMap, depth: number): readonly Entry[] {
    if (depth > deepest) throw new TreeLimit('depth');
    const found = new Map<string, Entry>();
    const inherited: Entry[] = [];
    for (const pair of map.items) {
      const keyNode = this.#follow(pair.key as AnyNode | null);
      if (!isScalar(keyNode)) continue;
      const value = this.#follow(pair.value as AnyNode | null);
      if (keyNode.value === '<<' && keyNode.type === 'PLAIN') {
        inherited.push(...this.#inheritedEntries(value, depth));
        continue;
      }
      const key = scalarText(keyNode);
      const before = found.get(key);
      found.set(key, { key, keyNode, value, replaced: before?.replaced ?? before?.keyNode, merged: false });
    }
    for (const entry of found.values()) if (entry.replaced !== undefined) this.repeated.push(entry);
    for (const entry of inherited) {
      if (!found.has(entry.key)) found.set(entry.key, { ...entry, replaced: undefined, merged: true });
    }
    return [...found.values()];
  }

  #inheritedEntries(value: Value | undefined, depth: number): readonly Entry[] {
    const sources = isMap(value) ? [value] : isList(value) ? this.items(value).filter((item) => isMap(item)) : [];
    return sources.flatMap((source) => {
      const entries = this.entries(source, depth + 1);
      this.#inherited += entries.length;
      if (this.#inherited > mostValues) throw new TreeLimit('size');
      return entries;
    });
  }

  #follow(node: AnyNode | null | undefined): Value | undefined {
    let current: AnyNode | null | undefined = node;
    for (let steps = 0; isAlias(current); steps++) {
      if (steps > deepest) throw new TreeLimit('depth');
      current = this.#anchored.get(current);
    }
    if (current === null || current === undefined) return undefined;
    // `key:` without a value is a scalar of null without text; `key: null` and `key: ~` have text and mean the same.
    if (isScalar(current) && current.value === null) return undefined;
    return current;
  }

  /** Finds what each alias stands for in one pass, since `Alias.resolve` walks the whole document each time. */
  #findAnchors(contents: Node | null): readonly Alias[] {
    const anchors = new Map<string, Node>();
    const dangling: Alias[] = [];
    yaml().visit(contents, {
      Alias: (_, alias) => {
        const target = anchors.get(alias.source);
        if (target === undefined) dangling.push(alias);
        else this.#anchored.set(alias, target);
      },
      Value: (_, node) => {
        if (node.anchor !== undefined) anchors.set(node.anchor, node);
      },
    });
    return dangling;
  }
}

function isPlainString(value: Value | undefined): boolean {
  return isScalar(value) && typeof value.value === 'string';
}

/** The text of a scalar: what is written for numbers and the like (`0.10`, `0x1000`), the content for strings. */
export function scalarText(scalar: AnyScalar): string {
  const content: unknown = scalar.value;
  return typeof content === 'string' ? content : (scalar.source ?? String(content));
}
