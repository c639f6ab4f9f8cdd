import { createHash } from 'node:crypto';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { Fault, run } from '@nx-kraft/base';
import type { Connection } from '../buildkit/dial.ts';
import { buildWithProgram } from './command-line.ts';
import { readIfPresent } from './context.ts';
import type { BuildJob } from './job.ts';

/** Builders that run commands, in the order in which they are tried. */
export const externalBuilders = ['buildkit', 'docker', 'podman', 'buildah'] as const;
export type ExternalBuilder = (typeof externalBuilders)[number];
export type BuilderName = 'embedded' | ExternalBuilder;

export interface BuilderSettings {
  /** BuildKit's address, which else is in KRAFTKIT_BUILDKIT_HOST, else `unix:///run/buildkit/buildkitd.sock`. */
  readonly buildkitHost?: string | undefined;
  readonly env: NodeJS.ProcessEnv;
  /** A directory for what a builder hands over as a file. */
  readonly scratch: string;
}

/** A builder that answered. */
export interface ReadyBuilder {
  /**
   * Builds, and gives the result to `take` as a tar archive.
   *
   * @returns the files of the context that the builder read, where it tells
   */
  build(job: BuildJob, take: (chunk: Uint8Array) => void): Promise<readonly string[] | undefined>;
  close(): void;
}

/**
 * Connects to a builder, or looks whether its program is there.
 *
 * @throws Error with the reason, as the end of a sentence
 */
export async function prepareBuilder(name: ExternalBuilder, settings: BuilderSettings): Promise<ReadyBuilder> {
  switch (name) {
    case 'buildkit': {
      const { dialBuildkit } = await import('../buildkit/dial.ts');
      return overBuildkit(await dialBuildkit(buildkitAddress(settings), settings.env));
    }
    case 'docker':
      return overBuildkit(await dialFirst(engineAddresses(settings.env)));
    case 'podman':
    case 'buildah':
      return program(name, settings);
  }
}

export function buildkitAddress({ buildkitHost, env }: BuilderSettings): string {
  const address = buildkitHost ?? env['KRAFTKIT_BUILDKIT_HOST'] ?? '';
  return address === '' ? 'unix:///run/buildkit/buildkitd.sock' : address;
}

/** Node's HTTP/2 and the client are loaded only for builds that need them. */
async function overBuildkit(connection: Connection): Promise<ReadyBuilder> {
  const { solve } = await import('../buildkit/solve.ts');
  return { build: (job, take) => solve(connection, job, take), close: () => connection.close() };
}

async function dialFirst(addresses: readonly string[]): Promise<Connection> {
  const { dialDockerEngine } = await import('../buildkit/dial.ts');
  const reasons: string[] = [];
  for (const address of addresses) {
    try {
      return await dialDockerEngine(address);
    } catch (error) {
      reasons.push(error instanceof Error ? error.message : String(error));
    }
  }
  throw new Error(reasons.join(', '));
}

/** Where Docker's own client would look: DOCKER_HOST, the current context, else the usual sockets. */
export function engineAddresses(env: NodeJS.ProcessEnv): string[] {
  const host = env['DOCKER_HOST'] ?? '';
  if (host !== '') return [host];
  const folder = env['DOCKER_CONFIG'] ?? join(homedir(), '.docker');
  const endpoint = contextEndpoint(folder, env['DOCKER_CONTEXT']);
  if (endpoint !== undefined) return [endpoint];
  const runtime = env['XDG_RUNTIME_DIR'];
  return [
    'unix:///var/run/docker.sock',
    ...(runtime === undefined ? [] : [`unix://${runtime}/docker.sock`]),
    `unix://${join(homedir(), '.docker/run/docker.sock')}`,
  ];
}

function contextEndpoint(folder: string, chosen: string | undefined): string | undefined {
  const name = chosen ?? stringAt(readIfPresent(join(folder, 'config.json')), ['currentContext']);
  if (name === undefined || name === '' || name === 'default') return undefined;
  const id = createHash('sha256').update(name).digest('hex');
  return stringAt(readIfPresent(join(folder, 'contexts/meta', id, 'meta.json')), ['Endpoints', 'docker', 'Host']);
}

function stringAt(json: string | undefined, keys: readonly string[]): string | undefined {
  let value: unknown = json === undefined ? undefined : JSON.parse(json);
  for (const key of keys) {
    value = typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined;
  }
  return typeof value === 'string' ? value : undefined;
}

async function program(name: 'podman' | 'buildah', settings: BuilderSettings): Promise<ReadyBuilder> {
  try {
    await run(name, ['--version'], { env: settings.env });
  } catch (error) {
    throw new Error(error instanceof Fault ? error.message : `${name} does not start`, { cause: error });
  }
  return {
    build: async (job, take) => {
      await buildWithProgram(name, job, settings, take);
      return undefined;
    },
    close: () => undefined,
  };
}
