import type { Digest } from './digest.ts';
import type { Compression } from './media-types.ts';
import type { Platform } from './model.ts';
import type { ImageSource } from './source.ts';

/** All that decides an image: equal plans with equal files give equal bytes. */
export interface PackagePlan {
  /** Name of the image; `unikraft.org/` and `:latest` are added where missing. */
  readonly reference: string;
  /** More tags for the image, beside that of its name. */
  readonly tags?: readonly string[];
  /** In the order in which they stand in the index. */
  readonly targets: readonly PackageTarget[];
  /** Seconds since 1970, as in SOURCE_DATE_EPOCH (default 0): no clock is asked. */
  readonly created?: number;
  /** Version of what packages; `kraft` wants one, whatever it says. */
  readonly toolVersion: string;
  /** How layers are compressed (default none). `kraft` can run nothing but plain layers. */
  readonly compression?: Compression;
  /** Adds a manifest for each architecture under which containerd and Kubernetes run the image by urunc. */
  readonly urunc?: boolean;
}

export interface PackageTarget {
  readonly architecture: string;
  readonly platform: string;
  /** Path of the kernel; or a runtime, whose layers, KConfig and version are taken over. */
  readonly kernel: string | RuntimeImage;
  /** Version of Unikraft's core, such as `0.17.0~abcdef0`; a runtime has its own. */
  readonly version?: string;
  /** The finished KConfig by symbol; without it the image says nothing about it. A runtime has its own. */
  readonly kconfig?: Readonly<Record<string, string>>;
  /** Path of the root filesystem; it is left out when the KConfig says that the kernel (not a runtime) has it inside. */
  readonly initrd?: string;
  /** Path of the kernel with debug information, which is added as a layer of its own. */
  readonly debugKernel?: string;
  /** The application's arguments: those given on the command line, else the Kraftfile's. */
  readonly command?: readonly string[];
  /** Entrypoint and command of the root filesystem, for when neither `command` nor the runtime says anything. */
  readonly rootfsCommand?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
}

/** A packaged kernel that applications are built on; see `findRuntime`. */
export interface RuntimeImage {
  readonly source: ImageSource;
  /** Of its manifest. */
  readonly digest: Digest;
}

export interface PackagedImage {
  /** The reference in full. */
  readonly reference: string;
  /** Digest of the index, by which the image can be named for ever. */
  readonly digest: Digest;
  readonly manifests: readonly PackagedManifest[];
}

export interface PackagedManifest {
  readonly digest: Digest;
  readonly platform: Platform;
  /** Sum of the layers in bytes. */
  readonly size: number;
}
