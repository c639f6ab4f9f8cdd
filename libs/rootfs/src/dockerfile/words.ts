import { partOf } from './variable-parts.ts';

/** A construct that only a real builder understands; it is no fault of the Dockerfile's. */
export class NeedsBuilder extends Error {
  override readonly name = 'NeedsBuilder';
  readonly line: number;

  /** @param reason  as the end of "…, because it", such as `runs a command` */
  constructor(reason: string, line: number) {
    super(reason);
    this.line = line;
  }
}

export type Variables = (name: string) => string | undefined;

/**
 * A word with its variables replaced and its quotes removed, as Docker does outside of commands: `$NAME`, `${NAME}`,
 * `${NAME:-default}`, `${NAME:+alternative}`, `${NAME:?message}` and the same without the colon.
 *
 * @param keepQuotes  as in here-documents, where quotes are nothing special
 * @throws NeedsBuilder for other forms
 */
export function expand(text: string, variables: Variables, escape: string, line: number, keepQuotes = false): string {
  return new Expander(text, variables, escape, line, keepQuotes).run();
}

const openQuote = 'has a quote without an end';

class Expander {
  readonly #text: string;
  readonly #variables: Variables;
  readonly #escape: string;
  readonly #line: number;
  readonly #keepQuotes: boolean;
  #at = 0;

  constructor(text: string, variables: Variables, escape: string, line: number, keepQuotes: boolean) {
    this.#text = text;
    this.#variables = variables;
    this.#escape = escape;
    this.#line = line;
    this.#keepQuotes = keepQuotes;
  }

  run(): string {
    let result = '';
    let quoted = false;
    while (this.#at < this.#text.length) {
      const char = this.#text[this.#at] ?? '';
      if (char === this.#escape) {
        const next = this.#text[this.#at + 1] ?? '';
        const isPlain = quoted && !['"', '$', this.#escape].includes(next);
        result += isPlain ? char + next : next;
        this.#at += 2;
      } else if (char === "'" && !quoted && !this.#keepQuotes) {
        const end = this.#text.indexOf("'", this.#at + 1);
        if (end < 0) throw new NeedsBuilder(openQuote, this.#line);
        result += this.#text.slice(this.#at + 1, end);
        this.#at = end + 1;
      } else if (char === '"' && !this.#keepQuotes) {
        quoted = !quoted;
        this.#at++;
      } else if (char === '$') {
        result += this.#variable();
      } else {
        result += char;
        this.#at++;
      }
    }
    if (quoted) throw new NeedsBuilder(openQuote, this.#line);
    return result;
  }

  #variable(): string {
    const simple = /^\$([\p{L}_][\p{L}\p{Nd}_]*|\p{Nd}+|[@*#?!$-])/u.exec(this.#text.slice(this.#at));
    if (simple !== null) {
      this.#at += simple[0].length;
      return this.#variables(simple[1] ?? '') ?? '';
    }
    if (this.#text[this.#at + 1] !== '{') {
      this.#at++;
      return '$';
    }
    const end = this.#closingBrace();
    const match = /^([a-zA-Z_]\w*)(?:(:?[-+?]|[#%/])([^]*))?$/.exec(this.#text.slice(this.#at + 2, end));
    if (match === null) throw new NeedsBuilder('replaces parts of a variable', this.#line);
    this.#at = end + 1;
    const [, name = '', operator = '', word = ''] = match;
    return /^[#%/]$/.test(operator) ? this.#part(name, operator, word) : this.#choose(name, operator, word);
  }

  /** Where a variable ends: not within quotes, nor with what is escaped or ends another one within. */
  #closingBrace(): number {
    const open = ['}'];
    for (let index = this.#at + 2; index < this.#text.length; index++) {
      const char = this.#text[index] ?? '';
      const end = open.at(-1);
      if (char === this.#escape && end !== "'") index++;
      else if (char === end) open.pop();
      else if (end !== "'" && this.#text.startsWith('${', index)) open.push('}');
      else if (end === '}' && !this.#keepQuotes && (char === '"' || char === "'")) open.push(char);
      if (open.length === 0) return index;
    }
    throw new NeedsBuilder('has a variable without a closing brace', this.#line);
  }

  #part(name: string, operator: string, word: string): string {
    const value = this.#variables(name) ?? '';
    const part = partOf(value, operator, word, this.#escape, (text) =>
      expand(text, this.#variables, this.#escape, this.#line, true),
    );
    if (part === undefined) throw new NeedsBuilder('replaces parts of a variable in an odd way', this.#line);
    return part;
  }

  #choose(name: string, operator: string, word: string): string {
    const value = this.#variables(name);
    const isSet = value !== undefined && (value !== '' || !operator.startsWith(':'));
    const other = () => expand(word, this.#variables, this.#escape, this.#line, this.#keepQuotes);
    if (operator.endsWith('+')) return isSet ? other() : '';
    if (isSet || operator === '') return value ?? '';
    if (operator.endsWith('?')) throw new NeedsBuilder(`demands the variable ${name}`, this.#line);
    return other();
  }
}

/** Splits at blanks outside of quotes; the quotes stay. */
export function splitWords(text: string, escape: string): string[] {
  const words: string[] = [];
  let word = '';
  let quote = '';
  for (let index = 0; index < text.length; index++) {
    const char = text[index] ?? '';
    if (char === escape && quote !== "'") {
      word += char + (text[++index] ?? '');
    } else if (quote === '' && /\s/.test(char)) {
      if (word !== '') words.push(word);
      word = '';
    } else {
      if (char === quote) quote = '';
      else if (quote === '' && (char === '"' || char === "'")) quote = char;
      word += char;
    }
  }
  return word === '' ? words : [...words, word];
}

/**
 * The sources of COPY or ADD, and the target: a JSON list, or what stands between blanks. Quotes and escapes hold no
 * blanks together here, although they are taken away later.
 */
export function copyWords(text: string): string[] {
  return jsonWords(text) ?? text.split(/[\t\v\f\r ]+/);
}

/** Whether a word has a quote that nothing closes. */
export function hasOpenQuote(word: string, escape: string): boolean {
  let quote = '';
  for (let index = 0; index < word.length; index++) {
    const char = word[index] ?? '';
    if (char === escape && quote !== "'") index++;
    else if (char === quote) quote = '';
    else if (quote === '' && (char === '"' || char === "'")) quote = char;
  }
  return quote !== '';
}

/** The words of an instruction that may be a JSON list; undefined when it is none. */
export function jsonWords(text: string): string[] | undefined {
  const list = listOf(text);
  return list?.every((word) => typeof word === 'string') === true ? list : undefined;
}

/** The elements of a JSON list; undefined when it is none. */
export function listOf(text: string): unknown[] | undefined {
  if (!text.startsWith('[')) return undefined;
  try {
    const list: unknown = JSON.parse(text);
    return Array.isArray(list) ? list : undefined;
  } catch {
    // Docker takes what is no valid list as plain text, too.
    return undefined;
  }
}
