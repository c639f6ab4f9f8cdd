/** What make or Unikraft's core always give a value, and what tells only of the machine: none of it is anybody's setting. */
const notSettings =
  /^(?:\w|CC|CXX|GOC|RUSTC|AS|AR|LD|NM|READELF|STRIP|OBJCOPY|MAKE|CURDIR|BUILD_DIR|SOURCE_DATE_EPOCH|PWD|HOME|USER|LOGNAME|HOSTNAME|PATH|SHELL|TMPDIR|TERM)$|^(?:UK|CONFIG|MAKE)_|BASE$|_BUILD$/;

/**
 * The variables that build files may take from the environment of make, such as `MODE` for `-DMODE=$(MODE)`: those that they
 * mention and give no value, or only one in place of none (`MODE ?= fast`). What belongs to a library that they register
 * (`APPHELLO_SRCS`) is none of them.
 */
export function findTakenVariables(texts: readonly string[]): readonly string[] {
  const text = texts.map((one) => one.replaceAll('\\\n', ' ').replaceAll(/(?<!\\)#.*/g, '')).join('\n');
  const mentioned = [
    ...text.matchAll(/\$[({]([A-Z][A-Z0-9_]*)[)}:]/g),
    ...text.matchAll(/^\s*([A-Z][A-Z0-9_]*)\s*\?=/gm),
  ];
  const given = new Set(
    [...text.matchAll(/^\s*(?:(?:override|export)\s+)*(?:define\s+(\w+)|(\w+)\s*:{0,3}=)/gm)].map(
      ([, defined, assigned]) => defined ?? assigned,
    ),
  );
  const libraries = registeredLibraries(text).map((name) => `${name.toUpperCase()}_`);
  const names = new Set(mentioned.map(([, name = '']) => name));
  return [...names]
    .filter((name) => !given.has(name) && !notSettings.test(name))
    .filter((name) => !libraries.some((library) => name.startsWith(library)))
    .toSorted();
}

/** The names of the libraries that a build file registers. */
export function registeredLibraries(makefile: string): readonly string[] {
  return [...makefile.matchAll(/\(call addlib(?:_\w+)?,\s*(\w+)/g)].map(([, name = '']) => name);
}
