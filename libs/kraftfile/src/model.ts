/** The versions of the Kraftfile specification that are read. v0.4 to v0.6 share one family of rules, v0.7 has its own. */
export type SpecVersion = 'v0.4' | 'v0.5' | 'v0.6' | 'v0.7';

/**
 * KConfig symbols and their values in the order of the file, the last one winning: `y`, `n`, `m`, numbers as written,
 * and strings without the quotes that KConfig puts around them.
 */
export type Kconfig = Readonly<Record<string, string>>;

/** Any plain value, as JSON has it. */
export type Plain = string | number | boolean | null | readonly Plain[] | { readonly [key: string]: Plain };

/** Unikraft's core, a library or a template: what it is called, and where and which one it is, as far as the file says. */
export interface Component {
  /** `unikraft`, the library's key, or the template's name without `app-` and `.git`. */
  readonly name: string;
  /** A git URL, tarball URL or folder, without a version; whoever fetches it decides which of them it is. */
  readonly source?: string;
  /** A channel, release, branch, tag or commit, as written. */
  readonly version?: string;
  readonly kconfig: Kconfig;
}

/** A prebuilt kernel: an OCI image, or (`kernel://path`) a file. */
export interface Runtime {
  /** The image as `name[:tag][@digest]`, as written but for `oci://`; absent when `kernel` is there. */
  readonly reference?: string;
  /** The path of a kernel file. */
  readonly kernel?: string;
  readonly kconfig: Kconfig;
}

export type FilesystemFormat = 'cpio' | 'erofs';
export type FilesystemSourceType = 'oci' | 'dir' | 'file' | 'tarball' | 'cpio' | 'erofs' | 'dockerfile';

/** What a root filesystem or a read-only image is made from. */
export interface Filesystem {
  /** A path relative to the Kraftfile's folder, or an image; with `dockerfile`, the folder that is its context. */
  readonly source: string;
  /** Path of the Dockerfile relative to `source`; only v0.7 tells the two apart. */
  readonly dockerfile?: string;
  /** What the source is; absent: to be found out from the source itself. */
  readonly type?: FilesystemSourceType;
  /**
   * What to make of it. Absent, it is the version's default: cpio before v0.7; in v0.7 erofs where the kernel can read
   * it, else cpio, and always erofs for `roms`.
   */
  readonly format?: FilesystemFormat;
}

/** A mount at run time. */
export interface Volume {
  /** Only in the old mapping form, where it is the mount's tag too (`fs0`). */
  readonly name?: string;
  readonly source?: string;
  /** A path in the guest. */
  readonly destination: string;
  readonly driver?: string;
  readonly mode?: string;
  readonly readOnly: boolean;
}

/** One platform and architecture to build for. */
export interface Target {
  /**
   * `<platform>-<architecture>`. Where several targets of the file share both, those with a name of their own get it
   * appended, and the others but the first a number. Fit for a task name and a file name.
   */
  readonly id: string;
  /** The target's own name, else the project's. */
  readonly name: string;
  /** Canonical (`qemu` for `kvm`, `fc` for `firecracker`); unknown ones as written. */
  readonly platform: string;
  /** Canonical (`x86_64` for `amd64`, `arm64` for `aarch64`); unknown ones as written. */
  readonly architecture: string;
  readonly kconfig: Kconfig;
}

/** What a Kraftfile says, whatever its version and form: immutable, plain JSON. */
export interface Kraftfile {
  readonly spec: SpecVersion;
  /** As written; else the name of the folder. */
  readonly name: string;
  /** What tells this file from the default one of its folder: `web` for `Kraftfile.web`, `cloud` for `kraft.cloud.yaml`. */
  readonly variant?: string;
  readonly unikraft?: Component;
  readonly libraries: readonly Component[];
  readonly template?: Component;
  readonly runtime?: Runtime;
  readonly rootfs?: Filesystem;
  readonly roms: readonly Filesystem[];
  readonly volumes: readonly Volume[];
  /** Absent when the file has none, which leaves the image's own command in force. */
  readonly cmd?: readonly string[];
  /** An empty value stands for the value of the host's variable at run time. */
  readonly env: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  /** A `kconfig` at the top, for all targets. */
  readonly kconfig: Kconfig;
  readonly targets: readonly Target[];
  /** Build folder relative to the Kraftfile's; never one outside of it. */
  readonly outdir?: string;
  /** The `x-…` keys at the top. */
  readonly extensions: Readonly<Record<string, Plain>>;
  /** Names of the keys at the top that no version of the specification knows. */
  readonly unknown: readonly string[];
}

/** A path into the model, such as `['targets', 0, 'kconfig', 'CONFIG_LIBVFSCORE']`. */
export type ModelPath = readonly (string | number)[];

/** A place in the text: both count from 1, columns in UTF-16 code units as editors do. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** Says where a part of the model stands in the file: itself, or the nearest part around it that has a place. */
export type PositionOf = (path: ModelPath) => Position;
