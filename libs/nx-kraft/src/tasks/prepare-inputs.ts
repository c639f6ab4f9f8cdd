import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { ProgramFault, run } from '@nx-kraft/base';
import { otherCompilerNames } from '@nx-kraft/kernel/other-compilers';
import { describeOtherCompiler } from '@nx-kraft/kernel/toolchain';
import { ContentDigests, type KnownContent } from '@nx-kraft/rootfs/content-digests';
import { FileDetails } from '@nx-kraft/rootfs/file-details';
import { buildersVariable, erofsVariable, recallVariables } from '../inference/variables.ts';
import { dataFile, readIfThere, writeWhole } from '../inference/workspace-data.ts';
import { firecrackerVariable, qemuVariable, toolchainVariable } from './files.ts';
import { describeKernelTools } from './kernel-tools.ts';
import { ProgramVersions } from './program-versions.ts';

/**
 * Makes what stands in the inputs of tasks for what Nx itself does not hash. What root file systems and guests take from
 * the disk beside the contents of files is written into files of their projects: Nx copies all variables for each task, so a
 * variable for each project would cost the square of their number.
 *
 * @returns variables with the versions of the tools that make kernels and file systems
 */
export async function prepareInputs(workspaceRoot: string): Promise<Readonly<Record<string, string>>> {
  const { files, linked, versions } = recallVariables(workspaceRoot);
  const memory = dataFile(workspaceRoot, 'nx-kraft-contents.json');
  const contents = new ContentDigests(readContents(memory));
  const details = new FileDetails(workspaceRoot, contents);
  for (const [file, globs] of Object.entries(files)) {
    const excluded = globs.filter((glob) => glob.startsWith('!')).map((glob) => glob.slice(1));
    const read = globs.filter((glob) => !glob.startsWith('!'));
    keepText(join(workspaceRoot, file), details.digest(read, excluded, linked.includes(file)));
  }
  keepText(memory, contents.known.size === 0 ? '' : JSON.stringify([...contents.known]));
  const programs = new ProgramVersions(workspaceRoot);
  const described = await describePrograms(workspaceRoot, versions, programs);
  programs.save();
  return Object.fromEntries(described);
}

/** Keeps a text in a file, and an empty one in none. */
function keepText(file: string, text: string): void {
  if (text === (readIfThere(file) ?? '')) return;
  // Another command may be as far as this one.
  if (text === '') rmSync(file, { force: true });
  else writeWhole(file, text);
}

/** A memory that cannot be read, for whatever reason, is one that is empty. */
function readContents(file: string): ReadonlyMap<string, KnownContent> {
  try {
    return new Map(JSON.parse(readIfThere(file) ?? '[]') as [string, KnownContent][]);
  } catch {
    return new Map();
  }
}

/** QEMU's program for each architecture. */
const emulators = { x86_64: 'qemu-system-x86_64', arm64: 'qemu-system-aarch64', arm: 'qemu-system-arm' };

async function describePrograms(
  workspaceRoot: string,
  variables: readonly string[],
  memory: ProgramVersions,
): Promise<readonly (readonly [string, string])[]> {
  const { ask, recall } = memory;
  const architectures = ['x86_64', 'arm64', 'arm'].filter((name) => variables.includes(toolchainVariable(name)));
  const others = architectures
    .flatMap((architecture) => otherCompilerNames.map((name) => ({ architecture, name })))
    .filter(({ architecture, name }) => variables.includes(toolchainVariable(architecture, name)));
  const booted = [
    ...Object.entries(emulators).map(([name, program]) => [qemuVariable(name), program] as const),
    [firecrackerVariable, 'firecracker'] as const,
  ].filter(([variable]) => variables.includes(variable));
  const [toolchains, compilers, monitors, builders, erofs] = await Promise.all([
    describeKernelTools(workspaceRoot, architectures, memory),
    Promise.all(others.map(async ({ architecture, name }) => describeOtherCompiler(name, architecture, ask))),
    Promise.all(booted.map(async ([variable, program]) => [variable, await ask(program)] as const)),
    variables.includes(buildersVariable) ? describeBuilders(ask) : '',
    variables.includes(erofsVariable) ? recall('erofs', 'mkfs.erofs', describeErofs) : '',
  ]);
  return [
    ...[...toolchains].map(([architecture, text]) => [toolchainVariable(architecture), text] as const),
    ...others.map(
      ({ architecture, name }, index) => [toolchainVariable(architecture, name), compilers[index] ?? ''] as const,
    ),
    ...monitors,
    [buildersVariable, builders],
    [erofsVariable, erofs],
  ];
}

/** The clients stand for the builders behind them, which to ask would mean to start them. */
async function describeBuilders(ask: ProgramVersions['ask']): Promise<string> {
  const programs = ['buildctl', 'docker', 'podman', 'buildah'];
  const versions = await Promise.all(programs.map(ask));
  return programs.map((program, index) => `${program}: ${versions[index] ?? ''}`).join('\n');
}

/** Old versions of mkfs.erofs tell their version only when they are called in a wrong way. */
async function describeErofs(): Promise<string> {
  try {
    return await run('mkfs.erofs', ['-V']);
  } catch (error) {
    if (error instanceof ProgramFault) return /^mkfs\.erofs .*$/m.exec(error.output)?.[0] ?? error.code;
    throw error;
  }
}
