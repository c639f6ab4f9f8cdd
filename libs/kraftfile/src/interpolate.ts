/** Something in a text that kraft's interpolation finds wrong or empty; the span is one of the text given. */
export interface InterpolationProblem {
  readonly kind: 'form' | 'required' | 'unset';
  readonly variable: string;
  readonly message: string;
}

/**
 * Puts variables into a text as Compose files do, which kraft applies to each string of Kraftfiles before v0.7:
 * `$NAME`, `${NAME}`, `${NAME:-default}`, `${NAME-default}`, `${NAME:?message}`, `${NAME?message}`, `${NAME:+other}`,
 * `${NAME+other}`, and `$$` for a dollar sign. A colon makes an empty variable count as unset. An unset variable
 * without a default becomes empty and is told; text that has no such form stays as it is and is told.
 */
export function interpolate(
  text: string,
  env: Readonly<Record<string, string | undefined>>,
): { text: string; problems: readonly InterpolationProblem[] } {
  const problems: InterpolationProblem[] = [];
  return { text: expand(text, env, problems, 0), problems };
}

/** How deep defaults may hold variables again: `${A:-${B:-c}}`. */
const deepest = 8;

function expand(
  text: string,
  env: Readonly<Record<string, string | undefined>>,
  problems: InterpolationProblem[],
  depth: number,
): string {
  let result = '';
  let at = 0;
  for (let dollar = text.indexOf('$'); dollar !== -1; dollar = text.indexOf('$', at)) {
    result += text.slice(at, dollar);
    const rest = text.slice(dollar + 1, dollar + 2);
    if (rest === '$') {
      result += '$';
      at = dollar + 2;
      continue;
    }
    const end = rest === '{' ? closingBrace(text, dollar + 2) : undefined;
    if (end !== undefined) {
      result += expandBraced(text.slice(dollar + 2, end), env, problems, depth);
      at = end + 1;
      continue;
    }
    const name = /^[A-Za-z_]\w*/.exec(text.slice(dollar + 1, dollar + 257))?.[0];
    if (name === undefined) {
      problems.push({ kind: 'form', variable: '', message: `'$' starts a variable here, and no name follows` });
      result += '$';
      at = dollar + 1;
      continue;
    }
    result += valueOrEmpty(name, env, problems);
    at = dollar + 1 + name.length;
  }
  return result + text.slice(at);
}

/** How long a braced variable with its default may be: a text of opening braces alone must not take forever. */
const longest = 4096;

function closingBrace(text: string, from: number): number | undefined {
  let open = 1;
  const end = Math.min(text.length, from + longest);
  for (let at = from; at < end; at++) {
    if (text[at] === '}' && --open === 0) return at;
    if (text[at] === '$' && text[at + 1] === '{') open++;
  }
  return undefined;
}

function expandBraced(
  inside: string,
  env: Readonly<Record<string, string | undefined>>,
  problems: InterpolationProblem[],
  depth: number,
): string {
  const [, name, operator, word] = /^([A-Za-z_]\w*)(?:(:?[-+?])([^]*))?$/.exec(inside) ?? [];
  if (name === undefined || depth > deepest) {
    problems.push({ kind: 'form', variable: '', message: `'\${${inside.slice(0, 60)}}' is no form of a variable` });
    return `\${${inside}}`;
  }
  if (operator === undefined || word === undefined) return valueOrEmpty(name, env, problems);
  const value = Object.hasOwn(env, name) ? env[name] : undefined;
  const isSet = operator.startsWith(':') ? value !== undefined && value !== '' : value !== undefined;
  if (operator.endsWith('+')) return isSet ? expand(word, env, problems, depth + 1) : '';
  if (isSet) return value ?? '';
  if (operator.endsWith('-')) return expand(word, env, problems, depth + 1);
  problems.push({ kind: 'required', variable: name, message: `${name} is not set${word === '' ? '' : `: ${word}`}` });
  return '';
}

function valueOrEmpty(
  name: string,
  env: Readonly<Record<string, string | undefined>>,
  problems: InterpolationProblem[],
): string {
  const value = Object.hasOwn(env, name) ? env[name] : undefined;
  if (value === undefined) problems.push({ kind: 'unset', variable: name, message: `${name} is not set` });
  return value ?? '';
}
