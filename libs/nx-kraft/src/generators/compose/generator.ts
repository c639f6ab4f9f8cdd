import { posix } from 'node:path';
import type { Tree } from '@nx/devkit';
import { GeneratorFault } from '../fault.ts';
import { type CommonOptions, asGenerator, tellAfterwards } from '../generator.ts';
import { readFolder } from '../place.ts';
import { dependenciesOf, runOptions } from './run-options.ts';
import { type Compose, readCompose } from '@nx-kraft/kraftfile/compose';
import { placeServices } from './service-projects.ts';
import { readVariables } from './variables.ts';
import { type ServiceSettings, writeSettings } from './write-settings.ts';

export interface ComposeOptions extends CommonOptions {
  /** The Compose file, or its folder. */
  readonly file: string;
  readonly runtime?: string;
  readonly targets?: readonly string[];
}

/** In the order in which Compose looks for them. */
const composeNames = ['compose.yaml', 'compose.yml', 'docker-compose.yaml', 'docker-compose.yml'];

/** Makes a project of each service of a Compose file, so that `nx run-many -t run` runs them as `kraft compose up` does. */
export default asGenerator<ComposeOptions>(async (tree, options) => {
  const file = findFile(tree, options.file);
  const base = posix.dirname(file);
  const compose = readCompose(tree.read(file, 'utf8') ?? '', file, readVariables(tree, base));
  const projects = await placeServices(tree, base, compose.services, options);
  const tag = `compose:${compose.name ?? posix.basename(posix.join(tree.root, base))}`;
  for (const { service, root, name } of projects) {
    const settings: ServiceSettings = {
      run: runOptions(service, base, root),
      dependsOn: dependenciesOf(service, projects, file),
      ...(service.build === undefined ? {} : { build: service.build, image: service.image }),
    };
    writeSettings(tree, root, name, tag, settings);
  }
  return tellAfterwards(
    `Projects of ${file}: ${projects.map(({ name }) => name).join(', ')}. Next:`,
    ...makeFirst(compose),
    `  npx nx run-many -t run --projects=tag:${tag}    # as kraft compose up`,
    `  npx nx run-many -t stop --projects=tag:${tag}   # as kraft compose down`,
    ...compose.passedOver.map((field) => `Not taken over: ${field}`),
  );
});

/** @throws GeneratorFault NOT_FOUND */
function findFile(tree: Tree, given: string): string {
  const path = readFolder(tree, given);
  const file = [path, ...composeNames.map((name) => posix.join(path, name))].find((candidate) =>
    tree.isFile(candidate),
  );
  if (file !== undefined) return file;
  throw new GeneratorFault('NOT_FOUND', `there is no Compose file ${path}`, {
    hint: `Name the file, or a folder with one of: ${composeNames.join(', ')}.`,
  });
}

/** Commands for what a service takes from this host and cannot run without. */
function makeFirst({ networks, volumes }: Compose): readonly string[] {
  return [
    ...networks.map(({ name, subnet }) => {
      const range = subnet === undefined ? '' : ` --network ${hostAddress(subnet)}`;
      return `  npx nx-kraft net create ${name}${range}   # needs root's rights`;
    }),
    ...volumes.map((name) => `  npx nx-kraft volume create ${name}`),
  ];
}

/** The host's own address in a range: the first, as Docker chooses it, or the one by which kraft's examples name their range. */
function hostAddress(subnet: string): string {
  return subnet.replace(/\.0\//, '.1/');
}
