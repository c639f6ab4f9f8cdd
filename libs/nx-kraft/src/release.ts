import { basename } from 'node:path';
import type { Tree } from '@nx/devkit';
import { VersionActions } from 'nx/release';
import { readKraftfile, setLabel } from '@nx-kraft/kraftfile';
import { versionLabel } from './tasks/publish-release.ts';

/**
 * How `nx release version` reads and writes the versions of unikernels: as a label of the image, in the Kraftfile, so
 * that whoever has the image or the repository knows it. One that has none yet begins with 0.0.0.
 */
export default class KraftfileVersions extends VersionActions {
  /** Which of its names a Kraftfile has, the project's tasks know. */
  override readonly validManifestFilenames = [basename(this.#kraftfile())];
  /** The file is edited in place; all else of it is the user's. */
  override readonly excludeManifestsFromFormatting = true;

  override readCurrentVersionFromSourceManifest(tree: Tree): Promise<{ currentVersion: string; manifestPath: string }> {
    const manifestPath = this.#kraftfile();
    const { kraftfile } = readKraftfile(this.#read(tree), { file: manifestPath, directoryName: '' });
    return Promise.resolve({ currentVersion: kraftfile?.labels[versionLabel] ?? '0.0.0', manifestPath });
  }

  /** Registries know tags, of which none must be a version. */
  override readCurrentVersionFromRegistry(): Promise<null> {
    return Promise.resolve(null);
  }

  /** An image holds what it needs. */
  override readCurrentVersionOfDependency(): Promise<{ currentVersion: null; dependencyCollection: null }> {
    return Promise.resolve({ currentVersion: null, dependencyCollection: null });
  }

  override updateProjectVersion(tree: Tree, version: string): Promise<string[]> {
    tree.write(this.#kraftfile(), setLabel(this.#read(tree), versionLabel, version, this.#kraftfile()));
    return Promise.resolve([`${this.#kraftfile()} has the label ${versionLabel}: ${version} now`]);
  }

  override updateProjectDependencies(): Promise<string[]> {
    return Promise.resolve([]);
  }

  #read(tree: Tree): string {
    return tree.read(this.#kraftfile(), 'utf8') ?? '';
  }

  #kraftfile(): string {
    const tasks = Object.values(this.projectGraphNode.data.targets ?? {});
    const options = tasks.map((task) => task.options as { kraftfile?: string } | undefined);
    const found = options.find((one) => one?.kraftfile !== undefined)?.kraftfile;
    if (found === undefined) throw new Error(`${this.projectGraphNode.name} has no Kraftfile`);
    return found;
  }
}
