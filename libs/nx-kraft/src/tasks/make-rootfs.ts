import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { replaceAtomically } from '@nx-kraft/base';
import { romName, rootfsName } from '@nx-kraft/kraftfile/outputs';
import { parseMemory } from '@nx-kraft/machine/memory';
import type { DockerfileOptions } from '@nx-kraft/rootfs';
import { type RootfsRequest, type RunDefaults, buildRootfs, describeRootfs } from '@nx-kraft/rootfs/build';
import { rootfsInputs, unexpectedReads } from '@nx-kraft/rootfs/inputs';
import { checkImages } from './check-images.ts';
import { imagesWhenNeeded } from './images-when-needed.ts';
import { buildkitHost } from './kraft-config.ts';
import { ProjectFault, loadKraftproject, plannedTargets } from './kraftproject.ts';
import { readWorkspaceLock } from './lock.ts';
import { type NetworkOptions, networkRules } from './network.ts';
import { optionsOfRom, type RomsOption } from './rom-options.ts';
import { writeRunDefaults } from './run-defaults.ts';
import { sourceDateEpoch, tell } from './task.ts';
import type { SourceGuard } from './unchanged-sources.ts';

/** How a Dockerfile is built, as `docker buildx build` calls it; who owns the files, and what becomes of hard links. */
export type RootfsTaskOptions = RomsOption &
  Pick<RootfsRequest, 'hardLinks' | 'owners'> &
  Pick<
    DockerfileOptions,
    | 'buildArgs'
    | 'buildContexts'
    | 'builder'
    | 'buildkitHost'
    | 'context'
    | 'network'
    | 'noCache'
    | 'platform'
    | 'secrets'
    | 'ssh'
    | 'target'
  >;

export interface RootfsOptions extends RootfsTaskOptions, NetworkOptions {
  /** The Kraftfile, relative to the workspace. */
  readonly kraftfile: string;
  /** Of the machine that gets it, such as `64Mi`. */
  readonly memory?: string | undefined;
  /** OCI image layouts of images that the workspace packs, relative to it, by the images' names in full. */
  readonly layouts?: Readonly<Record<string, string>>;
}

/**
 * Makes a Kraftfile's root file system and its read-only images for each architecture that they are for.
 *
 * @param guard  is asked when all sources were read, or before a builder that takes its own time reads them
 */
export async function makeRootfs(
  workspaceRoot: string,
  options: RootfsOptions,
  signal: AbortSignal,
  guard: SourceGuard,
): Promise<void> {
  const { kraftfile: path, offline, frozen, memory, layouts = {}, ...buildOptions } = options;
  const rules = networkRules({ offline, frozen });
  const { file, folder, kraftfile } = await loadKraftproject(workspaceRoot, path);
  const { rootfs, roms } = kraftfile;
  if (rootfs === undefined && roms.length === 0) {
    throw new ProjectFault('KRAFTFILE_NO_ROOTFS', 'it names no rootfs', { at: file });
  }
  checkRoms(options, roms, file);
  const lock = await readWorkspaceLock(workspaceRoot);
  const places = Object.entries(layouts).map(([name, layout]) => [name, join(workspaceRoot, layout)]);
  const common = {
    ...buildOptions,
    buildkitHost: buildOptions.buildkitHost ?? buildkitHost(),
    baseDirectory: folder,
    time: sourceDateEpoch(),
    refuseOnBuild: guard.isCached,
    images: imagesWhenNeeded(lock, rules, Object.fromEntries(places) as Record<string, string>, signal),
    signal,
  };
  const architectures = [...new Set(plannedTargets(kraftfile).map(({ architecture }) => architecture))];
  const ofRoms = roms.map((rom) => {
    return { ...rom, format: rom.format ?? ('erofs' as const), ...optionsOfRom(common, rom.source) };
  });
  const requests = [...(rootfs === undefined ? [] : [{ ...rootfs, ...common }]), ...ofRoms];
  const inputs = requests.flatMap((request) =>
    architectures.map((architecture) => rootfsInputs({ ...request, architecture })),
  );
  checkImages(inputs, lock, rules, Object.keys(layouts));
  const isReadAtOnce = inputs.every(({ needsBuilder }) => needsBuilder === undefined);
  if (!isReadAtOnce) await guard.check(folder, inputs);
  if (rootfs !== undefined) {
    const nameOf = (architecture: string): string => rootfsName(kraftfile, architecture, rootfs.format);
    await makeForEach(architectures, { ...rootfs, ...common }, nameOf, {
      memory: memory === undefined ? undefined : parseMemory(memory),
      onMade: (architecture, config) => writeRunDefaults(folder, kraftfile, architecture, config),
    });
  }
  for (const [index, rom] of ofRoms.entries()) {
    await makeForEach(architectures, rom, (architecture) => romName(kraftfile, index, architecture, rom.format));
  }
  if (isReadAtOnce) await guard.check(folder, inputs);
}

function checkRoms({ roms = {} }: RomsOption, existing: readonly { readonly source: string }[], file: string): void {
  const sources = existing.map(({ source }) => source);
  const unknown = Object.keys(roms).find((source) => !sources.includes(source));
  if (unknown === undefined) return;
  throw new ProjectFault(
    'OPTION_INVALID',
    `the task's options name the ROM ${unknown}, which is not in the Kraftfile`,
    {
      at: file,
      hint: sources.length === 0 ? 'It names none under "roms".' : `Its ROMs are: ${sources.join(', ')}.`,
    },
  );
}

interface MakeHooks {
  /** Bytes of memory of the machine that gets it. */
  readonly memory?: number | undefined;
  readonly onMade?: (architecture: string, config: RunDefaults | undefined) => Promise<void>;
}

/** Makes one file system for each architecture; one that is the same for all is made once. */
async function makeForEach(
  architectures: readonly string[],
  request: RootfsRequest,
  nameOf: (architecture: string) => string,
  { memory, onMade }: MakeHooks = {},
): Promise<void> {
  let made: string | undefined;
  for (const architecture of architectures) {
    const name = nameOf(architecture);
    const output = join(request.baseDirectory, name);
    if (made !== undefined) {
      const source = made;
      await replaceAtomically(output, (temporary) => copyFile(source, temporary));
      await onMade?.(architecture, undefined);
      continue;
    }
    const inputs = rootfsInputs({ ...request, architecture });
    // Neither git nor cache keys know who owns the files of a folder.
    const owners = inputs.kind === 'directory' ? 'root' : (request.owners ?? 'root');
    const result = await buildRootfs({ ...request, owners, architecture, onLine: tell }, output);
    await onMade?.(architecture, result.config);
    const unexpected = unexpectedReads(result.reads ?? [], inputs);
    for (const read of unexpected) tell(`warning: the builder read ${read}, which is no input of this task`);
    for (const line of describeRootfs({ ...result, path: name }, memory)) tell(line);
    // Images and what Dockerfiles build differ between architectures; files do not.
    if (result.kind !== 'dockerfile' && result.kind !== 'image') made = output;
  }
}
