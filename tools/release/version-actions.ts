import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ProjectGraph, type Tree, readJson, updateJson } from '@nx/devkit';
import { type AfterAllProjectsVersioned, VersionActions } from 'nx/release';
import { replaceAtomically } from '@nx-kraft/base';

interface Manifest {
  readonly name: string;
  version: string;
  dependencies?: Record<string, string>;
}

/** How `nx release version` reads and writes the packages of this repository, which name each other by exact versions. */
export default class PackageVersions extends VersionActions {
  override readonly validManifestFilenames = ['package.json'];

  override readCurrentVersionFromSourceManifest(
    tree: Tree,
  ): Promise<{ currentVersion: string; manifestPath: string } | null> {
    const manifestPath = join(this.projectGraphNode.data.root, 'package.json');
    return Promise.resolve({ currentVersion: readJson<Manifest>(tree, manifestPath).version, manifestPath });
  }

  override readCurrentVersionFromRegistry(): Promise<null> {
    return Promise.resolve(null);
  }

  override readCurrentVersionOfDependency(
    tree: Tree,
    { nodes }: ProjectGraph,
    dependency: string,
  ): Promise<{ currentVersion: string | null; dependencyCollection: string | null }> {
    const { dependencies } = readJson<Manifest>(tree, join(this.projectGraphNode.data.root, 'package.json'));
    const name = nodes[dependency]?.data.metadata?.js?.packageName ?? dependency;
    const currentVersion = dependencies?.[name] ?? null;
    return Promise.resolve({ currentVersion, dependencyCollection: currentVersion && 'dependencies' });
  }

  override updateProjectVersion(tree: Tree, version: string): Promise<string[]> {
    return Promise.resolve(
      this.#update(tree, (manifest) => {
        manifest.version = version;
        return `is ${version} now`;
      }),
    );
  }

  override updateProjectDependencies(
    tree: Tree,
    { nodes }: ProjectGraph,
    versions: Record<string, string>,
  ): Promise<string[]> {
    return Promise.resolve(
      this.#update(tree, (manifest) => {
        for (const [project, version] of Object.entries(versions)) {
          const name = nodes[project]?.data.metadata?.js?.packageName ?? project;
          if (manifest.dependencies?.[name] !== undefined) manifest.dependencies[name] = version;
        }
        return `names ${Object.keys(versions).length} packages by their new versions`;
      }),
    );
  }

  #update(tree: Tree, change: (manifest: Manifest) => string): string[] {
    return this.manifestsToUpdate.map(({ manifestPath }) => {
      let message = '';
      updateJson<Manifest>(tree, manifestPath, (manifest) => {
        message = `${manifestPath} ${change(manifest)}`;
        return manifest;
      });
      return message;
    });
  }
}

/** The lock file says the versions of the packages again; npm would ask the network for the whole of it. */
export const afterAllProjectsVersioned: AfterAllProjectsVersioned = async (root, { dryRun }) => {
  const file = join(root, 'package-lock.json');
  const lock = JSON.parse(await readFile(file, 'utf8')) as { packages: Record<string, Manifest> };
  for (const room of await readdir(join(root, 'libs'))) {
    const manifest = JSON.parse(await readFile(join(root, 'libs', room, 'package.json'), 'utf8')) as Manifest;
    const entry = lock.packages[`libs/${room}`];
    if (entry === undefined) throw new Error(`package-lock.json does not know libs/${room}`);
    entry.version = manifest.version;
    if (manifest.dependencies !== undefined) entry.dependencies = manifest.dependencies;
  }
  if (dryRun === true) return { changedFiles: [], deletedFiles: [] };
  await replaceAtomically(file, (temporary) => writeFile(temporary, `${JSON.stringify(lock, null, 2)}\n`));
  return { changedFiles: [file], deletedFiles: [] };
};
