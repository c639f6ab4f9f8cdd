import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { run } from '@nx-kraft/base';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { withJobs } from './jobs.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'jobs-'));
  vi.stubEnv('XDG_CACHE_HOME', folder);
  const jobs = Array.from({ length: 12 }, (_, index) => `job${index}`).join(' ');
  // A line of the log is one write, so that lines of jobs which run together do not mix.
  await writeFile(
    join(folder, 'Makefile'),
    `all: ${jobs}\n${jobs}:\n\t@echo + >> log; sleep 0.2; echo - >> log\n.PHONY: all ${jobs}\n`,
  );
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

function make(jobs?: number, signal?: AbortSignal): Promise<string> {
  return withJobs(jobs, ({ makeFlags, wrap }) => {
    const [program, args] = wrap('make', ['-C', folder, 'all']);
    return run(program, args, { env: { MAKEFLAGS: makeFlags, MAKELEVEL: undefined }, signal });
  });
}

/** How many jobs ran at once since the last call. */
async function most(): Promise<number> {
  const log = await readFile(join(folder, 'log'), 'utf8');
  await rm(join(folder, 'log'));
  let now = 0;
  return Math.max(...log.split('\n').map((line) => (now += line === '+' ? 1 : line === '-' ? -1 : 0)));
}

const processors = availableParallelism();

test('builds share the processors: one uses all, three have one more each than what they share', async () => {
  await make();
  expect(await most()).toBe(Math.min(processors, 12));
  await Promise.all([make(), make(), make()]);
  expect(await most()).toBeLessThanOrEqual(processors + 2);
  await make();
  expect(await most()).toBe(Math.min(processors, 12));
});

test('a number that was asked for counts for this build alone', async () => {
  await Promise.all([make(3), make(1)]);
  expect(await most()).toBe(4);
});

test('a build that is stopped in the middle takes nothing from those after it', async () => {
  const stop = new AbortController();
  const stopped = expect(make(undefined, stop.signal)).rejects.toThrow();
  while (!existsSync(join(folder, 'log'))) await sleep(20);
  stop.abort();
  await stopped;
  await rm(join(folder, 'log'));
  await make();
  expect(await most()).toBe(Math.min(processors, 12));
});
