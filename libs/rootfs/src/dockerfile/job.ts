import type { DirectoryNode } from '@nx-kraft/archive';
import type { Dockerfile } from './parse.ts';

export interface Credentials {
  readonly username: string;
  readonly secret: string;
}

/** A build as a real builder gets it: everything read, resolved and decided before. */
export interface BuildJob {
  readonly dockerfile: Dockerfile;
  readonly text: string;
  /** What `.dockerignore` leaves of the context. */
  readonly context: DirectoryNode;
  readonly contextPath: string;
  /** Further contexts: directories of this machine, and what only the builder can open, such as `docker-image://…`. */
  readonly localContexts: ReadonlyMap<string, DirectoryNode>;
  readonly remoteContexts: Readonly<Record<string, string>>;
  readonly target: string | undefined;
  /** Such as `linux/amd64`. */
  readonly platform: string;
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly noCache: boolean;
  /** The network of RUN: `host`, `none`, or the builder's own. */
  readonly network: string | undefined;
  readonly secrets: ReadonlyMap<string, () => Buffer>;
  /** Sockets of SSH agents, by id. */
  readonly sshAgents: ReadonlyMap<string, string>;
  readonly credentials: (host: string) => Promise<Credentials | undefined>;
  readonly onLine: (line: string) => void;
  readonly signal: AbortSignal | undefined;
}
