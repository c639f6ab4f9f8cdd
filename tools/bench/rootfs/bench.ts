// Dockerfiles to CPIO against Docker's own client: npx node tools/bench/rootfs/bench.ts [rounds]
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Rootfs, type RootfsRequest, buildRootfs } from '@nx-kraft/rootfs';
import { startEngine } from '../../../libs/rootfs/test/engine.ts';
import { makeTree } from '../archive/trees.ts';

const rounds = Number(process.argv[2] ?? 7);

async function main(): Promise<void> {
  const folder = mkdtempSync('/dev/shm/bench-rootfs-');
  const engine = await startEngine();
  try {
    await measureSmall(folder);
    for (const name of ['python', 'small-files'] as const) {
      const context = join(folder, 'context');
      mkdirSync(context, { recursive: true });
      makeTree(name, context);
      writeFileSync(join(context, 'Dockerfile'), `FROM scratch\nCOPY ${name} /\nENV A=1\n`);
      await measureAgainstDocker(name, context, engine.host);
      rmSync(context, { recursive: true });
    }
  } finally {
    await engine.stop();
    rmSync(folder, { recursive: true });
  }
}

/** A Dockerfile that copies one program and its configuration, from a process that has done nothing yet and again. */
async function measureSmall(folder: string): Promise<void> {
  const context = join(folder, 'small');
  mkdirSync(context);
  writeFileSync(join(context, 'server'), Buffer.alloc(2 ** 20, 'x'));
  writeFileSync(join(context, 'server.conf'), 'port 80\n');
  writeFileSync(join(context, 'Dockerfile'), 'FROM scratch\nCOPY server /server\nCOPY *.conf /etc/\nCMD ["/server"]\n');
  const times: number[] = [];
  for (let round = 0; round <= rounds; round++) times.push(await timeOf(() => build(context, { builder: 'embedded' })));
  print(`two COPY from scratch, embedded: ${format(times[0])} the first time, ${format(median(times.slice(1)))} then`);
}

async function measureAgainstDocker(name: string, context: string, host: string): Promise<void> {
  const env = { ...process.env, DOCKER_HOST: host };
  const times: Record<'docker' | 'engine' | 'embedded', number[]> = { docker: [], engine: [], embedded: [] };
  for (let round = 0; round <= rounds; round++) {
    const docker = await timeOf(() => Promise.resolve(dockerBuild(context, host)));
    const engine = await timeOf(() => build(context, { builder: 'docker', env }));
    const embedded = await timeOf(() => build(context, { builder: 'embedded' }));
    // The first round fills the engine's cache.
    if (round === 0) continue;
    times.docker.push(docker);
    times.engine.push(engine);
    times.embedded.push(embedded);
  }
  const own = median(times.docker);
  print(`COPY of ${name}, nothing changed since the last build:`);
  print(`  docker build -o type=tar       ${format(own)}`);
  print(`  ours with the same engine      ${format(median(times.engine))}  ${(median(times.engine) / own).toFixed(2)}`);
  print(
    `  ours without any builder       ${format(median(times.embedded))}  ${(median(times.embedded) / own).toFixed(2)}`,
  );
  printMemory('memory with the engine       ', () => memoryOf(context, host));
  printMemory('memory while it gets the files', () => memoryOfFirst(context, host));
}

function printMemory(what: string, measure: () => number): void {
  const memory = Array.from({ length: rounds }, measure);
  const [least, most] = [Math.min(...memory), Math.max(...memory)].map((one) => one.toFixed(0));
  print(`  ${what} ${least}–${most} MiB over Node's own`);
}

/** The same for a context that the engine has not seen yet. */
function memoryOfFirst(context: string, host: string): number {
  const copy = mkdtempSync(`${context}-`);
  cpSync(context, copy, { recursive: true });
  try {
    return memoryOf(copy, host);
  } finally {
    rmSync(copy, { recursive: true });
  }
}

/** MiB over Node's own that one build by the engine takes, in a process of its own. */
function memoryOf(context: string, host: string): number {
  const args = [join(import.meta.dirname, 'worker.ts'), context, join(context, '../rootfs.cpio'), host];
  const { stdout, stderr, status } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return Number(stdout);
}

function build(context: string, options: Partial<RootfsRequest>): Promise<Rootfs> {
  return buildRootfs({ source: 'Dockerfile', baseDirectory: context, ...options }, join(context, '../rootfs.cpio'));
}

function dockerBuild(context: string, host: string): void {
  const output = `type=tar,dest=${join(context, '../docker.tar')}`;
  const { status, stderr } = spawnSync('/usr/bin/docker', ['build', '--network=none', '-o', output, context], {
    env: { ...process.env, DOCKER_HOST: host, DOCKER_BUILDKIT: '1' },
  });
  if (status !== 0) throw new Error(stderr.toString());
}

async function timeOf(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

function format(time = 0): string {
  return `${time.toFixed(time < 10 ? 1 : 0).padStart(5)} ms`;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

void main();
