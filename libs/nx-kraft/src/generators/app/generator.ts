import { join, posix } from 'node:path';
import {
  type GeneratorCallback,
  type Tree,
  addDependenciesToPackageJson,
  generateFiles,
  offsetFromRoot,
  runTasksInSerial,
} from '@nx/devkit';
import { type CommonOptions, asGenerator, tellAfterwards } from '../generator.ts';
import { type PlaceOptions, checkAbsent, findPlace, readFolder } from '../place.ts';
import { defaultTargets, readTarget } from '../target-words.ts';
import { templateFiles, templateFolder } from '../template-files.ts';
import { type Template, type TemplateName, findTemplate } from './templates.ts';

export interface AppOptions extends CommonOptions, PlaceOptions {
  readonly template: TemplateName;
  readonly targets?: readonly string[];
  readonly unikraft?: string;
  readonly runtime?: string;
}

/** Makes an app from a template: a Kraftfile, a program, and scenarios for its test. */
export default asGenerator<AppOptions>(async (tree, options) => {
  const { root, name } = await findPlace(tree, options);
  const template = findTemplate(options.template);
  const folder = join(templateFolder('app'), options.template);
  checkAbsent(tree, root, await templateFiles(folder));
  const targets = (options.targets ?? defaultTargets).map(readTarget);
  generateFiles(tree, folder, root, {
    tmpl: '',
    name,
    symbol: name.replaceAll(/[^a-z0-9]/gi, '').toLowerCase(),
    runtime: options.runtime ?? template.runtime,
    core: readCore(tree, root, options.unikraft),
    targets: targets.map(({ platform, architecture }) => `${platform}/${architecture}`),
    offset: offsetFromRoot(root),
    baseTsconfig: ['tsconfig.base.json', 'tsconfig.json'].find((file) => tree.exists(file)),
  });
  return runTasksInSerial(
    installs(tree, template),
    tellAfterwards(
      `${name} is in ${root}. Next:`,
      `  npx nx run ${name}:run   # build and boot it`,
      `  npx nx run ${name}:test  # boot it and check what kraft.test.json expects`,
      `  ${'npx nx sync'.padEnd(`npx nx run ${name}:test`.length)}  # lock what it is made of in kraft.lock, so that builds are cached`,
    ),
  );
});

/** Unikraft's core: a version, or a source. Folders are given from the workspace's root, and named from the app's. */
function readCore(tree: Tree, root: string, given = 'stable'): { version: string } | { source: string } {
  if (/^\w+:\/\/|^git@/.test(given)) return { source: given };
  if (!/[/\\]/.test(given) && !tree.exists(given)) return { version: given };
  const path = posix.relative(root, readFolder(tree, given));
  return { source: path.startsWith('.') ? path : `./${path}` };
}

function installs(tree: Tree, { devDependencies = {} }: Template): GeneratorCallback {
  if (Object.keys(devDependencies).length === 0) return () => undefined;
  return addDependenciesToPackageJson(tree, {}, { ...devDependencies }, undefined, true);
}
