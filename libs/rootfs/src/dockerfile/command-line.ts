import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ProgramFault, run } from '@nx-kraft/base';
import { RootfsFault } from '../fault.ts';
import { layOut } from '../lay-out.ts';
import { readTar } from '../tar-file.ts';
import type { BuildJob } from './job.ts';
import { showLine } from './show-line.ts';
import { mountsFiles } from './stages.ts';

/**
 * Builds with podman or buildah, and gives the result to `take` as a tar archive. They read contexts from the disk
 * themselves, with the modes that they find there, and know fewer ignore files than we do: they are given copies.
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
    await run(program, buildArguments(program, job, tar, writeFiles(job, scratch)), {
      env,
      onLine: job.onLine,
      signal: job.signal,
    });
    await readTar(tar, take);
  } catch (error) {
    if (!(error instanceof ProgramFault)) throw error;
    const [last = error.message] = error.output.trimEnd().split('\n').reverse();
    const line = /STEP \d+\/\d+/.test(error.output) ? lineOf(error.output, job) : undefined;
    throw new RootfsFault('BUILD_FAILED', last + showLine(job.dockerfile.path, line), {
      at: line === undefined ? job.dockerfile.path : `${job.dockerfile.path}:${line}`,
      hint: error.output.includes('short-name')
        ? 'Docker takes it from docker.io, and so does nx sync: write that in front of it, or lock it.'
        : `The lines above are what ${program} said.`,
      cause: error,
    });
  } finally {
    rmSync(tar, { force: true });
  }
}

/** What a program reads of a build, as files and directories of its own. */
interface JobFiles {
  readonly dockerfile: string;
  readonly context: string;
  /** By name, further contexts. */
  readonly contexts: Readonly<Record<string, string>>;
  /** By id. */
  readonly secrets: Readonly<Record<string, string>>;
}

/** Secrets reach these programs as files only; the scratch directory is this user's own and goes after the build. */
function writeFiles(job: BuildJob, scratch: string): JobFiles {
  const path = (name: string): string => join(scratch, name);
  writeFileSync(path('Dockerfile'), job.text);
  layOut(job.context, path('context'));
  const contexts = [...job.localContexts].map(([name, root], index) => {
    layOut(root, path(`context-${index}`));
    return [name, path(`context-${index}`)] as const;
  });
  const secrets = [...job.secrets].map(([id, read], index) => {
    writeFileSync(path(`secret-${index}`), read(), { mode: 0o600 });
    return [id, path(`secret-${index}`)] as const;
  });
  return {
    dockerfile: path('Dockerfile'),
    context: path('context'),
    contexts: Object.fromEntries(contexts),
    secrets: Object.fromEntries(secrets),
  };
}

/** The command line; both programs take the same options for this. */
function buildArguments(program: 'podman' | 'buildah', job: BuildJob, tar: string, files: JobFiles): string[] {
  const each = (option: string, values: Readonly<Record<string, string>>): string[] =>
    Object.entries(values).flatMap(([name, value]) => [option, `${name}=${value}`]);
  return [
    'build',
    ...(program === 'podman' ? ['--format', 'oci'] : []),
    '--file',
    files.dockerfile,
    // What is ignored is not there; a file of that name in the context is just one.
    '--ignorefile',
    '/dev/null',
    '--platform',
    job.platform,
    ...(job.target === undefined ? [] : ['--target', job.target]),
    ...(job.noCache || mountsAny(job) ? ['--no-cache'] : ['--layers']),
    ...(job.network === undefined ? [] : ['--network', job.network]),
    ...each('--build-arg', job.buildArgs),
    ...each('--build-context', { ...files.contexts, ...job.remoteContexts }),
    ...Object.entries(files.secrets).flatMap(([id, file]) => ['--secret', `id=${id},src=${file}`]),
    ...each('--ssh', Object.fromEntries(job.sshAgents)),
    '--output',
    `type=tar,dest=${tar}`,
    files.context,
  ];
}

/** Their cache knows a command by its text, and takes what it made for what it would make of other files that a mount shows. */
function mountsAny({ dockerfile }: BuildJob): boolean {
  return dockerfile.instructions.some(({ flags }) => flags.some(mountsFiles));
}

/** The step that ran last: `STEP 2/3: RUN make`, with the number of its stage in front where there are several. */
function lineOf(output: string, { dockerfile }: BuildJob): number | undefined {
  const step = [...output.matchAll(/^(?:\[\d+\/\d+\] )?STEP \d+\/\d+: (.+)$/gm)].at(-1)?.[1];
  return dockerfile.instructions.find(({ keyword, rest }) => step === `${keyword} ${rest}`)?.line;
}
