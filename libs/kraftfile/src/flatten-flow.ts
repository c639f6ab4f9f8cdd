/**
 * Puts what stands between brackets and braces onto one line, with spaces in the place of line ends, indentation and
 * comments, so that every offset stays what it was. kraft's YAML parser lets lists and mappings in brackets be indented
 * in any way, with tabs too; the YAML specification, and with it the `yaml` package, does not.
 */
export function flattenFlow(text: string): string {
  let result = '';
  let at = 0;
  let depth = 0;
  while (at < text.length) {
    if (depth === 0) {
      const end = blockScalarEnd(text, at);
      if (end !== undefined) {
        result += text.slice(at, end);
        at = end;
        continue;
      }
    }
    const character = text[at] ?? '';
    const isAfterSpace = at === 0 || /[\s,[\]{}:-]/.test(text[at - 1] ?? '');
    if ((character === '"' || character === "'") && isAfterSpace) {
      const end = quoteEnd(text, at);
      result += text.slice(at, end);
      at = end;
    } else if (character === '#' && (at === 0 || /\s/.test(text[at - 1] ?? ''))) {
      const end = lineEnd(text, at);
      result += depth === 0 ? text.slice(at, end) : ' '.repeat(end - at);
      at = end;
    } else {
      if ((character === '[' || character === '{') && (depth > 0 || isAfterSpace)) depth++;
      if ((character === ']' || character === '}') && depth > 0) depth--;
      result += depth > 0 && /[\t\r\n]/.test(character) ? ' ' : character;
      at++;
    }
  }
  return result;
}

function lineEnd(text: string, at: number): number {
  const end = text.indexOf('\n', at);
  return end === -1 ? text.length : end;
}

function quoteEnd(text: string, start: number): number {
  const quote = text[start];
  for (let at = start + 1; at < text.length; at++) {
    if (quote === '"' && text[at] === '\\') at++;
    else if (text[at] === quote) {
      if (quote === '"' || text[at + 1] !== "'") return at + 1;
      at++;
    }
  }
  return text.length;
}

/** The end of a text after `|` or `>`, whose lines are indented deeper than the one with the sign. */
function blockScalarEnd(text: string, at: number): number | undefined {
  if ((text[at] !== '|' && text[at] !== '>') || !/[\s:-]/.test(text[at - 1] ?? '')) return undefined;
  const header = text.slice(at, lineEnd(text, at));
  if (!/^[|>][-+\d]*\s*(#.*)?$/.test(header)) return undefined;
  const indentation = indentationAt(text, text.lastIndexOf('\n', at) + 1);
  let end = lineEnd(text, at) + 1;
  while (end < text.length && (isBlankAt(text, end) || indentationAt(text, end) > indentation)) {
    end = lineEnd(text, end) + 1;
  }
  return Math.min(end, text.length);
}

function indentationAt(text: string, lineStart: number): number {
  let at = lineStart;
  while (text[at] === ' ') at++;
  return at - lineStart;
}

function isBlankAt(text: string, lineStart: number): boolean {
  return text.slice(lineStart, lineEnd(text, lineStart)).trim() === '';
}
