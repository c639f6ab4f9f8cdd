/**
 * What becomes of the permission bits of files on this machine's disk: `git` treats them as git does, so that two
 * checkouts give the same bytes whatever the umask; `keep` takes them as they are.
 */
export type Modes = 'git' | 'keep';

/**
 * The mode of a file or directory of the disk in the root file system. With `git`, a mode that a umask can have made
 * out of 0666 or 0777 becomes 0644 or 0755; all others, such as 4755, 1777 or 0444, were somebody's wish and stay.
 *
 * @param mode  permission, setuid, setgid and sticky bits
 */
export function modeOf(mode: number, modes: Modes): number {
  if (modes === 'keep') return mode;
  if ((mode & ~0o066) === 0o600) return 0o644;
  return (mode & ~0o077) === 0o700 && isFromUmask(mode) ? 0o755 : mode;
}

/** Group and others may read, or may do nothing; `chmod u+x` on top of a umask leaves 0744. */
function isFromUmask(mode: number): boolean {
  return [mode >> 3, mode].every((bits) => (bits & 7) === 0 || (bits & 4) !== 0);
}
