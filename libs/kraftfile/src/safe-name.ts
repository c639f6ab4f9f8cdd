/** The longest name that file systems take, less what outputs append to it. */
const longest = 180;

/** Most names are, which is seen at once. */
const isSafe = /^\w(?:[\w.-]{0,178}\w)?$/;

/**
 * A name that is safe as one part of a path and of a task's name, whatever the user wrote: letters, digits, dots,
 * dashes and underscores, not starting with a dot or dash. Names that are safe already stay as they are.
 */
export function safeName(name: string): string {
  if (isSafe.test(name)) return name;
  const safe = name
    .replaceAll(/[^\p{L}\p{N}._-]+/gu, '-')
    .replace(/^[.-]+/, '')
    .replace(/[.-]+$/, '')
    .slice(0, longest);
  return safe === '' ? 'unnamed' : safe;
}
