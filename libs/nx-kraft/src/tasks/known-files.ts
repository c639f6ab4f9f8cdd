import { join } from 'node:path';

/** The files of a workspace as Nx read them for the graph that it has. */
export class KnownFiles {
  readonly #root: string;
  #hashes: Promise<ReadonlyMap<string, string>> | undefined;

  constructor(workspaceRoot: string) {
    this.#root = workspaceRoot;
  }

  /**
   * Whether a file holds what Nx has read there. Of what git ignores Nx reads nothing, and of what is new: that is never another.
   *
   * @param path  relative to the workspace
   */
  async isAsRead(path: string): Promise<boolean> {
    this.#hashes ??= readHashes();
    const known = (await this.#hashes).get(path);
    if (known === undefined) return true;
    const { hashFile } = await import('nx/src/hasher/file-hasher.js');
    return hashFile(join(this.#root, path)) === known;
  }
}

async function readHashes(): Promise<ReadonlyMap<string, string>> {
  const { readFileMapCache } = await import('nx/src/project-graph/nx-deps-cache.js');
  const { projectFileMap = {}, nonProjectFiles = [] } = readFileMapCache()?.fileMap ?? {};
  return new Map([...Object.values(projectFileMap), nonProjectFiles].flat().map(({ file, hash }) => [file, hash]));
}
