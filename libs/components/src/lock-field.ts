/**
 * The name of a component or image as `kraft.lock` has it: with `%2E` for each dot. Paths to a field of a JSON file, such
 * as those of Nx's inputs, are parted by dots and know no quotes.
 */
export function lockField(name: string): string {
  return name.replaceAll('%', '%25').replaceAll('.', '%2E');
}

/** The name that {@link lockField} was given. */
export function fromLockField(field: string): string {
  return field.replaceAll('%2E', '.').replaceAll('%25', '%');
}
