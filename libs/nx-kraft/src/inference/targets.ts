import type { ProjectConfiguration, ProjectGraphExternalNode, TargetConfiguration } from '@nx/devkit';
import { posix } from 'node:path';
import { lockField } from '@nx-kraft/components/lock-field';
import { kraftfileNames } from '@nx-kraft/kraftfile/names';
import { globOf, globTest } from '@nx-kraft/rootfs/globs';
import { leftOutOfAll } from '@nx-kraft/rootfs/left-out';
import type { TaskNames } from '../options.ts';
import { sealName } from '../local-cache/seal.ts';
import { detailsVariables, fileDetailsName, lockFileName, testFileName, volumeDetailsName } from '../tasks/files.ts';
import { leftOutVariable, renewedVariable, typedTargetVariable } from '../tasks/typed-inputs.ts';
import { bootedTargets } from './booted-targets.ts';
import { describe } from './describe.ts';
import { cloudTargets } from './cloud-targets.ts';
import type { Dependencies } from './dependencies.ts';
import type { ExternalNodes } from './external-nodes.ts';
import type { Facts, LocalFolder } from './facts.ts';
import { type Input, madeBefore, nothingOfItsOwn, variable } from './inputs.ts';
import { kernelTargets } from './kernel-targets.ts';
import type { LockSummary } from './lock.ts';
import { notCompiled } from './not-compiled.ts';
import { machineTargets } from './machine-targets.ts';
import type { Neighbours, PackedImage } from './neighbours.ts';
import type { ProjectSettings } from './project-options.ts';
import type { Summary, TargetSummary } from './summary.ts';
import { testPrograms, toolchainVariables } from './variables.ts';

/** A Kraftfile with all that its tasks are inferred from. Paths are relative to the workspace, with `/`. */
export interface InferenceSource {
  readonly name: string;
  readonly kraftfile: string;
  readonly summary: Summary;
  readonly facts: Facts;
  /** What the project itself says to Nx. */
  readonly settings: Pick<ProjectSettings, 'variants' | 'waits'>;
  readonly neighbours: Neighbours;
  readonly lock: LockSummary;
  readonly nodes: ExternalNodes;
  /** Goes into all cache keys. */
  readonly salt: string;
  /** Whether nx.json has defaults for all tasks of the name of the one that builds all kernels. */
  readonly hasBuildDefaults?: boolean;
  /** Whether `nx affected` takes whole projects by the files that changed. */
  readonly isAffectedWhole?: boolean;
  /** Inputs of all tasks when the plugin's own sources are part of the workspace, as in its own repository. */
  readonly pluginInputs: readonly Input[];
}

export interface InferredProject {
  readonly project: Omit<ProjectConfiguration, 'root'>;
  readonly externalNodes: Record<string, ProjectGraphExternalNode>;
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
  const external = externalNodes(source);
  const targets =
    summary.problem === undefined
      ? workingTargets(source, names, parts, external)
      : brokenTargets(source, names, parts);
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
        description: summary.problem ?? describeProject(kraftfile, external),
        targetGroups: { Unikraft: Object.keys(targets) },
        kraft: { external: Object.keys(external), folders: source.neighbours.folders } satisfies Dependencies,
      },
      targets,
    },
    externalNodes: Object.assign(parts.nodes, external),
  };
}

/** What a project's page in `nx graph` tells, whose drawing leaves external nodes out. */
function describeProject(kraftfile: string, external: InferredProject['externalNodes']): string {
  const sources = Object.values(external).map(({ data }) => `${data.packageName} (${data.version})`);
  return `Unikernel of ${kraftfile}${sources.length === 0 ? '' : `, made of ${sources.join(', ')}`}`;
}

/** The remote components and images that a Kraftfile is built from, but for images that are packed in the workspace. */
function externalNodes({ facts, summary, neighbours, nodes }: InferenceSource) {
  const runtime = summary.runtimeImage === undefined || neighbours.runtime ? [] : [summary.runtimeImage];
  const images = [...runtime, ...facts.rootfs.images.filter((name) => !(name in neighbours.images))];
  const found = [
    ...facts.kernels.remote.map((key) => nodes.component(key)),
    ...images.map((name) => nodes.image(name)),
  ];
  return Object.fromEntries(found.map((node) => [node.name, node]));
}

/** What a task takes, of the lock among it: its inputs, and whether all of that is locked. */
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
    this.nodes[node] = { type: 'kraft', name: node, data: { version, packageName: node } };
    return [{ externalDependencies: [node] }, ...summary.variables.map(variable), ...pluginInputs];
  }

  /** What a task takes from the lock: components by their keys, images by their names in full. */
  locked(components: readonly string[], images: readonly string[]): Locked {
    const { lock } = this.#source;
    // What is named by its digest needs no entry.
    const tags = images.filter((name) => !name.includes('@'));
    const fields = [
      ...components.map((key) => `components.${lockField(key)}`),
      ...tags.map((name) => `images.${lockField(name)}`),
    ];
    return {
      inputs: fields.length === 0 ? [] : [{ json: `{workspaceRoot}/${lockFileName}`, fields }],
      isWhole: components.every((key) => lock.components.has(key)) && tags.every((name) => lock.images.has(name)),
    };
  }
}

function workingTargets(
  source: InferenceSource,
  names: TaskNames,
  parts: Parts,
  external: InferredProject['externalNodes'],
): Record<string, TargetConfiguration> {
  const { kraftfile, summary, facts, settings } = source;
  const options = { kraftfile };
  const kernels = summary.kernels === 'none' ? [] : kernelTasks(source, names, parts);
  const filesystems =
    summary.filesystems.length === 0 ? [] : [[names.rootfs, rootfsTarget(source, names, parts)] as const];
  const tested = bootedTargets(summary, settings, names.test);
  /** What must have been made before a task can boot a target. */
  const before = (targets: readonly TargetSummary[]): string[] => [
    ...(summary.kernels === 'none' ? [] : targets.map(({ id }) => `${names.build}:${id}`)),
    ...filesystems.map(([task]) => task),
  ];
  const bootable = {
    [names.package]: {
      executor: 'nx-kraft:package',
      options: { ...options, ...runtimeOptions(source) },
      cache: !summary.isVariable,
      dependsOn: [...kernels, ...filesystems].map(([task]) => task),
      inputs: [
        ...parts.inputs('package', summary.packageDigest),
        madeBefore,
        ...['SOURCE_DATE_EPOCH', leftOutVariable].map(variable),
      ],
      outputs: [summary.image, summary.archive, sealName('package')].map(inProject(kraftfile)),
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
      cache: !facts.volumes.reachesOutside && !summary.isVariable,
      dependsOn: before(tested),
      inputs: [
        ...parts.inputs('test', summary.testDigest),
        ...facts.volumes.files.map(asFileset),
        ...details(source, volumeDetailsName, facts.volumes),
        ...[...summary.hostEnvironment, ...testPrograms(tested), typedTargetVariable, leftOutVariable].map(variable),
        ...neverTaken(!facts.volumes.reachesOutside),
        `{projectRoot}/${testFileName}`,
        madeBefore,
      ],
      outputs: [summary.testReport, sealName('test')].map(inProject(kraftfile)),
      metadata: describe(`Boots the host's best target and checks what ${testFileName} says`),
    },
  };
  return {
    [names.build]: {
      // Defaults by name would take the kernels away; those by the executor keep them, and only its own may be named so.
      ...(source.hasBuildDefaults === true ? { executor: 'nx-kraft:build', options } : { executor: 'nx:noop' }),
      // It makes nothing, but what Nx does not keep runs one by one, and an executor in a process of its own each time.
      cache: !summary.isVariable,
      outputs: [],
      dependsOn: kernels.map(([task]) => task),
      inputs: [...nothingOfItsOwn, ...lockAsWhole(source, external)],
      metadata: describe('Builds the kernels of all targets'),
    },
    ...Object.fromEntries([...kernels, ...filesystems]),
    ...bootable,
    ...machineTargets(source, names, (task) => before(bootedTargets(summary, settings, task))),
    ...kernelTargets(source, names),
    ...cloudTargets(source, names),
    [names.lint]: lintTarget(source, parts),
  };
}

/**
 * Where `nx affected` only knows files as a whole, a change of the lock takes all projects that anything is locked for. The
 * input is that of a task which makes nothing, so the cache still tells exactly what has to be built.
 */
function lockAsWhole({ isAffectedWhole }: InferenceSource, external: object): readonly Input[] {
  return isAffectedWhole === true && Object.keys(external).length > 0 ? [`{workspaceRoot}/${lockFileName}`] : [];
}

/** What all kernels of a project are made from. */
function kernelSources(source: InferenceSource, parts: Parts): Locked {
  const { facts, summary, neighbours } = source;
  const { kernels } = facts;
  const isBuilt = summary.kernels === 'source';
  const image =
    isBuilt || summary.runtimeImage === undefined || neighbours.runtime !== undefined ? [] : [summary.runtimeImage];
  const { inputs, isWhole } = parts.locked(kernels.remote, image);
  return {
    inputs: [
      ...inputs,
      ...[...kernels.folders, ...kernels.taken].flatMap((folder) => componentFiles(folder, kernels.files)),
      ...kernels.notCompiled.map((glob) => `!{workspaceRoot}/${glob}`),
      ...[...kernels.files, ...(kernels.file === undefined ? [] : [kernels.file])].map(globOf).map(asFileset),
      ...(isBuilt ? applicationFiles(source) : []),
    ],
    isWhole,
  };
}

function kernelTasks(source: InferenceSource, names: TaskNames, parts: Parts) {
  const sources = kernelSources(source, parts);
  return source.summary.targets.map(
    (target) => [`${names.build}:${target.id}`, kernelTarget(source, target, sources, names, parts)] as const,
  );
}

function kernelTarget(
  source: InferenceSource,
  target: TargetSummary,
  sources: Locked,
  names: TaskNames,
  parts: Parts,
): TargetConfiguration {
  const { kraftfile, facts, summary, neighbours } = source;
  const { kernels } = facts;
  const isBuilt = summary.kernels === 'source';
  const { runtime, kernel } = neighbours;
  const before = [
    ...(target.embedsRootfs ? [names.rootfs] : []),
    ...(runtime === undefined ? [] : [packing(runtime, names)]),
    ...(kernel === undefined ? [] : [{ projects: [kernel], target: names.build }]),
  ];
  const built = [...toolchainVariables(target.architecture, facts), ...kernels.environment, 'SOURCE_DATE_EPOCH'];
  const platform = `${target.platform}/${target.architecture}`;
  return {
    executor: 'nx-kraft:build',
    options: { kraftfile, target: target.id, ...runtimeOptions(source) },
    // No key can see a folder outside of the workspace change, nor a name that means something else tomorrow.
    cache: !kernels.reachesOutside && !summary.isVariable && sources.isWhole,
    ...(before.length === 0 ? {} : { dependsOn: before }),
    inputs: [
      ...parts.inputs(`build:${target.id}`, target.digest),
      ...sources.inputs,
      ...(isBuilt ? built : []).map(variable),
      // Also where a project adds a task to those before: what that generates is not there yet in a fresh clone.
      madeBefore,
      ...neverTaken(!kernels.reachesOutside),
      ...(before.length > 0 || source.settings.waits(`${names.build}:${target.id}`) ? [variable(leftOutVariable)] : []),
    ],
    outputs: [...target.outputs, sealName(`build-${target.id}`)].map(inProject(kraftfile)),
    metadata: describe(isBuilt ? `Builds the kernel for ${platform}` : `Takes the runtime's kernel for ${platform}`),
  };
}

/** Where the runtime's image is, when another project packs it. */
function runtimeOptions({ neighbours: { runtime } }: InferenceSource): { readonly runtimeLayout?: string } {
  return runtime === undefined ? {} : { runtimeLayout: runtime.layout };
}

/**
 * The sources of a local component, which count although git ignores all of it, as it mostly does with clones.
 *
 * @param files  those that count by themselves, whatever they are
 */
function componentFiles({ path: folder, isPassedOver }: LocalFolder, files: readonly string[]): readonly Input[] {
  const path = globOf(folder);
  const documents = `${path}/**/*.md`;
  if (!isPassedOver) return [`{workspaceRoot}/${path}/**/*`, `!{workspaceRoot}/${documents}`];
  const excluded = leftOutOfAll([
    { files: [], excluded: [documents] },
    { files: files.map(globOf), excluded: [] },
  ]);
  const others = ['.git', '.unikraft', '**/__pycache__'].map((name) => `${path}/${name}/**/*`);
  return [`${path}/**/*`, ...[...others, ...excluded].map((glob) => `!${glob}`)].map(asFileset);
}

/** The application's own sources: all of its folder, but for what is surely something else. */
function applicationFiles({ kraftfile, summary, facts }: InferenceSource): readonly Input[] {
  if (!summary.compilesApplication || !facts.hasMakefile) return [];
  const excluded = [...kraftfileNames, ...notCompiled(summary)];
  const root = projectRoot(kraftfile, globOf);
  return [`${root}/**/*`, ...excluded.map((pattern) => `!${root}/${pattern}`)];
}

function rootfsTarget(source: InferenceSource, names: TaskNames, parts: Parts): TargetConfiguration {
  const { kraftfile, summary, facts, neighbours } = source;
  const packed = Object.entries(neighbours.images);
  const locked = parts.locked(
    [],
    facts.rootfs.images.filter((name) => !(name in neighbours.images)),
  );
  const detailsFile = posix.join(posix.dirname(kraftfile), fileDetailsName);
  return {
    executor: 'nx-kraft:rootfs',
    options: {
      kraftfile,
      ...(packed.length === 0
        ? {}
        : { layouts: Object.fromEntries(packed.map(([name, { layout }]) => [name, layout])) }),
    },
    // As for kernels: neither what is outside of the workspace, nor images that are not locked.
    cache: !facts.rootfs.reachesOutside && !summary.isVariable && locked.isWhole,
    dependsOn: [...buildsBefore(source), ...packed.map(([, image]) => packing(image, names))],
    inputs: [
      ...parts.inputs('rootfs', summary.rootfsDigest),
      ...locked.inputs,
      ...facts.rootfs.files
        // Nx takes a folder for all below it; its mode is in the file of details.
        .filter((glob) => !glob.endsWith('/'))
        .flatMap((glob) => sparing(detailsFile, glob))
        .map(asFileset),
      ...details(source, fileDetailsName, facts.rootfs),
      ...facts.rootfs.environment.map(variable),
      variable('SOURCE_DATE_EPOCH'),
      ...neverTaken(!facts.rootfs.reachesOutside && locked.isWhole),
      ...(packed.length === 0 ? [] : [madeBefore, variable(leftOutVariable)]),
    ],
    outputs: [...summary.rootfsOutputs, sealName('rootfs')].map(inProject(kraftfile)),
    metadata: describe(`Makes ${summary.filesystems.map(({ source: path }) => path).join(', ')} into one archive each`),
  };
}

/**
 * What other projects build, and this file system takes from them, is there by then, and part of the key. Where other
 * Kraftfiles are among them, `^build` would mean their kernels, which no file system needs: then only those count that
 * the project itself declares, unless it has a manifest, by which Nx finds others that are not known here.
 */
function buildsBefore({ neighbours, facts }: InferenceSource): NonNullable<TargetConfiguration['dependsOn']> {
  if (!neighbours.haveKernels || facts.hasManifest) return ['^build'];
  const { declared } = facts;
  return declared.length === 0 ? [] : [{ projects: [...declared], target: 'build' }];
}

function packing({ project }: PackedImage, names: TaskNames) {
  return { projects: [project], target: names.package };
}

/** Of what is not kept by what lies on the disk, but may have been planned to be. */
function neverTaken(isKept: boolean): readonly Input[] {
  return isKept ? [] : [variable(renewedVariable)];
}

/** A glob of what is read or, with `!` in front, is not, in such a form that it leaves a file in the key anyway. */
function sparing(file: string, glob: string): readonly string[] {
  if (!glob.startsWith('!')) return [glob];
  const path = glob.slice(1);
  if (!globTest(path)(file) && !file.startsWith(`${path}/`)) return [glob];
  return path.endsWith('**/*') ? [`!${path.slice(0, -1)}!(${posix.basename(file)})`] : [];
}

/**
 * What Nx's hashes leave out of files that a task reads: as the plugin writes it down before tasks are hashed, or, where other
 * tasks may have yet to make them, as it is when Nx makes the key. That takes a process for each such task.
 */
function details(
  { kraftfile }: InferenceSource,
  name: string,
  { files, isMade }: Pick<Facts['rootfs'], 'files' | 'isMade'>,
): readonly Input[] {
  if (files.length === 0) return [];
  if (!isMade) return [{ fileset: `{projectRoot}/${name}`, includeIgnored: true }];
  const { node, script } = detailsVariables;
  const file = posix.join(posix.dirname(kraftfile), name).replaceAll("'", String.raw`'\''`);
  // Who asks for inputs without running tasks has no such variables.
  return [{ runtime: `"\${${node}:-true}" "$${script}" '${file}'` }];
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
function brokenTargets(source: InferenceSource, names: TaskNames, parts: Parts): Record<string, TargetConfiguration> {
  const lint = lintTarget(source, parts);
  return Object.fromEntries(
    [names.build, names.package, names.run, names.test, names.lint].map((task) => [task, lint]),
  );
}

function lintTarget({ kraftfile, summary, facts }: InferenceSource, parts: Parts): TargetConfiguration {
  const { missing } = facts;
  const isWhole = summary.problem === undefined && missing.length === 0;
  return {
    executor: 'nx-kraft:lint',
    options: { kraftfile },
    cache: true,
    inputs: [
      `{workspaceRoot}/${kraftfile}`,
      // The whole file counts anyway, so that any part will do, which spares most projects a node.
      ...(isWhole ? parts.inputs('package', summary.packageDigest) : parts.inputs('lint', missing.join('\n'))),
    ],
    outputs: [],
    metadata: describe('Checks the Kraftfile and explains what is wrong with it'),
  };
}

function inProject(kraftfile: string): (path: string) => string {
  // Among outputs Nx knows no brackets around a sign; of those that stand for anything this is the narrowest.
  const root = projectRoot(kraftfile, (folder) => folder.replaceAll(/[*?[\]{}()!]/g, '?'));
  return (path) => `${root}/${path}`;
}

/** The folder of a Kraftfile. Nx puts its path into globs as it is. */
function projectRoot(kraftfile: string, toGlob: (folder: string) => string): string {
  const folder = posix.dirname(kraftfile);
  const glob = toGlob(folder);
  return glob === folder ? '{projectRoot}' : `{workspaceRoot}/${glob}`;
}
