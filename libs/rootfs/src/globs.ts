/** What a glob of {@link rootfsInputs} matches, as Nx understands it: `*` within a name, `**` across folders. */
export function globExpression(glob: string): RegExp {
  const source = glob.replaceAll(/\*\*\/|\*\*|\*|\?|\[[^\]]*\]|[.+^${}()|\\]/g, (token) => {
    if (token === '**/') return '(?:.*/)?';
    if (token === '**') return '.*';
    if (token === '*') return '[^/]*';
    if (token === '?') return '[^/]';
    return token.startsWith('[') ? token : `\\${token}`;
  });
  return new RegExp(`^${source}$`, 's');
}

/** A test for what a glob matches, which costs little for the two forms that most have: a path, and all below one. */
export function globTest(glob: string): (path: string) => boolean {
  const path = glob.replace(/\/\*\*\/\*$/, '');
  if (/[*?[]/.test(path)) {
    const expression = globExpression(glob);
    return (candidate) => expression.test(candidate);
  }
  return path === glob ? (candidate) => candidate === path : (candidate) => candidate.startsWith(`${path}/`);
}
