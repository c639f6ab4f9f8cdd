import type { DockerfileOptions } from '@nx-kraft/rootfs';

/** What is true of one Dockerfile only. How Dockerfiles are built here (builder, secrets, platform, …) is true of all. */
export type RomOptions = Pick<DockerfileOptions, 'buildArgs' | 'context' | 'target'>;

/** @param roms  by the sources of the read-only images, as the Kraftfile writes them */
export interface RomsOption {
  readonly roms?: Readonly<Record<string, RomOptions>>;
}

/**
 * The options of the rootfs task as they are for one read-only image: the context and stage of the root file system are
 * not its own; build arguments are, since a Dockerfile declares those that it wants.
 */
export function optionsOfRom<Options extends RomOptions & RomsOption>(options: Options, source: string): Options {
  const { context, target, buildArgs } = options.roms?.[source] ?? {};
  return { ...options, context, target, buildArgs: { ...options.buildArgs, ...buildArgs } };
}
