import { existsSync, readFileSync } from 'node:fs';
import { stat, statfs } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { hasErrorCode } from '@nx-kraft/base';
import { openStore } from '@nx-kraft/components';
import { sharedObjectsRoot } from '@nx-kraft/kernel';
import { defaultStoreFolder } from '@nx-kraft/oci';
import type { Check, Finding, Surroundings } from '../check.ts';
import { packageFolder } from '../../tasks/version.ts';

const subject = 'Workspace';
const gigabyte = 1024 ** 3;
/** Less than this (bytes) is soon full: the sources of a kernel and its objects take about a quarter of it. */
const littleSpace = 2 * gigabyte;

function readJson(file: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

function probeNode(): Promise<Finding> {
  // The command has started, so it is new enough; which one it is, that of the workspace or the machine's, matters.
  return Promise.resolve({ state: 'ok', detail: `${process.version} (${process.execPath})` });
}

function probeNx({ root }: Surroundings): Promise<Finding> {
  const range = peerRange();
  const remedy = `npm install --save-dev nx@${range.newest}`;
  try {
    const file = createRequire(join(root, 'package.json')).resolve('nx/package.json');
    const version = String(readJson(file)?.['version']);
    const major = Number(version.split('.')[0]);
    if (major >= range.oldest && major <= range.newest) return Promise.resolve({ state: 'ok', detail: version });
    const detail = `${version}; the plugin needs ${range.oldest} or ${range.newest}`;
    return Promise.resolve({ state: 'broken', detail, remedy });
  } catch (error) {
    if (!hasErrorCode(error, 'MODULE_NOT_FOUND')) throw error;
    return Promise.resolve({ state: 'missing', detail: `not installed in ${root}`, remedy });
  }
}

/** The majors of Nx that the plugin's package asks for: `>=23 <25` is 23 to 24. */
function peerRange(): { readonly oldest: number; readonly newest: number } {
  const { peerDependencies } = readJson(join(packageFolder, 'package.json')) as {
    peerDependencies: Readonly<Record<string, string>>;
  };
  const [, oldest, above] = /^>=(\d+) <(\d+)$/.exec(peerDependencies['nx'] ?? '') ?? [];
  return { oldest: Number(oldest), newest: Number(above) - 1 };
}

function probePlugin({ root }: Surroundings): Promise<Finding> {
  const plugins = (readJson(join(root, 'nx.json'))?.['plugins'] ?? []) as readonly (string | { plugin: string })[];
  const names = plugins.map((plugin) => (typeof plugin === 'string' ? plugin : plugin.plugin));
  if (names.includes('nx-kraft')) return Promise.resolve({ state: 'ok', detail: 'nx.json names nx-kraft' });
  const remedy = 'Add "nx-kraft" to "plugins" in nx.json, in the root of an Nx workspace.';
  return Promise.resolve({ state: 'missing', detail: `no nx.json in ${root} that names nx-kraft`, remedy });
}

async function probeDisk({ root, env }: Surroundings): Promise<Finding> {
  const places = {
    workspace: root,
    "Nx's cache": env['NX_CACHE_DIRECTORY'] ?? join(root, '.nx/cache'),
    sources: openStore({ environment: env }).folder,
    objects: sharedObjectsRoot(),
    images: env['NX_KRAFT_IMAGES'] ?? defaultStoreFolder(),
    'temporary files': tmpdir(),
  };
  const disks = new Map<number, { readonly names: string[]; readonly folder: string; readonly bytes: number }>();
  for (const [name, place] of Object.entries(places)) {
    const folder = existing(resolve(root, place));
    const { dev } = await stat(folder);
    const { bavail, bsize } = await statfs(folder);
    const disk = disks.get(dev) ?? { names: [], folder, bytes: bavail * bsize };
    disk.names.push(name);
    disks.set(dev, disk);
  }
  const free = [...disks.values()];
  const told = free.map(({ names, bytes }) => `${(bytes / gigabyte).toFixed(1)} GiB (${names.join(', ')})`);
  const detail = `free: ${told.join(', ')}`;
  const full = free.filter(({ bytes }) => bytes < littleSpace);
  if (full.length === 0) return { state: 'ok', detail };
  const folders = full.map(({ folder }) => folder).join(', ');
  const remedy = `Make room on the disks of ${folders}: nx reset, nx-kraft store prune, nx-kraft pkg prune.`;
  return { state: 'broken', detail, remedy };
}

/** The folder, or the one above it that is there. */
function existing(folder: string): string {
  return existsSync(folder) ? folder : existing(dirname(folder));
}

export const workspaceChecks: readonly Check[] = [
  { subject, name: 'Node.js', needed: true, cost: 'Nothing runs.', probe: probeNode },
  { subject, name: 'Nx', needed: false, cost: 'Projects have no tasks; the command nx-kraft works.', probe: probeNx },
  { subject, name: 'plugin', needed: false, cost: 'Kraftfiles do not become projects.', probe: probePlugin },
  { subject, name: 'disk space', needed: false, cost: 'Builds fail half way when a disk is full.', probe: probeDisk },
];
