import { join, posix } from 'node:path';
import type { Tree } from '@nx/devkit';
import { GeneratorFault } from '../fault.ts';
import { defaultRuntime } from '../../tasks/needs.ts';
import { findKraftprojects } from '../kraftprojects.ts';
import { findPlace } from '../place.ts';
import { writeRuntimeKraftfile } from '../runtime-kraftfile.ts';
import type { Build, Service } from '@nx-kraft/kraftfile/compose';

/** A service, and the project that it is. */
export interface ServiceProject {
  readonly service: Service;
  /** Relative to the workspace. */
  readonly root: string;
  readonly name: string;
}

/** For services without a Kraftfile of their own. */
export interface NewKraftfiles {
  readonly runtime?: string;
  readonly targets?: readonly string[];
}

/**
 * Finds the project of each service, or makes one: in the folder that it is built in, and one that only has an image in
 * `services` beside the Compose file, since a folder of its own name often holds what it shares with the host.
 *
 * @param base  the folder of the Compose file
 * @throws GeneratorFault ALREADY_THERE, BAD_FOLDER, BAD_NAME, NOT_FOUND
 */
export async function placeServices(
  tree: Tree,
  base: string,
  services: readonly Service[],
  options: NewKraftfiles,
): Promise<readonly ServiceProject[]> {
  const known = new Map((await findKraftprojects(tree)).map((project) => [project.root, project.name]));
  const placed: ServiceProject[] = [];
  for (const service of services) {
    const root = folderOf(base, service);
    const other = placed.find((project) => project.root === root);
    if (other !== undefined) {
      throw new GeneratorFault('ALREADY_THERE', `${other.name} and ${service.name} are both built in ${root}`, {
        hint: 'A folder is one project: give one of them a folder with a Kraftfile of its own.',
      });
    }
    const name = known.get(root) ?? (await makeProject(tree, root, service, options));
    placed.push({ service, root, name });
  }
  return placed;
}

function folderOf(base: string, { name, build }: Service): string {
  const root = posix.join(base, build?.context ?? `services/${name}`).replace(/(.)\/$/, '$1');
  if (!root.startsWith('..') && !posix.isAbsolute(build?.context ?? '')) return root;
  throw new GeneratorFault('BAD_FOLDER', `${name} is built in ${build?.context}, which is no folder of this workspace`);
}

async function makeProject(tree: Tree, root: string, service: Service, options: NewKraftfiles): Promise<string> {
  const { name } = await findPlace(tree, { directory: join(tree.root, root), name: service.name });
  const { build, image = '', platform } = service;
  const targets = options.targets ?? (platform === undefined ? undefined : [targetOf(platform)]);
  const own =
    build === undefined
      ? { runtime: image }
      : { runtime: options.runtime ?? defaultRuntime, dockerfile: findDockerfile(tree, root, service.name, build) };
  writeRuntimeKraftfile(tree, root, { name, targets, ...own });
  return name;
}

/** Docker's platforms name an architecture; where it runs is the host's choice then. */
function targetOf(platform: string): string {
  return platform.replace(/^linux\//, 'qemu/');
}

function findDockerfile(tree: Tree, root: string, service: string, { dockerfile }: Build): string {
  const names = dockerfile === undefined ? ['Dockerfile', 'Containerfile'] : [posix.normalize(dockerfile)];
  const found = names.find((name) => tree.isFile(posix.join(root, name)));
  if (found !== undefined) return found;
  throw new GeneratorFault(
    'NOT_FOUND',
    `${service} is built in ${root}, which has neither a Kraftfile nor a Dockerfile`,
  );
}
