// Our archives against GNU cpio and bsdtar: npx node tools/bench/archive/bench.ts [rounds] [tree]. Needs `nx run
// nx-kraft-workspace:dist` first: what is published is measured.
import { spawnSync } from 'node:child_process';
import { closeSync, cpSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';
import { installPublished } from '../published.ts';
import { makeTree, treeNames } from './trees.ts';

const rounds = Number(process.argv[2] ?? 7);
const folder = mkdtempSync('/dev/shm/bench-archive-');
const output = join(folder, 'output');

interface Contender {
  readonly name: string;
  /** Milliseconds; the second number is resident memory in MiB, where it is known. */
  readonly measure: (tree: string) => { readonly time: number; readonly memory?: number };
}

/** Lies beside the packages that it takes. */
const worker = join(folder, 'worker.ts');
const nxKraft = join(folder, 'node_modules/nx-kraft/bin/nx-kraft.js');
const simplest = join(folder, 'simplest.mjs');

/** A command whose output goes to `output`, from its start to its end. */
function command(name: string, line: (tree: string) => readonly string[]): Contender {
  return {
    name,
    measure: (tree) => {
      rmSync(output, { force: true });
      const [program = '', ...args] = line(tree);
      const out = openSync(output, 'w');
      const start = performance.now();
      const { status, stderr } = spawnSync(program, args, { cwd: tree, stdio: ['ignore', out, 'pipe'] });
      const time = performance.now() - start;
      closeSync(out);
      if (status !== 0) throw new Error(`${name} failed: ${stderr.toString()}`);
      return { time };
    },
  };
}

const env = { ...process.env, NODE_COMPILE_CACHE: join(folder, 'compiled') };

/** Our own code, in a process of its own that tells how long the work took. */
function inProcess(what: 'directory' | 'tar'): Contender {
  return {
    name: 'nx-kraft, in process',
    measure: (tree) => {
      rmSync(output, { force: true });
      const source = what === 'tar' ? `${tree}.tar` : tree;
      const { stdout, stderr, status } = spawnSync(process.execPath, [worker, source, output], {
        encoding: 'utf8',
        env,
      });
      if (status !== 0) throw new Error(stderr);
      return JSON.parse(stdout) as { time: number; memory: number };
    },
  };
}

/** A whole command in Node, from its start to its end. */
function wholeCommand(
  name: string,
  what: 'directory' | 'tar',
  argsFor: (source: string) => readonly string[],
): Contender {
  return {
    name,
    measure: (tree) => {
      rmSync(output, { force: true });
      const start = performance.now();
      const args = argsFor(what === 'tar' ? `${tree}.tar` : tree);
      const { stderr, status } = spawnSync(process.execPath, args, { encoding: 'utf8', env });
      const time = performance.now() - start;
      if (status !== 0) throw new Error(stderr);
      return { time };
    },
  };
}

/** Ours, and what no program in Node can go below. */
function inNode(what: 'directory' | 'tar'): readonly Contender[] {
  return [
    inProcess(what),
    wholeCommand('nx-kraft, whole command', what, (source) => [nxKraft, 'rootfs', source, '--output', output]),
    wholeCommand('simplest program in Node', what, (source) => [simplest, source, output]),
    wholeCommand('Node that does nothing', what, () => ['--eval', '']),
  ];
}

const shell = (script: string) => () => ['sh', '-c', script];
const peers = {
  directory: [
    command('GNU cpio', shell('find . | LC_ALL=C sort | cpio --quiet -o -H newc --reproducible')),
    command('bsdtar', shell('bsdtar --format newc -cf - .')),
  ],
  tar: [command('bsdtar', (tree) => ['bsdtar', '--format', 'newc', '-cf', '-', `@${tree}.tar`])],
} as const;

async function main(): Promise<void> {
  try {
    await installPublished(folder);
    cpSync(join(import.meta.dirname, 'worker.ts'), worker);
    // Ours is published without types, too.
    writeFileSync(simplest, stripTypeScriptTypes(readFileSync(join(import.meta.dirname, 'simplest.ts'), 'utf8')));
    const asked = process.argv[3];
    const names = treeNames.filter((name) => asked === undefined || name === asked);
    if (names.length === 0) throw new Error(`no tree is called '${asked}': ${treeNames.join(', ')}`);
    for (const name of names) {
      const tree = makeTree(name, folder);
      spawnSync('tar', ['--sort=name', '--format=pax', '-C', tree, '-cf', `${tree}.tar`, '.']);
      for (const what of ['directory', 'tar'] as const) report(`${name}: ${what} to CPIO`, what, tree);
      rmSync(tree, { recursive: true });
      rmSync(`${tree}.tar`);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function report(title: string, what: 'directory' | 'tar', tree: string): void {
  const contenders: readonly Contender[] = [...peers[what], ...inNode(what)];
  const times = contenders.map((): number[] => []);
  let memory = 0;
  // One round to warm up; then all in turn, so that load on the machine meets all of them.
  for (let round = 0; round <= rounds; round++) {
    contenders.forEach((contender, index) => {
      const measured = contender.measure(tree);
      memory = Math.max(memory, measured.memory ?? 0);
      if (round > 0) times[index]?.push(measured.time);
    });
  }
  const medians = times.map(median);
  process.stdout.write(`${title} (${memory.toFixed(0)} MiB over Node's own)\n`);
  contenders.forEach(({ name }, index) => {
    const own = medians[index] ?? 0;
    const ratios = peers[what].map((peer, other) => `${(own / (medians[other] ?? 1)).toFixed(2)} of ${peer.name}`);
    const shown = index < peers[what].length ? '' : `  ${ratios.join(', ')}`;
    process.stdout.write(`  ${name.padEnd(24)} ${own.toFixed(0).padStart(6)} ms${shown}\n`);
  });
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

void main();
