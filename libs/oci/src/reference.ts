import { type Digest, isDigest } from './digest.ts';
import { OciFault } from './fault.ts';

/** The name of an image. */
export interface Reference {
  /** Host, with a port where one is given, such as `unikraft.org` or `localhost:5000`. */
  readonly registry: string;
  /** Path in the registry, such as `nginx` or `library/alpine`. */
  readonly repository: string;
  /** Absent when only a digest is given. */
  readonly tag?: string;
  readonly digest?: Digest;
}

export const defaultRegistry = 'unikraft.org';

/**
 * Reads `[REGISTRY/]REPOSITORY[:TAG][@DIGEST]`. A first part with a dot or a colon, or `localhost`, is a registry; else
 * the registry is `standard`. Without tag and digest the tag is `latest`. Names in `docker.io` get its `library/`.
 *
 * @throws OciFault REFERENCE_INVALID
 */
export function parseReference(text: string, standard: string = defaultRegistry): Reference {
  const [name = '', digest, ...rest] = text.split('@');
  if (rest.length > 0 || (digest !== undefined && !isDigest(digest))) {
    throw invalid(text, 'a digest is sha256: and 64 hex digits');
  }
  const colon = name.lastIndexOf(':');
  const hasTag = colon > name.lastIndexOf('/');
  const tag = hasTag ? name.slice(colon + 1) : digest === undefined ? 'latest' : undefined;
  if (tag !== undefined && !/^\w[\w.-]{0,127}$/.test(tag)) {
    throw invalid(text, 'a tag has up to 128 letters, digits, dots, dashes and underscores');
  }
  const path = hasTag ? name.slice(0, colon) : name;
  const slash = path.indexOf('/');
  const first = path.slice(0, Math.max(slash, 0));
  const hasRegistry = /[.:]/.test(first) || first === 'localhost';
  const registry = hasRegistry ? first : standard;
  const repository = hasRegistry ? path.slice(slash + 1) : path;
  if (!/^(?:[A-Za-z0-9.-]+|\[[0-9a-fA-F:]+\])(?::[0-9]{1,5})?$/.test(registry)) {
    throw invalid(text, 'the registry is a host name, with a port if needed');
  }
  if (!/^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*$/.test(repository)) {
    throw invalid(text, 'a name has lower-case letters and digits, with single dots, dashes or underscores between');
  }
  const isDockerHub = registry === 'docker.io' || registry === 'index.docker.io';
  return {
    registry: isDockerHub ? 'docker.io' : registry,
    repository: isDockerHub && !repository.includes('/') ? `library/${repository}` : repository,
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
  };
}

/** The reference in full: `unikraft.org/nginx:1.25`, with `@sha256:…` when it has a digest. */
export function formatReference(reference: Reference): string {
  const tag = reference.tag === undefined ? '' : `:${reference.tag}`;
  const digest = reference.digest === undefined ? '' : `@${reference.digest}`;
  return `${repositoryName(reference)}${tag}${digest}`;
}

/** Registry and repository, without tag and digest. */
export function repositoryName(reference: Reference): string {
  return `${reference.registry}/${reference.repository}`;
}

/** The same image under another tag. @throws OciFault REFERENCE_INVALID */
export function withTag({ registry, repository }: Reference, tag: string): Reference {
  return parseReference(`${registry}/${repository}:${tag}`);
}

function invalid(text: string, rule: string): OciFault {
  return new OciFault('REFERENCE_INVALID', `"${text}" is no image name: ${rule}`, {
    at: text,
    hint: 'Write it as registry/name:tag, for example unikraft.org/nginx:1.25.',
  });
}
