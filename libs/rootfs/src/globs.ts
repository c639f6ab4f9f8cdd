/** What a glob of {@link rootfsInputs} matches, as Nx understands it: `*` within a name, `**` across folders, `!(a|b)` any name but these. */
export function globExpression(glob: string): RegExp {
  return new RegExp(`^${sourceOf(glob)}$`, 's');
}

function sourceOf(glob: string): string {
  // Whether names are any but these depends on what stands behind them, as in `!(*.spec).ts`.
  const [whole, names] = /!\(([^)]*)\)/.exec(glob) ?? [];
  if (whole !== undefined && names !== undefined) {
    const start = glob.indexOf(whole);
    const rest = sourceOf(glob.slice(start + whole.length));
    const others = names.split('|').map(sourceOf).join('|');
    return `${sourceOf(glob.slice(0, start))}(?!(?:${others})${rest}$)[^/]+${rest}`;
  }
  return glob.replaceAll(/\*\*\/|\*\*|\*|\?|\[[^\]]*\]|[.+^${}()|[\]\\]/g, (token) => {
    if (token === '**/') return '(?:.*/)?';
    if (token === '**') return '.*';
    if (token === '*') return '[^/]*';
    if (token === '?') return '[^/]';
    return token.startsWith('[') && token.length > 1 ? token.replaceAll('\\', '\\\\') : `\\${token}`;
  });
}

/** The globs without braces that one with them stands for: `{a,b}/*.{c,h}` for four. What stands in brackets is no sign. */
export function globsOf(glob: string): readonly string[] {
  const [whole, before = '', names = '', after = ''] = /^((?:\[[^\]]*\]|[^[])*?)\{([^{}]*)\}(.*)$/s.exec(glob) ?? [];
  if (whole === undefined) return [glob];
  return names.split(',').flatMap((name) => globsOf(`${before}${name}${after}`));
}

/** The glob that matches a path and nothing else, for Nx and for {@link globExpression}: what is a sign there stands in brackets. */
export function globOf(path: string): string {
  // Few have any, and each Kraftfile's are asked for several times with each command.
  return /[*?[{}()\\]/.test(path) ? path.replaceAll(/[*?[{}()\\]/g, '[$&]') : path;
}

/** The path that comes before the first part of a glob with a sign, and the glob of what is meant below it; each may be ''. */
export function splitGlob(glob: string): { readonly path: string; readonly rest: string } {
  // As above: with no brackets the first sign is one.
  if (!glob.includes('[')) {
    const sign = glob.search(/[*?]|!\(/);
    const end = sign < 0 ? glob.length : glob.lastIndexOf('/', sign);
    return { path: glob.slice(0, Math.max(end, 0)), rest: glob.slice(end + 1) };
  }
  const parts = glob.split('/');
  const first = parts.findIndex((part) => /[*?[]|!\(/.test(withoutBrackets(part, '')));
  const end = first < 0 ? parts.length : first;
  return { path: withoutBrackets(parts.slice(0, end).join('/'), '$1'), rest: parts.slice(end).join('/') };
}

function withoutBrackets(glob: string, replacement: string): string {
  return glob.replaceAll(/\[([*?[{}()\\])\]/g, replacement);
}

/** A test for what a glob matches, which costs little for the two forms that most have: a path, and all below one. */
export function globTest(glob: string): (path: string) => boolean {
  const path = glob.replace(/\/\*\*\/\*$/, '');
  if (/[*?[]|!\(/.test(path)) {
    const expression = globExpression(glob);
    return (candidate) => expression.test(candidate);
  }
  return path === glob ? (candidate) => candidate === path : (candidate) => candidate.startsWith(`${path}/`);
}

/** A test for what any of some globs matches. */
export function globsTest(globs: readonly string[]): (path: string) => boolean {
  const tests = globs.map(globTest);
  return (path) => tests.some((test) => test(path));
}
