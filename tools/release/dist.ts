// Writes what is published into `dist`: each package as plain JavaScript with declarations, beside the files that it
// needs as they are. The manifests of the packages name sources, which run as they are here but not from node_modules.
import { cp, mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { extname, join, resolve } from 'node:path';
import { run } from '@nx-kraft/base';
import { bundlePlugin } from './bundle.ts';

const root = resolve(import.meta.dirname, '../..');
const libs = join(root, 'libs');
const dist = join(root, 'dist');

type Exports = Readonly<Record<string, string>>;

interface Manifest {
  readonly exports?: Exports;
  readonly imports?: Exports;
  readonly [field: string]: unknown;
}

await rm(dist, { recursive: true, force: true });
await run(process.execPath, [
  join(root, 'node_modules/typescript/bin/tsc'),
  '--project',
  join(import.meta.dirname, 'tsconfig.json'),
]);
const bundled = await bundlePlugin(libs, join(dist, 'nx-kraft'));
for (const room of await readdir(libs)) {
  await copyFiles(join(libs, room), join(dist, room), ['node_modules', 'test']);
  await cp(join(root, 'LICENSE'), join(dist, room, 'LICENSE'));
  const manifest = JSON.parse(await readFile(join(libs, room, 'package.json'), 'utf8')) as Manifest;
  await writeFile(
    join(dist, room, 'package.json'),
    `${JSON.stringify(published(manifest, room === 'nx-kraft' ? bundled : {}), null, 2)}\n`,
  );
}

/** All that is no TypeScript: schemas, templates, scripts, documents. */
async function copyFiles(from: string, to: string, without: readonly string[]): Promise<void> {
  await mkdir(to, { recursive: true });
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const [source, copy] = [join(from, entry.name), join(to, entry.name)];
    if (without.includes(entry.name)) continue;
    if (entry.isDirectory()) await copyFiles(source, copy, ['__snapshots__']);
    else if (extname(entry.name) !== '.ts' && entry.name !== 'package.json') await cp(source, copy);
  }
}

/**
 * The manifest with JavaScript and declarations where it has sources, and without what only this repository needs.
 *
 * @param bundled  the JavaScript of sources that are not compiled one by one
 */
function published({ exports = {}, imports, ...manifest }: Manifest, bundled: Exports): Record<string, unknown> {
  return {
    ...Object.fromEntries(Object.entries(manifest).filter(([field]) => !['devDependencies', 'nx'].includes(field))),
    exports: mapValues(exports, (path) =>
      path.endsWith('.ts') ? { types: path.replace(/\.ts$/, '.d.ts'), default: bundled[path] ?? compiled(path) } : path,
    ),
    ...(imports === undefined ? {} : { imports: mapValues(imports, compiled) }),
    publishConfig: { access: 'public' },
  };
}

function compiled(path: string): string {
  return path.replace(/\.ts$/, '.js');
}

function mapValues<Value>(entries: Exports, change: (path: string) => Value): Record<string, Value> {
  return Object.fromEntries(Object.entries(entries).map(([name, path]) => [name, change(path)]));
}
