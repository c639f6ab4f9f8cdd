import type { Kconfig } from './kconfig.ts';
import type { Library } from './libraries.ts';
import type { ExplainedOption } from './explain.ts';
import type { MakeStep } from './diagnose.ts';
import type { SizeReport } from './size-report.ts';

/** A source tree: from the store with its digest, or a local folder that may change at any time. */
export interface Source {
  readonly folder: string;
  /** What the folder holds, by its content; undefined for a local folder. */
  readonly digest?: string | undefined;
}

/** Everything that decides the bytes of one kernel. All paths are absolute. */
export interface KernelPlan {
  readonly architecture: string;
  readonly platform: string;
  /** Unikraft's core. The version that the kernel tells ends with the revision if there is one. */
  readonly core: Source & { readonly revision?: string | undefined };
  /** The application's folder, with its `Makefile.uk` if it has one. */
  readonly application: string;
  /** Folders, files and links below the application, by relative paths, that no kernel is made from, such as its file systems. */
  readonly apart?: readonly string[];
  readonly libraries: readonly Library[];
  /** The tools and their versions, as `describeToolchains` tells them for the architecture. */
  readonly toolchain: string;
  /** The merged configuration, the target's own symbols included. */
  readonly kconfig: Kconfig;
  /** The root file system that goes into the kernel itself, for a configuration that embeds one. */
  readonly embeddedRootfs?: string | undefined;
  /** A folder for objects, kept from build to build, of this target alone; inside the application only in `.unikraft`. */
  readonly workFolder: string;
  /** Where the results go. */
  readonly output: {
    readonly kernel: string;
    readonly debugKernel: string;
    readonly config: string;
    /** The linker's map. */
    readonly map: string;
    /** What each library takes of the kernel, as JSON: a {@link SizeReport}. */
    readonly sizes: string;
  };
}

export interface BuildOptions {
  /** Parallel jobs of make (default: all builds of this user share as many as there are processors). */
  readonly jobs?: number;
  /** Stops the build. */
  readonly signal?: AbortSignal | undefined;
  /** Seconds since 1970 that are embedded where Unikraft embeds a date (default 0). */
  readonly sourceDateEpoch?: number;
  /** Is told the options that KConfig did not take, before anything is compiled; what it throws ends the build. */
  readonly onDropped?: (options: readonly ExplainedOption[]) => void;
  readonly onStep?: (step: MakeStep) => void;
  /** Is told how many steps a build from nothing has, before the first of them; asking make costs about a second. */
  readonly onTotal?: (steps: number) => void;
  /** Whether objects are shared with other builds (default true). */
  readonly share?: boolean;
  /** How make gets the archives that libraries fetch in their own rules (default: as Unikraft's make does). */
  readonly downloads?: {
    /** For make's command line. */
    readonly variables: Readonly<Record<string, string>>;
    /** For make's environment. */
    readonly environment: Readonly<Record<string, string>>;
  };
  /** Added to the environment of make. */
  readonly environment?: Readonly<Record<string, string>>;
}

export interface BuiltKernel {
  /** The whole configuration as KConfig finished it. */
  readonly config: Kconfig;
  /** Whether make ran at paths that are the same on every machine, so that the image is the same bits everywhere. */
  readonly canonical: boolean;
  /** Whether the build began with objects that another target, app or checkout had compiled. */
  readonly shared: boolean;
  readonly sizes: SizeReport;
  /** The files in local folders and around them that compilers have read; absolute paths behind all links. */
  readonly read: ReadonlySet<string>;
}
