// Running machines against bare QEMU with the same kernel: npx node tools/bench/machine/bench.ts
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseScenarios } from '@nx-kraft/machine/scenario';
import { runScenarios, startMachine, type MachinePlan } from '@nx-kraft/machine';
import { buildGuest } from '../../../libs/machine/test/guest.ts';

process.env.NX_KRAFT_TEST_CORE ??= join(import.meta.dirname, '../../test-kernel');

const rounds = 25;
const tests = 20;
const cores = 2;

async function main(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-machine-'));
  try {
    const { kernel } = await buildGuest(folder);
    const plan: MachinePlan = { kernel, architecture: 'x86_64', accelerator: 'tcg', args: ['say', 'hello'] };
    await measureExec('modules as TypeScript', folder, plan, {});
    const cache = { NODE_COMPILE_CACHE: join(folder, 'compiled') };
    await measureExec("with Node's compile cache", folder, plan, cache);
    await measureExecutor(folder, kernel, cache);
    await measureFirstLine(plan);
    await measureTests(plan, folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** From a fresh process that has nothing loaded to QEMU's exec; a stand-in for QEMU notes when it was started. */
async function measureExec(what: string, folder: string, plan: MachinePlan, cache: NodeJS.ProcessEnv): Promise<void> {
  const run = `import('@nx-kraft/machine/run')
    .then(({ runKernel }) => runKernel({ ...${JSON.stringify(plan)}, platform: 'qemu' }))`;
  report(`from hand-over to exec of QEMU, ${what}`, await timeToExec(folder, run, cache), 50, 'ms ');
}

/** The same for the plugin's whole executor: from Nx's call of a process that has nothing loaded, with a Kraftfile to read. */
async function measureExecutor(folder: string, kernel: string, cache: NodeJS.ProcessEnv): Promise<void> {
  const build = join(folder, 'app/.unikraft/build');
  await mkdir(build, { recursive: true });
  await copyFile(kernel, join(build, 'probe_qemu-x86_64'));
  await writeFile(join(build, 'probe_qemu-x86_64.config'), '');
  const kraftfile = 'spec: v0.6\nname: probe\nunikraft: { source: . }\ntargets: [qemu/x86_64]\ncmd: [say, hello]\n';
  await writeFile(join(folder, 'app/Kraftfile'), kraftfile);
  const executor = join(import.meta.dirname, '../../../libs/nx-kraft/src/executors/run/executor.ts');
  const options = { kraftfile: 'app/Kraftfile', accelerator: 'tcg' };
  const run = `import(${JSON.stringify(executor)})
    .then(({ default: run }) => run(${JSON.stringify(options)}, { root: ${JSON.stringify(folder)} }))
    .then(() => Promise.reject(new Error('the stand-in ends at once')))`;
  const time = await timeToExec(folder, run, { ...cache, XDG_STATE_HOME: join(folder, 'state') });
  report('from Nx calling the run executor to exec of QEMU, with the compile cache', time, 50, 'ms ');
}

/** The median time in milliseconds, and what a stand-in for QEMU that fails makes of the run is not looked at. */
async function timeToExec(folder: string, run: string, env: NodeJS.ProcessEnv): Promise<number> {
  const times: number[] = [];
  const note = join(folder, 'started');
  await writeFile(join(folder, 'qemu-system-x86_64'), `#!/bin/sh\ndate +%s%N >'${note}'\n`);
  await chmod(join(folder, 'qemu-system-x86_64'), 0o755);
  const script = `const begin = performance.timeOrigin + performance.now(); ${run}.catch(() => console.log(begin));`;
  for (let round = 0; round < rounds; round++) {
    const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      cwd: import.meta.dirname,
      env: { ...process.env, PATH: `${folder}:${process.env['PATH']}`, ...env },
      encoding: 'utf8',
    });
    times.push(Number(await readFile(note, 'utf8')) / 1e6 - Number(stdout));
  }
  return median(times);
}

/** The two in turn, so that load on the machine meets both. */
async function measureFirstLine(plan: MachinePlan): Promise<void> {
  const times = { bare: [] as number[], ours: [] as number[] };
  for (let round = 0; round < rounds; round++) {
    times.bare.push((await runBare(plan)).firstLine);
    times.ours.push(await firstLineOfOurs(plan));
  }
  const [bare, ours] = [median(times.bare), median(times.ours)];
  report(`first line: ours ${ours.toFixed(1)} ms, bare QEMU ${bare.toFixed(1)} ms, ratio`, ours / bare, 1.1, '');
}

async function runBare({ kernel, args = [] }: MachinePlan): Promise<{ firstLine: number; total: number }> {
  const begin = performance.now();
  const child = spawn(
    'qemu-system-x86_64',
    [
      ...[
        '-no-user-config',
        '-nodefaults',
        '-display',
        'none',
        '-no-reboot',
        '-machine',
        'pc,accel=tcg',
        '-cpu',
        'max',
      ],
      ...['-m', '64M', '-serial', 'stdio', '-kernel', kernel, '-append', args.join(' ')],
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  await once(child.stdout, 'data');
  const firstLine = performance.now() - begin;
  await once(child, 'close');
  return { firstLine, total: performance.now() - begin };
}

async function firstLineOfOurs(plan: MachinePlan): Promise<number> {
  const begin = performance.now();
  let firstLine = 0;
  const machine = await startMachine(plan, {
    onConsole: () => {
      firstLine ||= performance.now() - begin;
    },
  });
  await machine.ended;
  return firstLine;
}

async function measureTests(plan: MachinePlan, folder: string): Promise<void> {
  let bare = 0;
  for (let round = 0; round < tests; round++) bare += (await runBare(plan)).total;
  const names = Array.from({ length: tests }, (_, index) => ({ name: `boot ${index}`, console: ['hello'] }));
  const begin = performance.now();
  const results = await runScenarios({ ...plan, platform: 'qemu' }, parseScenarios(names, ''), { folder, jobs: cores });
  const ours = performance.now() - begin;
  if (results.some(({ mismatches }) => mismatches.length > 0)) throw new Error('a test failed');
  const beginBare = performance.now();
  let left = tests;
  await Promise.all(
    Array.from({ length: cores }, async () => {
      while (left-- > 0) await runBare(plan);
    }),
  );
  const together = performance.now() - beginBare;
  const peer = bare / cores;
  const what = `${tests} boot tests on ${cores} cores: ours ${ours.toFixed(0)} ms, bare runs / ${cores} ${peer.toFixed(0)} ms (really ${cores} at once ${together.toFixed(0)} ms), ratio`;
  report(what, ours / peer, 1.2, '');
}

function report(what: string, value: number, goal: number, unit: string): void {
  process.stdout.write(`${what} ${value.toFixed(2)} ${unit}(goal ${goal})\n`);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}

await main();
