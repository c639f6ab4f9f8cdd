import { cp, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { build } from 'rolldown';

/** As deep in the package as the plugin's modules, some of which tell by their own place where others are. */
const place = 'src/plugin';

/** What Nx loads as the plugin, and the programs that this starts. */
const entries = ['index', 'plugin', 'tasks/tell-details', 'remote-cache/guard-process'];

/**
 * Puts the modules together that Nx loads as the plugin, with each command anew: to load so many small ones takes longer
 * than what they do. What tasks and commands load stays as it is.
 *
 * @param root  this repository
 * @param published  the folder of the plugin's package as it is published
 * @returns what the package gives instead of which source
 * @throws Error when a module looks for a file where there is none beside the bundle
 */
export async function bundlePlugin(root: string, published: string): Promise<Readonly<Record<string, string>>> {
  const { output } = await build({
    input: entries.map((entry) => join(root, 'libs/nx-kraft/src', `${entry}.ts`)),
    platform: 'node',
    external: (id) => /^[^./]/.test(id) && !isTakenIn(id),
    output: { dir: join(published, place), cleanDir: true },
  });
  for (const module of output.flatMap((file) => (file.type === 'chunk' ? file.moduleIds : []))) {
    const keepsItsDepth = dirname(dirname(module)) === join(root, 'libs/nx-kraft/src');
    if (!keepsItsDepth && (await readFile(module, 'utf8')).includes('import.meta.dirname'))
      throw new Error(`${module} needs files beside itself: leave it out of the bundle`);
  }
  await cp(join(root, 'node_modules/zod/LICENSE'), join(published, place, 'LICENSE.zod'));
  return { './src/index.ts': `./${place}/index.js`, './src/plugin.ts': `./${place}/plugin.js` };
}

/**
 * The rooms, but for the parts that start scripts beside themselves; and of libraries zod, in nearly a hundred modules,
 * which are loaded when a Kraftfile is new.
 */
function isTakenIn(name: string): boolean {
  return name === 'zod' || (name.startsWith('@nx-kraft/') && !/^@nx-kraft\/kernel\/(place|toolchain)$/.test(name));
}
