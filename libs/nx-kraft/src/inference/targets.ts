import { posix } from 'node:path';
import type { ProjectConfiguration, ProjectGraphExternalNode, TargetConfiguration } from '@nx/devkit';
import { kraftfileNames } from '@nx-kraft/kraftfile/names';
import type { TaskNames } from '../options.ts';
import { lockFileName, testFileName, toolchainVariable } from '../tasks/files.ts';
import { hostTarget } from '../tasks/host-target.ts';
import { describe } from './describe.ts';
import { cloudTargets } from './cloud-targets.ts';
import type { Facts } from './facts.ts';
import { type Input, nothingOfItsOwn } from './inputs.ts';
import { kernelTargets } from './kernel-targets.ts';
import { notCompiled } from './not-compiled.ts';
import { machineTargets } from './machine-targets.ts';
import type { Summary, TargetSummary } from './summary.ts';
import { testPrograms } from './variables.ts';

/** A Kraftfile with all that its tasks are inferred from. Paths are relative to the workspace, with `/`. */
export interface InferenceSource {
  readonly name: string;
  readonly kraftfile: string;
  readonly summary: Summary;
  readonly facts: Facts;
  /** The fields that `kraft.lock` has. */
  readonly lock: ReadonlySet<string>;
  /** Goes into all cache keys. */
  readonly salt: string;
  /** Whether nx.json has defaults for all tasks of the name of the one that builds all kernels. */
  readonly hasBuildDefaults?: boolean;
  /** Inputs of all tasks when the plugin's own sources are part of the workspace, as in its own repository. */
  readonly pluginInputs: readonly Input[];
}

export interface InferredProject {
  readonly project: Omit<ProjectConfiguration, 'root'>;
  readonly externalNodes: Readonly<Record<string, ProjectGraphExternalNode>>;
}

/**
 * The project of one Kraftfile with its tasks.
 *
 * Options of a task are part of the cache keys of all tasks of its project, so nothing that changes often may be among
 * them. What a task takes from the Kraftfile reaches its own key alone through an external node: a name for the task's
 * part, with a digest over that part as its version.
 */
export function inferProject(source: InferenceSource, names: TaskNames): InferredProject {
  const { name, kraftfile, summary } = source;
  const parts = new Parts(source);
  const targets = summary.problem === undefined ? workingTargets(source, names, parts) : brokenTargets(source, names);
  const platforms = summary.targets.map(({ platform }) => `plat:${platform}`);
  const architectures = summary.targets.map(({ architecture }) => `arch:${architecture}`);
  return {
    project: {
      name,
      projectType: 'application',
      // A manifest beside the Kraftfile has the version, and whoever knows such manifests.
      ...(source.facts.hasManifest ? {} : { release: { version: { versionActions: 'nx-kraft/release' } } }),
      tags: [...new Set(['unikraft', ...platforms, ...architectures])],
      metadata: {
        technologies: ['unikraft'],
        description: summary.problem ?? `Unikernel of ${kraftfile}`,
        targetGroups: { Unikraft: Object.keys(targets) },
      },
      targets,
    },
    externalNodes: parts.nodes,
  };
}

/** What a task needs of the lock: its inputs, and whether all of it is locked. */
interface Locked {
  readonly inputs: readonly Input[];
  readonly isWhole: boolean;
}

/** The parts of one Kraftfile that tasks depend on, as external nodes of the graph. */
class Parts {
  readonly nodes: Record<string, ProjectGraphExternalNode> = {};
  readonly #source: InferenceSource;

  constructor(source: InferenceSource) {
    this.#source = source;
  }

  /** The inputs that a task has in any case: its part of the Kraftfile, the plugin, and nothing from npm. */
  inputs(part: string, digest: string): readonly Input[] {
    const { name, salt, pluginInputs, summary } = this.#source;
    const node = `kraft:${name}:${part}`;
    const version = `${salt}-${digest}`;
    this.nodes[node] = { type: 'kraft', name: node, data: { version, packageName: node, hash: version } };
    return [{ externalDependencies: [node] }, ...summary.variables.map((env) => ({ env })), ...pluginInputs];
  }

  /** What a task takes from the lock, by the fields of the file. */
  locked(fields: readonly string[]): Locked {
    const { lock } = this.#source;
    return {
      inputs: fields.length === 0 ? [] : [{ json: `{workspaceRoot}/${lockFileName}`, fields: [...fields] }],
      isWhole: fields.every((field) => field === 'components' || lock.has(field)),
    };
  }
}

function workingTargets(source: InferenceSource, names: TaskNames, parts: Parts): Record<string, TargetConfiguration> {
  const { kraftfile, summary, facts } = source;
  const options = { kraftfile };
  const kernels =
    summary.kernels !== 'none'
      ? summary.targets.map(
          (target) => [`${names.build}:${target.id}`, kernelTarget(source, target, names, parts)] as const,
        )
      : [];
  const filesystems = summary.filesystems.length === 0 ? [] : [[names.rootfs, rootfsTarget(source, parts)] as const];
  const best = `${names.build}:${hostTarget(summary.targets)?.id}`;
  const booted = [...kernels.filter(([task]) => task === best), ...filesystems].map(([task]) => task);
  const bootable = {
    [names.package]: {
      executor: 'nx-kraft:package',
      options,
      cache: true,
      dependsOn: [...kernels, ...filesystems].map(([task]) => task),
      inputs: [
        ...parts.inputs('package', summary.packageDigest),
        { dependentTasksOutputFiles: '**/*' },
        { env: 'SOURCE_DATE_EPOCH' },
      ],
      outputs: [inProject(summary.image), inProject(summary.archive)],
      metadata: describe('Packs all targets into one OCI image layout'),
    },
    [names.push]: {
      executor: 'nx-kraft:push',
      options,
      dependsOn: [names.package],
      inputs: nothingOfItsOwn,
      metadata: describe('Pushes the packed image to its registry'),
    },
    [names.load]: {
      executor: 'nx-kraft:load',
      options,
      dependsOn: [names.package],
      metadata: describe('Takes the packed image into the images of this machine'),
    },
    // nx release knows it by this name alone.
    'nx-release-publish': {
      executor: 'nx-kraft:release-publish',
      options,
      dependsOn: [names.package],
      metadata: describe('Pushes the packed image under its released version'),
    },
    [names.test]: {
      executor: 'nx-kraft:test',
      options,
      cache: !facts.volumes.reachesOutside,
      dependsOn: booted,
      inputs: [
        ...parts.inputs('test', summary.testDigest),
        ...facts.volumes.files.map(asFileset),
        ...[...summary.hostEnvironment, ...testPrograms(summary)].map((env) => ({ env })),
        `{projectRoot}/${testFileName}`,
        { dependentTasksOutputFiles: '**/*' },
      ],
      outputs: [inProject(summary.testReport)],
      metadata: describe(`Boots the host's best target and checks what ${testFileName} says`),
    },
  };
  return {
    [names.build]: {
      // Defaults by name would take the kernels away; those by the executor keep them, and only its own may be named so.
      ...(source.hasBuildDefaults === true ? { executor: 'nx-kraft:build', options } : { executor: 'nx:noop' }),
      dependsOn: kernels.map(([task]) => task),
      inputs: nothingOfItsOwn,
      metadata: describe('Builds the kernels of all targets'),
    },
    ...Object.fromEntries([...kernels, ...filesystems]),
    ...bootable,
    ...machineTargets(source, names, booted),
    ...kernelTargets(source, names),
    ...cloudTargets(source, names),
    [names.lint]: lintTarget(source),
  };
}

function kernelTarget(
  source: InferenceSource,
  target: TargetSummary,
  names: TaskNames,
  parts: Parts,
): TargetConfiguration {
  const { kraftfile, facts, summary } = source;
  const isBuilt = summary.kernels === 'source';
  // Which components a template adds is only known when it has been fetched: any change of them counts.
  const locked = parts.locked([...summary.lockFields, ...(summary.hasTemplate ? ['components'] : [])]);
  const built: readonly Input[] = [
    ...applicationFiles(source),
    ...facts.localComponents.flatMap((folder) => [
      `{workspaceRoot}/${folder}/**/*`,
      `!{workspaceRoot}/${folder}/**/*.md`,
    ]),
    ...facts.notCompiled.map((glob) => `!{workspaceRoot}/${glob}`),
    { env: toolchainVariable(target.architecture) },
    { env: 'SOURCE_DATE_EPOCH' },
    ...(target.embedsRootfs ? [{ dependentTasksOutputFiles: '**/*' }] : []),
  ];
  const platform = `${target.platform}/${target.architecture}`;
  return {
    executor: 'nx-kraft:build',
    options: { kraftfile, target: target.id },
    // No key can see a folder outside of the workspace change, nor a name that means something else tomorrow.
    cache: !facts.reachesOutside && locked.isWhole,
    ...(target.embedsRootfs ? { dependsOn: [names.rootfs] } : {}),
    inputs: [...parts.inputs(`build:${target.id}`, target.digest), ...locked.inputs, ...(isBuilt ? built : [])],
    outputs: target.outputs.map(inProject),
    metadata: describe(isBuilt ? `Builds the kernel for ${platform}` : `Takes the runtime's kernel for ${platform}`),
  };
}

/** The application's own sources: all of its folder, but for what is surely something else. */
function applicationFiles({ summary, facts }: InferenceSource): readonly Input[] {
  if (!summary.compilesApplication || !facts.hasMakefile) return [];
  const excluded = [...kraftfileNames, ...notCompiled(summary)];
  return ['{projectRoot}/**/*', ...excluded.map((pattern) => `!{projectRoot}/${pattern}`)];
}

function rootfsTarget(source: InferenceSource, parts: Parts): TargetConfiguration {
  const { kraftfile, summary, facts } = source;
  const locked = parts.locked(facts.rootfs.lockFields);
  return {
    executor: 'nx-kraft:rootfs',
    options: { kraftfile },
    // As for kernels: neither what is outside of the workspace, nor images that are not locked.
    cache: !facts.rootfs.reachesOutside && locked.isWhole,
    // What other projects build, and this file system takes from them, is there by then, and part of the key.
    dependsOn: ['^build'],
    inputs: [
      ...parts.inputs('rootfs', summary.rootfsDigest),
      ...locked.inputs,
      ...facts.rootfs.files.map(asFileset),
      ...facts.rootfs.environment.map((env) => ({ env })),
      { env: 'SOURCE_DATE_EPOCH' },
    ],
    outputs: summary.rootfsOutputs.map(inProject),
    metadata: describe(`Makes ${summary.filesystems.map(({ source: path }) => path).join(', ')} into one archive each`),
  };
}

/** Ignored files count too: what a build before this one made is seldom in git. */
function asFileset(glob: string): Input {
  const fileset = glob.startsWith('!') ? `!{workspaceRoot}/${glob.slice(1)}` : `{workspaceRoot}/${glob}`;
  return { fileset, includeIgnored: true };
}

/**
 * A Kraftfile that cannot be read still is a project, whose tasks tell what is wrong with it: one mistake must not take
 * the workspace's whole graph down.
 */
function brokenTargets(source: InferenceSource, names: TaskNames): Record<string, TargetConfiguration> {
  const lint = lintTarget(source);
  return Object.fromEntries(
    [names.build, names.package, names.run, names.test, names.lint].map((task) => [task, lint]),
  );
}

function lintTarget({ kraftfile, pluginInputs }: InferenceSource): TargetConfiguration {
  return {
    executor: 'nx-kraft:lint',
    options: { kraftfile },
    cache: true,
    inputs: [`{workspaceRoot}/${kraftfile}`, { externalDependencies: [] }, ...pluginInputs],
    outputs: [],
    metadata: describe('Checks the Kraftfile and explains what is wrong with it'),
  };
}

function inProject(path: string): string {
  return posix.join('{projectRoot}', path);
}
