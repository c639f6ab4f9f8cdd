import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { basename } from 'node:path';
import { type DirectoryNode, emptyDirectory, toByteName, toText } from '@nx-kraft/archive';
import { hasErrorCode } from '@nx-kraft/base';
import type { BuildJob } from '../dockerfile/job.ts';
import { showLine } from '../dockerfile/show-line.ts';
import { RootfsFault } from '../fault.ts';
import type { Connection } from './dial.ts';
import { faultLine } from './fault-line.ts';
import { GrpcError, request } from './grpc.ts';
import { failureInHistory } from './history.ts';
import { Progress } from './progress.ts';
import { decode, encode, encodeMap } from './protobuf.ts';
import { openSession } from './session.ts';

/**
 * Builds with BuildKit over an open connection, and gives the result to `take` as a tar archive.
 *
 * @returns the files of the context that BuildKit was shown because the Dockerfile names them, relative to it
 * @throws RootfsFault BUILD_FAILED with BuildKit's message, BUILDER_FAILED when it goes away
 */
export async function solve(
  connection: Connection,
  job: BuildJob,
  take: (chunk: Buffer) => void,
): Promise<readonly string[]> {
  const reads = new Set<string>();
  const progress = new Progress(job.onLine);
  const { session } = connection;
  const directories = directoriesOf(job);
  const services = await openSession(connection, {
    directories,
    onFile: (directory, name) => {
      if (directory === 'context') reads.add(toText(name));
    },
    onTar: take,
    credentials: job.credentials,
    secrets: job.secrets,
    sshAgents: job.sshAgents,
    sharedKey: [hostname(), job.contextPath, ...[...directories.values()].flatMap(unusualModes)].join(' '),
  });
  const reference = randomUUID();
  const cancel = (): void => session.destroy();
  job.signal?.throwIfAborted();
  job.signal?.addEventListener('abort', cancel);
  // This call ends by itself, with the build; its own failure says nothing that the build does not.
  const status = request(session, '/moby.buildkit.v1.Control/Status', encode([[1, reference]]), (message) =>
    progress.take(decode(message)),
  ).catch(() => undefined);
  try {
    const solved = request(session, '/moby.buildkit.v1.Control/Solve', solveRequest(job, reference, services.id));
    await Promise.race([solved, services.failure]);
    await status;
    return [...reads].sort();
  } catch (error) {
    const failure = error instanceof GrpcError ? error : await unreadFailure(error, connection, reference, job);
    // Which step failed may come after the news that one did.
    await status;
    throw asFault(failure, job, progress);
  } finally {
    job.signal?.removeEventListener('abort', cancel);
    services.close();
  }
}

/**
 * What a build failed with whose error did not get through: it holds the Dockerfile, which may be large.
 *
 * @throws RootfsFault BUILD_FAILED, or BUILDER_FAILED where the connection went with it; any other error as it is
 */
async function unreadFailure(
  error: unknown,
  { session }: Connection,
  reference: string,
  job: BuildJob,
): Promise<GrpcError> {
  if (job.signal?.aborted === true || !hasErrorCode(error, 'ERR_HTTP2_STREAM_ERROR', 'ERR_HTTP2_ERROR')) throw error;
  const isReset = hasErrorCode(error, 'ERR_HTTP2_STREAM_ERROR') && !session.destroyed;
  const kept = isReset ? await failureInHistory(session, reference) : undefined;
  if (kept !== undefined) return kept;
  throw new RootfsFault(
    isReset ? 'BUILD_FAILED' : 'BUILDER_FAILED',
    'the builder gave no answer that can be read, but most likely an error that is too large',
    {
      at: job.dockerfile.path,
      hint: 'Its errors hold the Dockerfile: make that smaller than 30 KB, or look what the builder’s own log says.',
      cause: error,
    },
  );
}

/**
 * The modes of folders, but for the usual one. BuildKit keeps what it was sent under a key, compares what it is sent next, and
 * does not notice where only the mode of a folder is another one: that needs another key.
 */
function unusualModes(directory: DirectoryNode): string[] {
  return [...directory.children].flatMap(([name, node]) => {
    if (node.kind !== 'directory') return [];
    const { mode } = node.meta;
    const below = unusualModes(node).map((one) => `${name}/${one}`);
    return mode === 0o755 ? below : [`${name} ${mode.toString(8)}`, ...below];
  });
}

/** The Dockerfile is a directory of its own, so that it may lie anywhere. */
function directoriesOf(job: BuildJob): Map<string, DirectoryNode> {
  const dockerfile = emptyDirectory();
  const bytes = Buffer.from(job.text, 'utf8');
  dockerfile.children.set(toByteName(basename(job.dockerfile.path)), {
    kind: 'file',
    meta: { mode: 0o644, uid: 0, gid: 0 },
    size: bytes.length,
    content: { bytes },
  });
  return new Map([['context', job.context], ['dockerfile', dockerfile], ...job.localContexts]);
}

/** SolveRequest{1 ref, 3 exporter, 5 session, 6 frontend, 7 frontend attributes}. */
function solveRequest(job: BuildJob, reference: string, session: string): Buffer {
  const attributes: Record<string, string> = {
    filename: basename(job.dockerfile.path),
    platform: job.platform,
    ...(job.target === undefined ? {} : { target: job.target }),
    ...(job.noCache ? { 'no-cache': '' } : {}),
    ...prefixed('build-arg:', job.buildArgs),
    ...prefixed('context:', Object.fromEntries([...job.localContexts.keys()].map((name) => [name, `local:${name}`]))),
    ...prefixed('context:', job.remoteContexts),
    ...(job.network === undefined ? {} : { 'force-network-mode': job.network }),
  };
  return encode([[1, reference], [3, 'tar'], [5, session], [6, 'dockerfile.v0'], ...encodeMap(7, attributes)]);
}

function prefixed(prefix: string, values: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [prefix + name, value]));
}

function asFault(error: GrpcError, job: BuildJob, progress: Progress): RootfsFault {
  const line =
    faultLine(error.details, basename(job.dockerfile.path)) ??
    lineOf(progress.failed, job) ??
    /parse error(?: on)? line (\d+)/.exec(error.message)?.[1];
  return new RootfsFault('BUILD_FAILED', error.message + showLine(job.dockerfile.path, line), {
    at: line === undefined ? job.dockerfile.path : `${job.dockerfile.path}:${line}`,
    hint: hintFor(error.message),
    cause: error,
  });
}

/** A secret that is not there, BuildKit tells in its own words. */
function hintFor(message: string): string {
  const [, secret] = /secret (\S+?):? not found/.exec(message) ?? [];
  if (secret !== undefined) return `Give it with --secret id=${secret},src=FILE or --secret id=${secret},env=VARIABLE.`;
  if (/127\.0\.0\.1:\d+.*connection refused/.test(message)) {
    return 'A builder in a container sees this machine’s 127.0.0.1 with --network=host only; images that the workspace packs are there.';
  }
  return 'The lines above are what the builder said.';
}

/** BuildKit names a step like `[build 2/3] RUN make`. */
function lineOf(step: string | undefined, { dockerfile }: BuildJob): number | undefined {
  const text = step?.replace(/^\[[^\]]*\] /, '').replaceAll(/\s+/g, ' ');
  const found = dockerfile.instructions.find(
    ({ keyword, rest }) => text === `${keyword} ${rest.replaceAll(/\s+/g, ' ')}`,
  );
  return found?.line;
}
