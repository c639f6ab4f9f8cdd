/** Files that say how to compile, not what: make does not compile anything again when one of them changes. */
export const isBuildFile = (path: string): boolean => /(^|\/)(Makefile[^/]*|Config[^/]*|[^/]*\.(uk|mk))$/.test(path);

/** The paths that go up in a build file, such as `../common/x.c` in `$(APP_BASE)/../common/x.c`. */
export function findClimbs(buildFile: string): readonly string[] {
  return buildFile.match(/(\.\.\/)+[\w.+@~/-]*|\.\.(?=\s|$)/g) ?? [];
}
