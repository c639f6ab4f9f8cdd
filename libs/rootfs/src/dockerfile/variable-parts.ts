/**
 * `${NAME#pattern}`, `##`, `%`, `%%`, `${NAME/pattern/text}` and `//`, as BuildKit has them: `*` and `?` are the only signs.
 *
 * @param operator  `#`, `%` or `/`
 * @param word  what follows the operator
 * @param expand  replaces variables in a text
 * @returns undefined for a form of which only BuildKit knows what it does
 */
export function partOf(
  value: string,
  operator: string,
  word: string,
  escape: string,
  expand: (text: string) => string,
): string | undefined {
  // Escapes stay here until a pattern is made of them.
  const isOdd = /["']/.test(word) || /\\\$/.test(word) || (escape !== '\\' && /[`\\]/.test(word));
  if (isOdd) return undefined;
  const replaced = (text: string): string =>
    text
      .split(/(\\[^])/)
      .map((part, index) => (index % 2 === 1 ? part : expand(part)))
      .join('');
  if (operator === '/') return replaceIn(value, word, replaced);
  const isLongest = word.startsWith(operator);
  const pattern = replaced(isLongest ? word.slice(1) : word);
  return operator === '#' ? withoutStart(value, pattern, isLongest) : withoutEnd(value, pattern, isLongest);
}

function replaceIn(value: string, word: string, replaced: (text: string) => string): string | undefined {
  const [, slash = '', pattern = '', text] = /^(\/?)((?:\\[^]|[^\\/])+)\/([^]*)$/.exec(word) ?? [];
  const expression =
    text === undefined ? undefined : patternExpression(replaced(pattern), true, '', slash === '' ? 'u' : 'gu');
  if (text === undefined || expression === undefined) return undefined;
  const replacement = replaced(text);
  // Numbers of groups mean something in some forms.
  return /[$\\]/.test(replacement) ? undefined : value.replace(expression, () => replacement);
}

function withoutStart(value: string, pattern: string, isLongest: boolean): string | undefined {
  const expression = patternExpression(pattern, isLongest, '^', 'u');
  return expression === undefined ? undefined : value.replace(expression, '');
}

/** What ends shortest is found from behind. */
function withoutEnd(value: string, pattern: string, isLongest: boolean): string | undefined {
  const backwards = (text: string, unit: RegExp): string => (text.match(unit) ?? []).reverse().join('');
  const rest = withoutStart(backwards(value, /[^]/gu), backwards(pattern, /\\[^]|[^]/gu), isLongest);
  return rest === undefined ? undefined : backwards(rest, /[^]/gu);
}

function patternExpression(pattern: string, isLongest: boolean, start: string, flags: string): RegExp | undefined {
  // Only signs, and what would end the variable, can be escaped.
  if (/\\(?![*?\\/}])/.test(pattern.replaceAll('\\\\', ''))) return undefined;
  const source = pattern.replaceAll(/\\([^])|([^])/gu, (_, escaped?: string, letter = '') => {
    if (escaped === undefined && letter === '*') return isLongest ? '[^\n]*' : '[^\n]*?';
    if (escaped === undefined && letter === '?') return '[^\n]';
    return (escaped ?? String(letter)).replace(/[\\^$.*+?()[\]{}|/]/, '\\$&');
  });
  return new RegExp(start + source, flags);
}
