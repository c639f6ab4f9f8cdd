import type { ProjectGraphExternalNode } from '@nx/devkit';
import type { LockSummary } from './lock.ts';

/** A remote component as a node of the graph, such as `unikraft:lib/musl@stable`, with what it is locked to. */
export function componentNode(key: string, { components }: LockSummary): ProjectGraphExternalNode {
  const { revision, sha256, content } = components.get(key) ?? {};
  return externalNode(`unikraft:${key}`, key, (revision ?? sha256)?.slice(0, 12), content);
}

/** An image as a node of the graph, such as `oci:docker.io/library/alpine:3`, with the digest that it is locked to. */
export function imageNode(name: string, { images }: LockSummary): ProjectGraphExternalNode {
  const digest = images.get(name) ?? /@(.+)$/.exec(name)?.[1];
  return externalNode(`oci:${name}`, name, digest?.slice(0, 19), digest);
}

function externalNode(
  name: `${string}:${string}`,
  packageName: string,
  version = 'not locked',
  hash = version,
): ProjectGraphExternalNode {
  return { type: 'kraft', name, data: { version, packageName, hash } };
}
