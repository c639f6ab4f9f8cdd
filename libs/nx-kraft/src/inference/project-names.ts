/**
 * Gives each project its name: the Kraftfile's own where no other project here has the same, else one made from the
 * folder, since Nx refuses a workspace in which two projects share a name. Names with `:` would not be reachable on
 * the command line.
 *
 * @param projects  folder (relative to the workspace) → the Kraftfile's name
 */
export function assignProjectNames(projects: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const uses = new Map<string, number>();
  for (const name of projects.values()) uses.set(name, (uses.get(name) ?? 0) + 1);
  const assigned = [...projects].map(([folder, name]): [string, string] => {
    const usable = uses.get(name) === 1 && name !== '' && !/[:\s/\\]/.test(name);
    return [folder, usable ? name : nameFromFolder(folder, name)];
  });
  return new Map(assigned);
}

function nameFromFolder(folder: string, name: string): string {
  return folder === '.' ? name.replaceAll(/[:\s/\\]+/g, '-') || 'unikernel' : folder.replaceAll(/[:\s/\\]+/g, '-');
}
