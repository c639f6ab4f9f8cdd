import type { Scalar } from 'yaml';

/** What is to be written: a text that is quoted where it needs to be, a mapping or a list. */
export type Content = Text | readonly Content[] | { readonly [key: string]: Content };

export interface Text {
  readonly text: string;
  /** The quotes to use where the text allows it. */
  readonly style: TextStyle;
}

/** `literal` is for words that are no text, such as `true`. */
export type TextStyle = 'plain' | 'single' | 'double' | 'literal';

/** How the file that is written to looks. */
export interface Layout {
  /** `\n` or `\r\n`. */
  readonly lineEnd: string;
  /** How many spaces one level has. */
  readonly unit: number;
}

export function text(content: string, style: TextStyle = 'plain'): Text {
  return { text: content, style };
}

/** The quotes of a scalar in the file. */
export function styleOf(scalar: Scalar | undefined): TextStyle {
  if (scalar?.type === 'QUOTE_DOUBLE') return 'double';
  return scalar?.type === 'QUOTE_SINGLE' ? 'single' : 'plain';
}

/** Content as it follows a key or a dash: on the same line for texts, else as indented lines below. */
export function renderAfterKey(content: Content, indentation: number, layout: Layout): string {
  if (isText(content)) return ` ${renderText(content)}`;
  if (isEmpty(content)) return ` ${renderFlow(content)}`;
  return layout.lineEnd + renderBlock(content, indentation, layout);
}

/** A mapping or list as lines of their own, each indented, without a final line end. */
export function renderBlock(content: Content, indentation: number, layout: Layout): string {
  const space = ' '.repeat(indentation);
  const inner = indentation + layout.unit;
  if (isText(content)) return space + renderText(content);
  if (isList(content)) {
    return content
      .map((item) => `${space}- ${renderBlock(item, indentation + 2, layout).trimStart()}`)
      .join(layout.lineEnd);
  }
  return Object.entries(content)
    .map(([key, value]) => `${space}${renderText(text(key))}:${renderAfterKey(value, inner, layout)}`)
    .join(layout.lineEnd);
}

/** Content in one line, in brackets and braces. */
export function renderFlow(content: Content): string {
  if (isText(content)) return renderText(content);
  if (isList(content)) return `[${content.map(renderFlow).join(', ')}]`;
  const pairs = Object.entries(content).map(([key, value]) => `${renderText(text(key))}: ${renderFlow(value)}`);
  return `{${pairs.join(', ')}}`;
}

/** A text in the wanted quotes, or in the next stronger ones that can hold it. */
export function renderText({ text: content, style }: Text): string {
  if (style === 'literal' || (style === 'plain' && isPlainSafe(content))) return content;
  // Control characters and line ends have escapes in double quotes only.
  if (style !== 'double' && /^[^\p{Cc}\u2028\u2029\ufeff]*$/u.test(content))
    return `'${content.replaceAll("'", "''")}'`;
  return JSON.stringify(content);
}

/** Whether a text without quotes is read as itself, inside of brackets and by YAML 1.1 too. */
function isPlainSafe(content: string): boolean {
  if (/^[-+]?(0|[1-9]\d*)$/.test(content)) return content.length < 16;
  if (/^(y|n|yes|no|true|false|on|off|null|~)$/i.test(content)) return false;
  // `9pfs` is a word, whereas `1e5` and `0x5` are numbers.
  return /^([A-Za-z_./]|[1-9]\d*[g-zG-Z])[\w./@=+-]*(:[\w./@=+-]+)*$/.test(content);
}

function isText(content: Content): content is Text {
  return 'style' in content && typeof content.style === 'string';
}

function isList(content: Content): content is readonly Content[] {
  return Array.isArray(content);
}

function isEmpty(content: Content): boolean {
  return !isText(content) && Object.keys(content).length === 0;
}
