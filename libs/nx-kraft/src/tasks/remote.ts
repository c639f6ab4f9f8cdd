/** Whether a component's source is a URL or `git@host:path`, and no folder. */
export function isRemote(source: string): boolean {
  return source.includes('://') || /^[^/]+@[^/]+:/.test(source);
}
