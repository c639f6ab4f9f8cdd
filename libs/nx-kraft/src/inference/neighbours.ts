import { posix } from 'node:path';
import type { Facts } from './facts.ts';
import type { Summary } from './summary.ts';

/** An image that a project of the workspace packs. */
export interface PackedImage {
  /** The folder of the project. */
  readonly root: string;
  readonly project: string;
  /** The OCI image layout, relative to the workspace. */
  readonly layout: string;
}

/** The other Kraftfiles of the workspace that a Kraftfile takes something from. */
export interface Neighbours {
  /** Who packs the runtime. */
  readonly runtime?: PackedImage;
  /** Who packs images that root file systems are made from, by the images' names in full. */
  readonly images: Readonly<Record<string, PackedImage>>;
  /** Who builds the file that is the runtime's kernel: the project's name. */
  readonly kernel?: string;
  /** Their folders, and those of local templates and libraries. */
  readonly folders: readonly string[];
  /** Whether one of them is a Kraftfile, whose kernels a root file system has no use for. */
  readonly haveKernels: boolean;
}

/** The Kraftfiles of a workspace, by their folders. */
export interface Workspace {
  readonly projectNames: ReadonlyMap<string, string>;
  /** By the images' names in full. */
  readonly packedImages: ReadonlyMap<string, PackedImage>;
}

/** Finds who of the workspace has what a Kraftfile names. */
export function findNeighbours(
  root: string,
  { runtimeImage }: Summary,
  { kernels, rootfs }: Facts,
  { projectNames, packedImages }: Workspace,
): Neighbours {
  const packed = (name: string | undefined): PackedImage | undefined => {
    const image = name === undefined ? undefined : packedImages.get(name);
    return image?.root === root ? undefined : image;
  };
  const runtime = packed(runtimeImage);
  const images = rootfs.images.flatMap((name) => {
    const image = packed(name);
    return image === undefined ? [] : [[name, image] as const];
  });
  const builder = kernels.file === undefined ? undefined : rootAround(kernels.file, projectNames);
  const kernel = builder === undefined || builder === root ? undefined : builder;
  const folders = [
    ...[...kernels.folders, ...kernels.taken].map(({ path }) => path),
    ...kernels.files,
    ...(runtime === undefined ? [] : [runtime.root]),
    ...images.map(([, image]) => image.root),
    ...(kernel === undefined ? [] : [kernel]),
  ];
  return {
    ...(runtime === undefined ? {} : { runtime }),
    images: Object.fromEntries(images),
    ...(kernel === undefined ? {} : { kernel: projectNames.get(kernel) ?? kernel }),
    folders: [...new Set(folders)],
    haveKernels: folders.some((folder) => folder !== root && projectNames.has(folder)),
  };
}

/** The innermost of some folders that a path lies in. */
export function rootAround<T>(path: string, roots: ReadonlyMap<string, T>): string | undefined {
  for (let folder = path; ; folder = posix.dirname(folder)) {
    if (roots.has(folder)) return folder;
    if (folder === '.' || folder === '/') return undefined;
  }
}
