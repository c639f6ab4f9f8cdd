import type { Scalar, YAMLMap, YAMLSeq } from 'yaml';
import { yaml } from './yaml.ts';

type Node = Scalar | YAMLMap | YAMLSeq;

/** No Kraftfile nests as deep. */
const deepest = 32;

/**
 * Reads the YAML that nearly all Kraftfiles are written in: mappings and lists by indentation, `[…]` and `{…}` in one line,
 * texts in one line, plain or in quotes, and comments. The values and the places where they start are the same that the
 * `yaml` package finds, which takes ten times as long. Undefined for a text with anything else, be it right or wrong.
 */
export function readSimpleYaml(text: string): YAMLMap | undefined {
  return oddCharacter.test(text) ? undefined : new SimpleYaml(text).read();
}

/** What YAML or its parser give a meaning of its own; a carriage return and a tab may be fine and are seldom there. */
const oddCharacter = /[\0-\x09\x0b-\x1f\x7f\u2028\u2029\ufeff]/;

// Each of them matches where reading has got to, and none beyond the end of the line but those for whole lines.
const comments = /(?: *(?:#[^\n]*)?\n)*( *)(?:#[^\n]*)?/y;
const documentStart = /(?: *(?:#[^\n]*)?\n)*--- *\n/y;
const restOfLine = /(?: +#[^\n]*| *)(?:\n|$)/y;
const restAfterKey = /(?:#[^\n]*)?(?:\n|$)/y;
const dash = /- +/y;
const spaces = / */y;
const key = /(?:"([^"\\\n]{0,999})"|'([^'\n]{0,999})'|([A-Za-z_][\w./-]{0,999})):(?=[ \n]|$) */y;
const quoted = String.raw`"([^"\\\n]*)"|'([^'\n]*)'`;
const scalar = new RegExp(
  String.raw`${quoted}|((?:[^ \n?:,[\]{}#&*!|>'"%@\`-]|-(?=[^ \n]))(?:[^ \n:]|:(?=[^ \n])| +(?=[^ \n#]))*)`,
  'y',
);
/** Between brackets, where brackets and commas end a plain text. */
const flowScalar = new RegExp(
  String.raw`${quoted}|((?:[^ \n?:,[\]{}#&*!|>'"%@\`-]|-(?=[^ \n,[\]{}]))(?:[^ \n:,[\]{}]|:(?=[^ \n,[\]{}])| +(?=[^ \n#,[\]{}]))*)`,
  'y',
);
/** Plain texts that are no strings: null, true, false, whole numbers, decimal numbers, and all other numbers. */
const typed =
  /^(?:(~|[Nn]ull|NULL)|([Tt]rue|TRUE)|([Ff]alse|FALSE)|([-+]?\d+)|([-+]?(?:\.\d+|\d+\.\d*))|(0[ox][\da-fA-F]+|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)|[-+]?(?:\.\d+|\d+(?:\.\d*)?)[eE][-+]?\d+))$/;

/** Reads one text. What methods read is undefined where they meet something that is not simple. */
class SimpleYaml {
  readonly #text: string;
  /** Where reading has got to. */
  #at = 0;
  /** The column in which the line at hand starts; -1 at the end of the text. */
  #indent = 0;

  constructor(text: string) {
    this.#text = text;
  }

  read(): YAMLMap | undefined {
    this.#match(documentStart);
    this.#nextLine();
    const root = this.#indent === 0 ? this.#map(0, 0) : undefined;
    return this.#indent === -1 ? root : undefined;
  }

  /** Goes on to the next line that says something. */
  #nextLine(): void {
    const indent = this.#match(comments)?.[1] ?? '';
    this.#indent = this.#at === this.#text.length ? -1 : indent.length;
  }

  /** The mapping that starts here, in a column. */
  #map(column: number, depth: number): YAMLMap | undefined {
    const start = this.#at;
    const map = new (yaml().YAMLMap)();
    do {
      const keyNode = this.#key();
      const value = keyNode === undefined ? undefined : this.#valueOfKey(column, depth + 1);
      if (keyNode === undefined || value === undefined) return undefined;
      map.items.push(new (yaml().Pair)(keyNode, value));
    } while (this.#indent === column);
    map.range = [start, this.#at, this.#at];
    return map;
  }

  #key(): Scalar | undefined {
    const start = this.#at;
    const found = this.#match(key);
    if (found === null) return undefined;
    const [, double, single, plain] = found;
    if (plain !== undefined)
      return typed.test(plain) ? undefined : makeScalar(plain, plain, 'PLAIN', start, start + plain.length);
    const content = double ?? single ?? '';
    return makeScalar(
      content,
      content,
      double === undefined ? 'QUOTE_SINGLE' : 'QUOTE_DOUBLE',
      start,
      start + content.length + 2,
    );
  }

  /** What belongs to a key in a column, up to the next line; null for nothing. */
  #valueOfKey(column: number, depth: number): Node | null | undefined {
    if (depth > deepest) return undefined;
    if (this.#match(restAfterKey) === null) return this.#lineOf(this.#inline(scalar, depth), column);
    this.#nextLine();
    const isList = this.#text[this.#at] === '-';
    if (this.#indent < column || (this.#indent === column && !isList)) return null;
    const block = isList ? this.#list(this.#indent, depth) : this.#map(this.#indent, depth);
    return this.#indent > column ? undefined : block;
  }

  #list(column: number, depth: number): YAMLSeq | undefined {
    const start = this.#at;
    const list = new (yaml().YAMLSeq)();
    while (this.#indent === column) {
      const mark = this.#match(dash);
      if (mark === null) break;
      const item = this.#item(column, column + mark[0].length, depth + 1);
      if (item === undefined) return undefined;
      list.items.push(item);
    }
    list.range = [start, this.#at, this.#at];
    return list.items.length === 0 ? undefined : list;
  }

  /** An item of a list in one column, which starts in another one. */
  #item(column: number, start: number, depth: number): Node | undefined {
    if (depth > deepest) return undefined;
    if (!this.#isAt(key)) return this.#lineOf(this.#inline(scalar, depth), column);
    const map = this.#map(start, depth);
    return this.#indent > column ? undefined : map;
  }

  /** A value, if it ends its line and the next one does not go on with it, being further in than a column. */
  #lineOf(value: Node | undefined, column: number): Node | undefined {
    if (value === undefined || this.#match(restOfLine) === null) return undefined;
    this.#nextLine();
    return this.#indent > column ? undefined : value;
  }

  #inline(form: RegExp, depth: number): Node | undefined {
    const start = this.#at;
    const character = this.#text[start];
    if (character === '[') return this.#flowList(depth);
    if (character === '{') return this.#flowMap(depth);
    const found = this.#match(form);
    if (found === null) return undefined;
    const [, double, single, plain] = found;
    if (plain !== undefined) return plainScalar(plain, start);
    const type = double === undefined ? 'QUOTE_SINGLE' : 'QUOTE_DOUBLE';
    const content = double ?? single ?? '';
    return makeScalar(content, content, type, start, this.#at);
  }

  #flowList(depth: number): YAMLSeq | undefined {
    const list = new (yaml().YAMLSeq)();
    return this.#flow(list, ']', depth, () => {
      const item = this.#inline(flowScalar, depth + 1);
      if (item !== undefined) list.items.push(item);
      return item !== undefined;
    });
  }

  #flowMap(depth: number): YAMLMap | undefined {
    const map = new (yaml().YAMLMap)();
    return this.#flow(map, '}', depth, () => {
      const keyNode = this.#key();
      const value = keyNode === undefined ? undefined : this.#inline(flowScalar, depth + 1);
      if (value !== undefined) map.items.push(new (yaml().Pair)(keyNode, value));
      return value !== undefined;
    });
  }

  /** What stands between brackets, with commas in between. */
  #flow<T extends YAMLMap | YAMLSeq>(collection: T, end: string, depth: number, read: () => boolean): T | undefined {
    if (depth > deepest) return undefined;
    const start = this.#at++;
    this.#match(spaces);
    while (this.#text[this.#at] !== end) {
      if (!read()) return undefined;
      this.#match(spaces);
      if (this.#text[this.#at] === end) break;
      if (this.#text[this.#at++] !== ',') return undefined;
      this.#match(spaces);
      // A comma before the bracket is fine, but no Kraftfile has it.
      if (this.#text[this.#at] === end) return undefined;
    }
    this.#at++;
    collection.range = [start, this.#at, this.#at];
    return collection;
  }

  #match(form: RegExp): RegExpExecArray | null {
    form.lastIndex = this.#at;
    const match = form.exec(this.#text);
    if (match !== null) this.#at = form.lastIndex;
    return match;
  }

  #isAt(form: RegExp): boolean {
    form.lastIndex = this.#at;
    return form.test(this.#text);
  }
}

function plainScalar(source: string, start: number): Scalar | undefined {
  const found = typed.exec(source);
  const make = (value: unknown): Scalar => makeScalar(value, source, 'PLAIN', start, start + source.length);
  if (found === null) return make(source);
  const [, isNull, isTrue, isFalse, whole, decimal] = found;
  if (isNull !== undefined) return make(null);
  if (isTrue !== undefined || isFalse !== undefined) return make(isTrue !== undefined);
  if (whole !== undefined) return make(Number.parseInt(whole, 10));
  return decimal === undefined ? undefined : make(Number.parseFloat(decimal));
}

function makeScalar(
  value: unknown,
  source: string,
  type: 'PLAIN' | 'QUOTE_DOUBLE' | 'QUOTE_SINGLE',
  start: number,
  end: number,
): Scalar {
  const node = new (yaml().Scalar)(value);
  node.range = [start, end, end];
  node.source = source;
  node.type = type;
  return node;
}
