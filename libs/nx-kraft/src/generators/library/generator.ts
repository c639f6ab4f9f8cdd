import { posix } from 'node:path';
import { type Tree, generateFiles } from '@nx/devkit';
import { addLibrary, kraftfileNames, setKconfig } from '@nx-kraft/kraftfile';
import { GeneratorFault } from '../fault.ts';
import { type CommonOptions, asGenerator, tellAfterwards } from '../generator.ts';
import { type TreeProject, findKraftproject } from '../kraftprojects.ts';
import { type Place, type PlaceOptions, checkAbsent, findPlace } from '../place.ts';
import { templateFiles, templateFolder } from '../template-files.ts';

export interface LibraryOptions extends CommonOptions, PlaceOptions {
  /** A project that is to use it. */
  readonly app?: string;
}

/** Makes a library that Unikraft's make builds into kernels, and lets an app use it. */
export default asGenerator<LibraryOptions>(async (tree, options) => {
  const place = await findPlace(tree, options);
  const symbol = symbolOf(place.name);
  const folder = templateFolder('library');
  const files = await templateFiles(folder);
  checkAbsent(
    tree,
    place.root,
    // An app's folder is built as one.
    [...kraftfileNames, ...files.map((file) => file.replaceAll('__symbol__', symbol))],
  );
  const app = options.app === undefined ? undefined : await findKraftproject(tree, options.app);
  if (app !== undefined) useIn(tree, app, place, symbol);
  generateFiles(tree, folder, place.root, { tmpl: '', name: place.name, symbol, upper: symbol.toUpperCase() });
  const use = `#include <${symbol}/${symbol}.h>`;
  return app === undefined
    ? tellAfterwards(`${place.name} is in ${place.root}. Name it in the libraries of a Kraftfile to use it: ${use}`)
    : tellAfterwards(`${place.name} is in ${place.root}, and ${app.name} is built with it: ${use}`);
});

/** @throws GeneratorFault NOTHING_TO_DO for an app that builds no kernel */
function useIn(tree: Tree, app: TreeProject, { root, name }: Place, symbol: string): void {
  const before = tree.read(app.kraftfile, 'utf8') ?? '';
  if (!/^unikraft\s*:/m.test(before)) {
    throw new GeneratorFault('NOTHING_TO_DO', `${app.name} runs on a runtime, whose kernel is built already`, {
      hint: 'Libraries are for apps that are built from source, such as those of the template c.',
    });
  }
  const path = posix.relative(app.root, root);
  const source = path.startsWith('.') ? path : `./${path}`;
  const added = addLibrary(before, { name, source }, app.kraftfile);
  const option = `CONFIG_LIB${symbol.toUpperCase()}`;
  tree.write(app.kraftfile, setKconfig(added, { library: name }, option, 'y', app.kraftfile));
}

/** A name as C and make can have it. */
function symbolOf(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
}
