/** Why a text is no list of words for a shell. */
export class ShellSyntaxError extends Error {
  override readonly name = 'ShellSyntaxError';
}

/**
 * Splits a text into words as a POSIX shell does, for `cmd` strings of v0.7: quotes and backslashes are taken away,
 * variables become empty (as in the reference reader, which knows none), and `#` starts a comment.
 *
 * @throws ShellSyntaxError for an open quote, a substitution, or an operator such as `|`, `&`, `;`, `<`, `>`
 */
export function splitShellWords(text: string): readonly string[] {
  const words: string[] = [];
  let word: string | undefined;
  let at = 0;
  const skipVariable = (): string => {
    const rest = text.slice(at, at + 257);
    const variable = /^\$(\w+|\{\w+\}|[@*#?$!-])/.exec(rest)?.[0];
    if (variable !== undefined) {
      at += variable.length;
      return '';
    }
    if (/^\$[({]/.test(rest)) throw new ShellSyntaxError('it has a substitution');
    at++;
    return '$';
  };
  while (at < text.length) {
    const character = text[at] ?? '';
    if (/\s/.test(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
      at++;
    } else if (character === '#' && word === undefined) {
      const end = text.indexOf('\n', at);
      at = end === -1 ? text.length : end;
    } else if (character === '\\') {
      word = (word ?? '') + (text[at + 1] === '\n' ? '' : (text[at + 1] ?? ''));
      at += 2;
    } else if (character === "'") {
      const end = text.indexOf("'", at + 1);
      if (end === -1) throw new ShellSyntaxError("a ' is not closed");
      word = (word ?? '') + text.slice(at + 1, end);
      at = end + 1;
    } else if (character === '"') {
      word ??= '';
      at++;
      while (text[at] !== '"') {
        if (at >= text.length) throw new ShellSyntaxError('a " is not closed');
        if (text[at] === '`') throw new ShellSyntaxError('it has a substitution');
        if (text[at] === '$') {
          word += skipVariable();
        } else if (text[at] === '\\' && /["\\$`\n]/.test(text[at + 1] ?? '')) {
          word += text[at + 1] === '\n' ? '' : (text[at + 1] ?? '');
          at += 2;
        } else {
          word += text[at] ?? '';
          at++;
        }
      }
      at++;
    } else if (character === '$') {
      const value = skipVariable();
      // An unquoted variable that is empty makes no word of its own.
      if (value !== '' || word !== undefined) word = (word ?? '') + value;
    } else if (character === '`') {
      throw new ShellSyntaxError('it has a substitution');
    } else if (/[|&;<>()]/.test(character)) {
      throw new ShellSyntaxError(`it has the operator ${character}`);
    } else {
      word = (word ?? '') + character;
      at++;
    }
  }
  if (word !== undefined) words.push(word);
  return words;
}
