import { cp, readFile } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import { build } from 'rolldown';

/** As deep in the package as the plugin's modules, some of which tell by their own place where the package is. */
const place = 'src/plugin';

/** What Nx loads as the plugin, and the programs that this starts, which it looks for beside itself. */
const entries = ['index', 'plugin', 'tasks/tell-details', 'remote-cache/guard-process'];

/** Scripts that modules start from beside themselves. */
const scripts = ['kernel/src/canonical-place.sh'];

/** The modules that look for other files from where they are, all of which find them from the bundle, too. */
const placed = [
  'kernel/src/place.ts',
  'nx-kraft/src/remote-cache/run-guard.ts',
  'nx-kraft/src/tasks/prepare-inputs.ts',
  'nx-kraft/src/tasks/version.ts',
];

/**
 * Puts the modules together that Nx loads as the plugin, with each command anew: to load so many small ones takes longer
 * than what they do. Among them is zod, in nearly a hundred modules, which are loaded when a Kraftfile is new; other
 * libraries are seldom needed. What tasks and commands load stays as it is.
 *
 * @param libs  the folder of the packages' sources
 * @param published  the folder of the plugin's package as it is published
 * @returns what the package gives instead of which source
 * @throws Error when a module looks for files and nobody has seen to it that they are there
 */
export async function bundlePlugin(libs: string, published: string): Promise<Readonly<Record<string, string>>> {
  const { output } = await build({
    input: entries.map((entry) => join(libs, 'nx-kraft/src', `${entry}.ts`)),
    platform: 'node',
    external: (id) => /^[^./]/.test(id) && !/^(@nx-kraft\/.*|zod)$/.test(id),
    output: { dir: join(published, place), cleanDir: true },
  });
  for (const module of output.flatMap((file) => (file.type === 'chunk' ? file.moduleIds : []))) {
    const name = relative(libs, module);
    if (!placed.includes(name) && (await readFile(module, 'utf8')).includes('import.meta.dirname'))
      throw new Error(`${name} looks for files from where it is: see that they are beside the bundle as well`);
  }
  for (const script of scripts) await cp(join(libs, script), join(published, place, basename(script)));
  await cp(join(libs, '../node_modules/zod/LICENSE'), join(published, place, 'LICENSE.zod'));
  return { './src/index.ts': `./${place}/index.js`, './src/plugin.ts': `./${place}/plugin.js` };
}
