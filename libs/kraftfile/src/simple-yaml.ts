import type { Span } from './diagnostics.ts';
import type { SimpleList, SimpleMap, SimpleNode, SimpleScalar } from './nodes.ts';

/** No Kraftfile nests as deep. */
const deepest = 32;

/**
 * Reads the YAML that nearly all Kraftfiles are written in: mappings and lists by indentation, `[…]` and `{…}` in one line,
 * texts in one line, plain or in quotes, and comments. The values and the places where they start are the same that the
 * `yaml` package finds, which takes ten times as long. Undefined for a text with anything else, be it right or wrong.
 */
export function readSimpleYaml(text: string): SimpleMap | undefined {
  return oddCharacter.test(text) ? undefined : new SimpleYaml(text).read();
}

/** What YAML or its parser give a meaning of its own; a carriage return and a tab may be fine and are seldom there. */
const oddCharacter = /[\0-\x09\x0b-\x1f\x7f\u2028\u2029\ufeff]/;

// Each of them matches where reading has got to, and none beyond the end of the line but those for whole lines.
const commentLines = /(?: *(?:#[^\n]*)?\n)*( *)(?:#[^\n]*)?/y;
const documentStart = /(?: *(?:#[^\n]*)?\n)*--- *\n/y;
const restOfLine = /(?: +#[^\n]*| *)(?:\n|$)/y;
const restAfterKey = /(?:#[^\n]*)?(?:\n|$)/y;
const dashForm = /- +/y;
const spaces = / */y;
const keyForm = /(?:"([^"\\\n]{0,999})"|'([^'\n]{0,999})'|([A-Za-z_][\w./-]{0,999})):(?=[ \n]|$) */y;
const quoted = String.raw`"([^"\\\n]*)"|'([^'\n]*)'`;
const scalarForm = new RegExp(
  String.raw`${quoted}|((?:[^ \n?:,[\]{}#&*!|>'"%@\`-]|-(?=[^ \n]))(?:[^ \n:]|:(?=[^ \n])| +(?=[^ \n#]))*)`,
  'y',
);
/** Between brackets, where brackets and commas end a plain text. */
const flowScalarForm = new RegExp(
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

  read(): SimpleMap | undefined {
    this.#match(documentStart);
    this.#nextLine();
    const root = this.#indent === 0 ? this.#map(0, 0) : undefined;
    return this.#indent === -1 ? root : undefined;
  }

  /** Goes on to the next line that says something. */
  #nextLine(): void {
    const indent = this.#match(commentLines)?.[1] ?? '';
    this.#indent = this.#at === this.#text.length ? -1 : indent.length;
  }

  /** The mapping that starts here, in a column. */
  #map(column: number, depth: number): SimpleMap | undefined {
    const start = this.#at;
    const items: SimpleMap['items'][number][] = [];
    do {
      const key = this.#key();
      const value = key === undefined ? undefined : this.#valueOfKey(column, depth + 1);
      if (key === undefined || value === undefined) return undefined;
      items.push({ key, value });
    } while (this.#indent === column);
    return { kind: 'map', items, range: [start, this.#at] };
  }

  #key(): SimpleScalar | undefined {
    const start = this.#at;
    const [, double, single, plain] = this.#match(keyForm) ?? [];
    if (plain === undefined) return quotedScalar(double, single, start);
    return typed.test(plain) ? undefined : plainNode(plain, plain, start);
  }

  /** What belongs to a key in a column, up to the next line; null for nothing. */
  #valueOfKey(column: number, depth: number): SimpleNode | null | undefined {
    if (depth > deepest) return undefined;
    if (this.#match(restAfterKey) === null) return this.#lineOf(this.#inline(scalarForm, depth), column);
    this.#nextLine();
    const isList = this.#text[this.#at] === '-';
    if (this.#indent < column || (this.#indent === column && !isList)) return null;
    const block = isList ? this.#list(this.#indent, depth) : this.#map(this.#indent, depth);
    return this.#indent > column ? undefined : block;
  }

  #list(column: number, depth: number): SimpleList | undefined {
    const start = this.#at;
    const items: SimpleNode[] = [];
    while (this.#indent === column) {
      const dash = this.#match(dashForm);
      if (dash === null) break;
      const item = this.#item(column, column + dash[0].length, depth + 1);
      if (item === undefined) return undefined;
      items.push(item);
    }
    return items.length === 0 ? undefined : { kind: 'list', items, range: [start, this.#at] };
  }

  /** An item of a list in one column, which starts in another one. */
  #item(column: number, start: number, depth: number): SimpleNode | undefined {
    if (depth > deepest) return undefined;
    if (!this.#isAt(keyForm)) return this.#lineOf(this.#inline(scalarForm, depth), column);
    const map = this.#map(start, depth);
    return this.#indent > column ? undefined : map;
  }

  /** A value, if it ends its line and the next one does not go on with it, being further in than a column. */
  #lineOf(value: SimpleNode | undefined, column: number): SimpleNode | undefined {
    if (value === undefined || this.#match(restOfLine) === null) return undefined;
    this.#nextLine();
    return this.#indent > column ? undefined : value;
  }

  #inline(form: RegExp, depth: number): SimpleNode | undefined {
    const start = this.#at;
    const character = this.#text[start];
    if (character === '[') return this.#flowList(depth);
    if (character === '{') return this.#flowMap(depth);
    const [, double, single, plain] = this.#match(form) ?? [];
    return plain === undefined ? quotedScalar(double, single, start) : plainScalar(plain, start);
  }

  #flowList(depth: number): SimpleList | undefined {
    const flow = this.#flow(']', depth, () => this.#inline(flowScalarForm, depth + 1));
    return flow === undefined ? undefined : { kind: 'list', ...flow };
  }

  #flowMap(depth: number): SimpleMap | undefined {
    const flow = this.#flow('}', depth, () => {
      const key = this.#key();
      const value = key === undefined ? undefined : this.#inline(flowScalarForm, depth + 1);
      return key === undefined || value === undefined ? undefined : { key, value };
    });
    return flow === undefined ? undefined : { kind: 'map', ...flow };
  }

  /** What stands between brackets, with commas in between. */
  #flow<T>(end: string, depth: number, read: () => T | undefined): { items: T[]; range: Span } | undefined {
    if (depth > deepest) return undefined;
    const start = this.#at++;
    const items: T[] = [];
    this.#match(spaces);
    while (this.#text[this.#at] !== end) {
      const item = read();
      if (item === undefined) return undefined;
      items.push(item);
      this.#match(spaces);
      if (this.#text[this.#at] === end) break;
      if (this.#text[this.#at++] !== ',') return undefined;
      this.#match(spaces);
      // A comma before the bracket is fine, but no Kraftfile has it.
      if (this.#text[this.#at] === end) return undefined;
    }
    this.#at++;
    return { items, range: [start, this.#at] };
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

function quotedScalar(double: string | undefined, single: string | undefined, start: number): SimpleScalar | undefined {
  const source = double ?? single;
  if (source === undefined) return undefined;
  const type = double === undefined ? 'QUOTE_SINGLE' : 'QUOTE_DOUBLE';
  return { kind: 'scalar', value: source, source, type, range: [start, start + source.length + 2] };
}

function plainScalar(source: string, start: number): SimpleScalar | undefined {
  const found = typed.exec(source);
  if (found === null) return plainNode(source, source, start);
  const [, isNull, isTrue, isFalse, whole, decimal] = found;
  if (isNull !== undefined) return plainNode(null, source, start);
  if (isTrue !== undefined || isFalse !== undefined) return plainNode(isTrue !== undefined, source, start);
  if (whole !== undefined) return plainNode(Number.parseInt(whole, 10), source, start);
  return decimal === undefined ? undefined : plainNode(Number.parseFloat(decimal), source, start);
}

function plainNode(value: unknown, source: string, start: number): SimpleScalar {
  return { kind: 'scalar', value, source, type: 'PLAIN', range: [start, start + source.length] };
}
