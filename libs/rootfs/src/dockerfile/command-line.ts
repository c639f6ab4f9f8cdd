import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ProgramFault, run } from '@nx-kraft/base';
import { RootfsFault } from '../fault.ts';
import { readTar } from '../tar-file.ts';
import type { BuildJob } from './job.ts';

/**
 * Builds with podman or buildah, and gives the result to `take` as a tar archive. They read the context from the disk
 * themselves, so files have the modes that they have there.
 *
 * @throws RootfsFault BUILD_FAILED with the program's last line
 */
export async function buildWithProgram(
  program: 'podman' | 'buildah',
  job: BuildJob,
  { scratch, env }: { readonly scratch: string; readonly env: NodeJS.ProcessEnv },
  take: (chunk: Uint8Array) => void,
): Promise<void> {
  const tar = join(scratch, 'result.tar');
  try {
    await run(program, buildArguments(program, job, tar, writeSecrets(job, scratch)), {
      env,
      onLine: job.onLine,
      signal: job.signal,
    });
    await readTar(tar, take);
  } catch (error) {
    if (!(error instanceof ProgramFault)) throw error;
    const [last = error.message] = error.output.trimEnd().split('\n').reverse();
    const line = /STEP \d+\/\d+/.test(error.output) ? lineOf(error.output, job) : undefined;
    throw new RootfsFault('BUILD_FAILED', last, {
      at: line === undefined ? job.dockerfile.path : `${job.dockerfile.path}:${line}`,
      hint: `The lines above are what ${program} said.`,
      cause: error,
    });
  } finally {
    rmSync(tar, { force: true });
  }
}

/** The command line; both programs take the same options for this. */
export function buildArguments(
  program: 'podman' | 'buildah',
  job: BuildJob,
  tar: string,
  secretFiles: ReadonlyMap<string, string>,
): string[] {
  const contexts = { ...job.localContextPaths, ...job.remoteContexts };
  return [
    'build',
    ...(program === 'podman' ? ['--format', 'oci'] : []),
    '--file',
    job.dockerfile.path,
    '--platform',
    job.platform,
    ...(job.target === undefined ? [] : ['--target', job.target]),
    ...(job.noCache ? ['--no-cache'] : ['--layers']),
    ...(job.network === undefined ? [] : ['--network', job.network]),
    ...Object.entries(job.buildArgs).flatMap(([name, value]) => ['--build-arg', `${name}=${value}`]),
    ...Object.entries(contexts).flatMap(([name, value]) => ['--build-context', `${name}=${value}`]),
    ...[...secretFiles].flatMap(([id, file]) => ['--secret', `id=${id},src=${file}`]),
    ...[...job.sshAgents].flatMap(([id, socket]) => ['--ssh', `${id}=${socket}`]),
    '--output',
    `type=tar,dest=${tar}`,
    job.contextPath,
  ];
}

/** Secrets reach these programs as files only; the scratch directory is this user's own and goes after the build. */
function writeSecrets({ secrets }: BuildJob, scratch: string): Map<string, string> {
  return new Map(
    [...secrets].map(([id, read], index) => {
      const path = join(scratch, `secret-${index}`);
      writeFileSync(path, read(), { mode: 0o600 });
      return [id, path];
    }),
  );
}

/** The step that ran last: `STEP 2/3: RUN make`. */
function lineOf(output: string, { dockerfile }: BuildJob): number | undefined {
  const step = [...output.matchAll(/^STEP \d+\/\d+: (.+)$/gm)].at(-1)?.[1];
  return dockerfile.instructions.find(({ keyword, rest }) => step === `${keyword} ${rest}`)?.line;
}
