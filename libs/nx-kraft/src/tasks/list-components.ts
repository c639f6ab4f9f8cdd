import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SizeReport } from '@nx-kraft/kernel';
import { outputNames, rootfsName } from '@nx-kraft/kraftfile/outputs';
import { type Component, rootfsPackages } from '@nx-kraft/oci';
import { type Kraftproject, plannedTargets } from './kraftproject.ts';
import { readRuntime } from './built-kernel.ts';
import { type UsedComponent, readUsedComponents } from './used-components.ts';

/**
 * All that a project's image is made of, so far as it can be known: the source trees of kernels and the libraries that
 * were linked, with commit and licence; the runtime; and the packages of root file systems.
 */
export async function listComponents(project: Kraftproject): Promise<readonly Component[]> {
  const sources = await readUsedComponents(project);
  const found = [
    ...sources.map((source) => ({ ...componentOf(source.name, source), ...sourcePurl(source) })),
    ...(await linkedLibraries(project, sources)),
    ...(await runtimes(project)),
    ...packages(project),
  ];
  return [...new Map(found.map((component) => [JSON.stringify(component), component])).values()];
}

/** The libraries of kernels: those with a source tree of their own are from there, all others from the core. */
async function linkedLibraries(
  { kraftfile, folder }: Kraftproject,
  sources: readonly UsedComponent[],
): Promise<readonly Component[]> {
  const core = sources.find(({ name }) => name === 'unikraft');
  if (core === undefined) return [];
  const reports = plannedTargets(kraftfile).map(async (target) => {
    const text = await readFile(join(folder, outputNames(kraftfile, target).sizes), 'utf8');
    return (JSON.parse(text) as SizeReport).libraries.map(({ name }) => name);
  });
  const names = new Set((await Promise.all(reports)).flat());
  const own = new Set(sources.flatMap(({ name }) => [name, `lib${name}`]));
  return [...names].filter((name) => !own.has(name) && !name.startsWith('app')).map((name) => componentOf(name, core));
}

function componentOf(name: string, { url, revision, licence }: Omit<UsedComponent, 'name'>): Component {
  return {
    name,
    kind: 'library',
    ...(url === undefined ? {} : { url }),
    ...(revision === undefined ? {} : { commit: revision }),
    ...(licence === undefined ? {} : { licence }),
  };
}

/** As package-url has it for commits: by the host that it knows, or as something with a version and an address. */
function sourcePurl({ name, url, revision }: UsedComponent): Pick<Component, 'purl'> {
  if (url === undefined || revision === undefined) return {};
  const [, owner, repository] = /^https:\/\/github\.com\/([^/]+)\/([^/]+?)(?:\.git)?\/?$/i.exec(url) ?? [];
  if (owner !== undefined && repository !== undefined) {
    return { purl: `pkg:github/${owner.toLowerCase()}/${repository.toLowerCase()}@${revision}` };
  }
  const address = encodeURIComponent(`git+${url}@${revision}`);
  return { purl: `pkg:generic/${encodeURIComponent(name)}@${revision}?vcs_url=${address}` };
}

async function runtimes(project: Kraftproject): Promise<readonly Component[]> {
  if (project.kraftfile.runtime === undefined || project.kraftfile.unikraft !== undefined) return [];
  const images = await Promise.all(
    plannedTargets(project.kraftfile).map(async (target) => (await readRuntime(project, target)).image),
  );
  return images.flatMap((image) => {
    const [name = '', digest] = image?.split('@') ?? [];
    return digest === undefined
      ? []
      : [{ name, version: digest, kind: 'library' as const, purl: purlOf(name, digest) }];
  });
}

/** As package-url has it for images in registries. */
function purlOf(name: string, digest: string): string {
  const repository = name.replace(/:[^:/]*$/, '');
  const last = repository.slice(repository.lastIndexOf('/') + 1);
  return `pkg:oci/${last}@${encodeURIComponent(digest)}?repository_url=${encodeURIComponent(repository)}`;
}

function packages({ kraftfile, folder }: Kraftproject): readonly Component[] {
  const { rootfs } = kraftfile;
  if (rootfs === undefined || (rootfs.format ?? 'cpio') !== 'cpio') return [];
  const architectures = new Set(plannedTargets(kraftfile).map(({ architecture }) => architecture));
  return [...architectures].flatMap((architecture) =>
    rootfsPackages(join(folder, rootfsName(kraftfile, architecture))),
  );
}
