import type { ProjectGraphExternalNode } from '@nx/devkit';
import type { LockSummary } from './lock.ts';

/** The remote components and images of a workspace as nodes of the graph: one object for each, as in `inputs.ts`. */
export class ExternalNodes {
  readonly #lock: LockSummary;
  readonly #known = new Map<string, ProjectGraphExternalNode>();

  constructor(lock: LockSummary) {
    this.#lock = lock;
  }

  /** A remote component, such as `unikraft:lib/musl@stable`, with what it is locked to. */
  component(key: string): ProjectGraphExternalNode {
    const { revision, sha256, content } = this.#lock.components.get(key) ?? {};
    return this.#node(`unikraft:${key}`, key, (revision ?? sha256)?.slice(0, 12), content);
  }

  /** An image, such as `oci:docker.io/library/alpine:3`, with the digest that it is locked to. */
  image(name: string): ProjectGraphExternalNode {
    const digest = this.#lock.images.get(name) ?? /@(.+)$/.exec(name)?.[1];
    return this.#node(`oci:${name}`, name, digest?.slice(0, 19), digest);
  }

  #node(
    name: `${string}:${string}`,
    packageName: string,
    version = 'not locked',
    hash = version,
  ): ProjectGraphExternalNode {
    const node = this.#known.get(name) ?? { type: 'kraft', name, data: { version, packageName, hash } };
    this.#known.set(name, node);
    return node;
  }
}
