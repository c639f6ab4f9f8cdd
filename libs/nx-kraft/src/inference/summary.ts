import { hash } from 'node:crypto';
import { Fault } from '@nx-kraft/base';
import type { Kraftfile, Plain, Target } from '@nx-kraft/kraftfile';
import {
  embedsRootfs,
  kernelFingerprint,
  packageFingerprint,
  romFingerprint,
  rootfsFingerprint,
  testFingerprint,
} from '@nx-kraft/kraftfile/fingerprints';
import {
  archiveName,
  imageName,
  outputNames,
  romName,
  rootfsName,
  runDefaultsName,
  testReportName,
} from '@nx-kraft/kraftfile/outputs';
import { readKraftfile } from '@nx-kraft/kraftfile/read';
import { findOtherCompilers, type OtherCompilerName } from '@nx-kraft/kernel/other-compilers';
import { type AnyFilesystem, filesystemsOf } from '../tasks/filesystem-requests.ts';
import { describeBriefly, plannedTargets } from '../tasks/kraftproject.ts';
import { type NamedComponent, namedComponents, runtimeImageName } from '../tasks/needs.ts';

/** What inference needs of a Kraftfile: small, plain JSON. Paths are relative to the Kraftfile's folder. */
export interface Summary {
  readonly name: string;
  /** What is wrong, when the Kraftfile cannot be used. */
  readonly problem?: string;
  readonly targets: readonly TargetSummary[];
  /** Whether kernels are built from source, are a runtime's, or are not named at all. */
  readonly kernels: 'source' | 'runtime' | 'none';
  readonly components: readonly NamedComponent[];
  /** The runtime's image by its name in full. */
  readonly runtimeImage?: string;
  /** The file that is the runtime's kernel. */
  readonly runtimeKernel?: string;
  /** Whether the application has sources of its own in the kernel, which it has not with a template. */
  readonly compilesApplication: boolean;
  /** The compilers beside GCC that options of the kernels bring in. */
  readonly compilers: readonly OtherCompilerName[];
  /** The root file system, and read-only images besides. */
  readonly filesystems: readonly AnyFilesystem[];
  readonly rootfsDigest: string;
  readonly rootfsOutputs: readonly string[];
  readonly packageDigest: string;
  readonly testDigest: string;
  /**
   * What the guest gets of the host: paths, or names of volumes that were made by name; null for one that can only be meant
   * by its name.
   */
  readonly volumes: readonly (string | null)[];
  /** Names of the variables whose values the guest gets from the host. */
  readonly hostEnvironment: readonly string[];
  /** The folder of the OCI image layout, and the file that the same may be written into. */
  readonly image: string;
  readonly archive: string;
  /** What the test task leaves for CI. */
  readonly testReport: string;
  /** Names of the environment variables that the Kraftfile takes values from. */
  readonly variables: readonly string[];
  /**
   * Whether what these tasks are, read or write follows from such variables. Nx may give a task other values of them than
   * there were when the graph was made, from a `.env` of its project.
   */
  readonly isVariable: boolean;
  /** The paths that are looked for where the Kraftfile is checked: one that is not there is worth a warning. */
  readonly looked: readonly string[];
}

export interface TargetSummary {
  readonly id: string;
  readonly platform: string;
  readonly architecture: string;
  /** A digest over what the Kraftfile says that can change this target's kernel. */
  readonly digest: string;
  readonly outputs: readonly string[];
  readonly embedsRootfs: boolean;
}

/** A Kraftfile's text, and what else its meaning follows from. */
export interface SummarySource {
  readonly text: string;
  /** Path relative to the workspace, for messages. */
  readonly file: string;
  readonly directoryName: string;
  /** The values of the variables that it mentions. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Reads a Kraftfile and keeps what inference needs of it. */
export function summarize(source: SummarySource): Summary {
  const summary = summarizeOnce(source);
  const values = Object.entries(source.env);
  if (values.length === 0) return summary;
  const env = Object.fromEntries(values.map(([name, value = '']) => [name, `other-${value}`]));
  const other = summarizeOnce({ ...source, env });
  // What only lacks a value may have one when a task runs, and if not, that task tells of it.
  const usable = summary.problem !== undefined && other.problem === undefined ? other : summary;
  return { ...usable, isVariable: structureOf(summary) !== structureOf(other) };
}

/** All but what may follow from variables, since those are in the keys beside it. */
function structureOf(summary: Summary): string {
  return JSON.stringify(summary, (key, value: unknown) => (/digest$|^hostEnvironment$/i.test(key) ? undefined : value));
}

function summarizeOnce({ text, file, directoryName, env }: SummarySource): Summary {
  const looked: string[] = [];
  const exists = (path: string): boolean => looked.push(path) > 0;
  const { kraftfile, diagnostics } = readKraftfile(text, { file, directoryName, env, exists });
  const errors = diagnostics.filter(({ severity }) => severity === 'error');
  if (kraftfile === undefined || errors.length > 0) {
    return {
      ...summarizeBroken(errors.map(describeBriefly).join('\n') || 'It is empty.', directoryName),
      variables: Object.keys(env),
    };
  }

  const { unikraft, template, rootfs, roms, runtime } = kraftfile;
  const targets = plannedTargets(kraftfile);
  const architectures = [...new Set(targets.map(({ architecture }) => architecture))];
  const runtimeImage = runtime?.reference === undefined ? undefined : nameInFull(runtime.reference);
  return {
    name: kraftfile.name,
    targets: targets.map((target) => summarizeTarget(kraftfile, target)),
    kernels: unikraft !== undefined || template !== undefined ? 'source' : runtime !== undefined ? 'runtime' : 'none',
    components: namedComponents(kraftfile),
    ...(runtimeImage === undefined ? {} : { runtimeImage }),
    ...(runtime?.kernel === undefined ? {} : { runtimeKernel: runtime.kernel }),
    compilesApplication: template === undefined,
    compilers: findOtherCompilers(switchedOn(kraftfile)),
    filesystems: filesystemsOf(kraftfile),
    rootfsDigest: digest(
      architectures.map((architecture) => [
        rootfsFingerprint(kraftfile, architecture),
        ...roms.map((_rom, index) => romFingerprint(kraftfile, index, architecture)),
      ]),
    ),
    rootfsOutputs: architectures.flatMap((architecture) => [
      ...(rootfs === undefined
        ? []
        : [rootfsName(kraftfile, architecture, rootfs.format), runDefaultsName(kraftfile, architecture)]),
      ...roms.map(({ format }, index) => romName(kraftfile, index, architecture, format)),
    ]),
    packageDigest: digest(packageFingerprint(kraftfile)),
    testDigest: digest(targets.map((target) => testFingerprint(kraftfile, target))),
    volumes: kraftfile.volumes.map(({ source }) => source ?? null),
    hostEnvironment: Object.keys(kraftfile.env).filter((name) => kraftfile.env[name] === ''),
    image: imageName(kraftfile),
    archive: archiveName(kraftfile),
    testReport: testReportName(kraftfile),
    variables: kraftfile.spec === 'v0.7' ? [] : Object.keys(env),
    isVariable: false,
    looked,
  };
}

/** Undefined for what is no image's name, of which the task tells that takes the image. */
function nameInFull(reference: string): string | undefined {
  try {
    return runtimeImageName(reference);
  } catch (error) {
    if (error instanceof Fault) return undefined;
    throw error;
  }
}

/** The options that any part of a Kraftfile sets to something. */
function switchedOn({ unikraft, template, libraries, kconfig, targets }: Kraftfile): readonly string[] {
  const all = [unikraft?.kconfig, template?.kconfig, kconfig, ...[...libraries, ...targets].map((it) => it.kconfig)];
  return all.flatMap((options = {}) => Object.keys(options).filter((name) => options[name] !== 'n'));
}

function summarizeTarget(kraftfile: Kraftfile, target: Target): TargetSummary {
  const { kernel, kernelDebug, config, map, sizes, components, runtime, initrd } = outputNames(kraftfile, target);
  const isRuntime = kraftfile.unikraft === undefined && kraftfile.template === undefined;
  const runtimeOutputs = [kernel, config, runtime, ...(kraftfile.rootfs === undefined ? [initrd] : [])];
  return {
    id: target.id,
    platform: target.platform,
    architecture: target.architecture,
    digest: digest([kernelFingerprint(kraftfile, target), isRuntime ? { ...kraftfile.runtime } : null]),
    outputs: isRuntime ? runtimeOutputs : [kernel, kernelDebug, config, map, sizes, components],
    embedsRootfs: kraftfile.rootfs !== undefined && embedsRootfs(kraftfile, target),
  };
}

/** What stands for a Kraftfile that cannot be used. */
export function summarizeBroken(problem: string, directoryName: string): Summary {
  return {
    name: directoryName,
    problem,
    targets: [],
    kernels: 'none',
    components: [],
    compilesApplication: false,
    compilers: [],
    filesystems: [],
    rootfsDigest: '',
    rootfsOutputs: [],
    packageDigest: '',
    testDigest: '',
    volumes: [],
    hostEnvironment: [],
    image: '',
    archive: '',
    testReport: '',
    variables: [],
    isVariable: false,
    looked: [],
  };
}

function digest(part: Plain): string {
  return hash('sha256', JSON.stringify(part), 'base64url');
}
