// Writes what is published into `dist`: each package as plain JavaScript with declarations, beside the files that it
// needs as they are. The manifests of the packages name sources, which run as they are here but not from node_modules.
import { cp, glob, mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { extname, join, resolve } from 'node:path';
import { run } from '@nx-kraft/base';
import { bundlePlugin } from './bundle.ts';

const root = resolve(import.meta.dirname, '../..');
const libs = join(root, 'libs');
const dist = join(root, 'dist');
const plugin = 'nx-kraft';

/** Where Nx reads which modules of the plugin do what. */
const lists = ['executors.json', 'generators.json', 'migrations.json'];

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
const bundled = await bundleInstead();
for (const room of await readdir(libs)) {
  await copyFiles(join(libs, room), join(dist, room), ['node_modules', 'test']);
  await cp(join(root, 'LICENSE'), join(dist, room, 'LICENSE'));
  await writeJson(join(dist, room, 'package.json'), published(await readManifest(room), room));
}
for (const list of lists) {
  const named = await readList(list, (path) => bundled[`${path}.ts`] ?? path);
  await writeJson(join(dist, plugin, list), named);
}

/** Puts a bundle where the plugin's own modules are, and gives its files for the sources that manifest and lists name. */
async function bundleInstead(): Promise<Exports> {
  for await (const file of glob(join(dist, plugin, 'src/**/*.js'))) await rm(file);
  const { exports = {}, imports = {} } = await readManifest(plugin);
  const sources = new Set(
    [...Object.values(exports), ...Object.values(imports)].filter((path) => path.endsWith('.ts')),
  );
  for (const list of lists) {
    await readList(list, (path) => {
      sources.add(`${path}.ts`);
      return path;
    });
  }
  return bundlePlugin(libs, join(dist, plugin), [...sources]);
}

async function readManifest(room: string): Promise<Manifest> {
  return JSON.parse(await readFile(join(libs, room, 'package.json'), 'utf8')) as Manifest;
}

/** What a list says, with other paths of modules; what stands behind `#` is which of a module's functions is meant. */
async function readList(list: string, change: (path: string) => string): Promise<unknown> {
  const text = await readFile(join(libs, plugin, list), 'utf8');
  return JSON.parse(text, (key, value: unknown) =>
    /implementation$/i.test(key) ? String(value).replace(/^[^#]+/, change) : value,
  );
}

async function writeJson(file: string, value: unknown): Promise<void> {
  await writeFile(file, `${JSON.stringify(value, null, 2)}\n`);
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

/** The manifest with JavaScript and declarations where it has sources, and without what only this repository needs. */
function published({ exports = {}, imports, ...manifest }: Manifest, room: string): Record<string, unknown> {
  const compiled = (path: string): string =>
    (room === plugin ? bundled[path] : undefined) ?? path.replace(/\.ts$/, '.js');
  return {
    ...Object.fromEntries(Object.entries(manifest).filter(([field]) => !['devDependencies', 'nx'].includes(field))),
    exports: mapValues(exports, (path) =>
      path.endsWith('.ts') ? { types: path.replace(/\.ts$/, '.d.ts'), default: compiled(path) } : path,
    ),
    ...(imports === undefined ? {} : { imports: mapValues(imports, compiled) }),
    publishConfig: { access: 'public' },
  };
}

function mapValues<Value>(entries: Exports, change: (path: string) => Value): Record<string, Value> {
  return Object.fromEntries(Object.entries(entries).map(([name, path]) => [name, change(path)]));
}
