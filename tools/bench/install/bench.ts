// What the plugin costs who installs it: bytes on the disk, the time to load its entry, and the time of a generator.
//   npx node tools/bench/install/bench.ts
// Peers of the same run: @nx/devkit for loading, Nx's own start for the generator.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

const repository = resolve(import.meta.dirname, '../../..');
const rounds = 9;

/** What the plugin was asked to be made with, and Nx itself. */
const askedFor = ['nx', '@nx/devkit', 'execa', 'yaml', 'zod', 'tar-stream'];

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
}

/** A workspace with the packages as they are published. */
async function makeWorkspace(): Promise<string> {
  const nx = join(repository, 'node_modules/.bin/nx');
  execFileSync(nx, ['run', 'nx-kraft-workspace:dist'], { cwd: repository, stdio: 'ignore' });
  const folder = await mkdtemp(join(tmpdir(), 'bench-install-'));
  const modules = join(folder, 'node_modules');
  await mkdir(join(modules, '@nx-kraft'), { recursive: true });
  for (const name of await readdir(join(repository, 'node_modules'))) {
    if (name.endsWith('nx-kraft')) continue;
    await symlink(join(repository, 'node_modules', name), join(modules, name));
  }
  for (const room of await readdir(join(repository, 'dist'))) {
    const name = room === 'nx-kraft' ? room : `@nx-kraft/${room}`;
    await cp(join(repository, 'dist', room), join(modules, name), { recursive: true });
  }
  await writeFile(join(folder, 'package.json'), JSON.stringify({ name: 'bench', private: true }));
  await writeFile(
    join(folder, 'nx.json'),
    JSON.stringify({ plugins: ['nx-kraft'], neverConnectToCloud: true, analytics: false }),
  );
  return folder;
}

/** The bytes of each package that comes with the plugin, by its name. */
function packageSizes(workspace: string): ReadonlyMap<string, number> {
  const sizes = new Map<string, number>();
  const visit = (name: string, from: string): void => {
    const folder = [from, dirname(from), workspace]
      .map((place) => join(place, 'node_modules', name))
      .find((candidate) => existsSync(join(candidate, 'package.json')));
    if (folder === undefined || sizes.has(name)) return;
    sizes.set(name, folderSize(folder));
    const { dependencies = {} } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;
    for (const needed of Object.keys(dependencies)) visit(needed, folder);
  };
  visit('nx-kraft', workspace);
  return sizes;
}

function folderSize(folder: string): number {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true });
  return files
    .filter(
      (entry) => entry.isFile() && !join(entry.parentPath, entry.name).slice(folder.length).includes('/node_modules/'),
    )
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
}

function time(work: () => void): number {
  const started = performance.now();
  work();
  return performance.now() - started;
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(2);

const workspace = await makeWorkspace();
try {
  const sizes = [...packageSizes(workspace)];
  const sum = (chosen: (name: string) => boolean): number =>
    sizes.filter(([name]) => chosen(name)).reduce((total, [, size]) => total + size, 0);
  const isOurs = (name: string): boolean => name === 'nx-kraft' || name.startsWith('@nx-kraft/');
  const ours = sum(isOurs);
  const others = sum((name) => !isOurs(name) && !askedFor.includes(name));
  process.stdout.write('| unpacked | MB |\n| --- | --- |\n');
  process.stdout.write(`| the packages of this repository | ${megabytes(ours)} |\n`);
  process.stdout.write(`| what their dependencies bring along | ${megabytes(others)} |\n`);
  process.stdout.write(`| both | ${megabytes(ours + others)} |\n`);
  const asked = sum((name) => !isOurs(name) && askedFor.includes(name));
  process.stdout.write(`| asked for: execa, yaml, zod, tar-stream | ${megabytes(asked)} |\n\n`);

  const env = {
    ...process.env,
    NX_DAEMON: 'false',
    CI: 'true',
    NX_WORKSPACE_DATA_DIRECTORY: join(workspace, '.nx/data'),
  };
  /** Processor time of an import in a process of its own: wall time tells more about what else runs here. */
  const load = (name: string): number => {
    const script = `const before = process.cpuUsage(); await import('${name}');
      const { user, system } = process.cpuUsage(before); process.stdout.write(String((user + system) / 1000));`;
    const told = execFileSync(process.execPath, ['--input-type=module', '-e', script], { cwd: workspace, env });
    return Number(told.toString());
  };
  let made = 0;
  const nx = (...args: readonly string[]): void => {
    execFileSync(join(workspace, 'node_modules/.bin/nx'), args, { cwd: workspace, env, stdio: 'ignore' });
  };
  const measured = {
    entry: () => load('nx-kraft'),
    devkit: () => load('@nx/devkit'),
    start: () => time(() => nx('show', 'projects')),
    app: () => time(() => nx('g', 'nx-kraft:app', `apps/app${made++}`, '--template=typescript', '--skipFormat')),
  };
  await writeFile(
    join(workspace, 'package.json'),
    // As a workspace that has the template's packages already: npm's own time is not the generator's.
    JSON.stringify({
      name: 'bench',
      devDependencies: { rolldown: '1.2.19', typescript: '5.9.3', '@types/node': '24.19.2' },
    }),
  );
  const times = Object.fromEntries(Object.keys(measured).map((name) => [name, [] as number[]]));
  for (let round = 0; round < rounds; round++) {
    for (const [name, work] of Object.entries(measured)) times[name]?.push(work());
  }
  const of = (name: keyof typeof measured): number => median(times[name] ?? []);
  process.stdout.write('| what | ms | peer | ms | ratio | more, ms |\n| --- | --- | --- | --- | --- | --- |\n');
  const row = (what: string, ms: number, peer: string, peerMs: number): void => {
    const ratio = (ms / peerMs).toFixed(2);
    process.stdout.write(
      `| ${what} | ${ms.toFixed(0)} | ${peer} | ${peerMs.toFixed(0)} | ${ratio} | ${(ms - peerMs).toFixed(0)} |\n`,
    );
  };
  row("the plugin's entry, CPU", of('entry'), '@nx/devkit, CPU', of('devkit'));
  row('nx g nx-kraft:app', of('app'), 'nx show projects', of('start'));
} finally {
  await rm(workspace, { recursive: true, force: true });
}
