import { randomUUID } from 'node:crypto';
import { closeSync, openSync, writeSync } from 'node:fs';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { isAlive, run, withLock } from '@nx-kraft/base';
import { cachesFolder } from './files.ts';

/** How make is started so that it runs as many jobs as it may. */
export interface Jobs {
  readonly makeFlags: string;
  readonly wrap: (program: string, args: readonly string[]) => readonly [string, readonly string[]];
}

/**
 * Lets several makes share the processors: each has one job of its own, and takes a token from a common pipe for every
 * further one, so that a single build uses the whole machine and many together do not overload it. That is the protocol
 * of GNU make's jobserver (its manual, 13.1), by a named pipe, since the builds are processes of different tasks.
 *
 * A build that is killed takes its tokens along; the others then have fewer, until all have ended.
 *
 * @param jobs  an exact number for this make alone, which shares nothing then
 */
export async function withJobs<Result>(
  jobs: number | undefined,
  work: (jobs: Jobs) => Promise<Result>,
): Promise<Result> {
  if (jobs !== undefined) return work({ makeFlags: `-j${jobs}`, wrap: (program, args) => [program, args] });
  const folder = join(cachesFolder(), 'jobs');
  const pipe = join(folder, 'tokens');
  const user = join(folder, `${process.pid}-${randomUUID()}.user`);
  await mkdir(folder, { recursive: true });
  const alone = <T>(change: () => Promise<T>): Promise<T> => withLock(join(folder, 'lock'), change);

  const descriptor = await alone(async () => {
    const opened = (await hasUsers(folder)) ? openSync(pipe, 'r+') : await makePipe(pipe, availableParallelism() - 1);
    await writeFile(user, '');
    return opened;
  });
  try {
    const script = join(import.meta.dirname, 'with-jobs.sh');
    return await work({
      makeFlags: `-j${availableParallelism()} --jobserver-auth=3,3`,
      wrap: (program, args) => ['/bin/sh', [script, pipe, program, ...args]],
    });
  } finally {
    // A pipe forgets what is in it when nobody has it open: those who come now must know whether it is.
    await alone(() => rm(user));
    closeSync(descriptor);
  }
}

/** Whether other builds use the pipe; marks of those that were killed are taken away. */
async function hasUsers(folder: string): Promise<boolean> {
  const marks = (await readdir(folder)).filter((name) => name.endsWith('.user'));
  const gone = marks.filter((name) => !isAlive(Number.parseInt(name, 10)));
  await Promise.all(gone.map((name) => rm(join(folder, name))));
  return gone.length < marks.length;
}

async function makePipe(pipe: string, tokens: number): Promise<number> {
  await rm(pipe, { force: true });
  await run('mkfifo', [pipe]);
  const descriptor = openSync(pipe, 'r+');
  writeSync(descriptor, '+'.repeat(tokens));
  return descriptor;
}
