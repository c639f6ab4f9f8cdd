import { extname, join } from 'node:path';
import { ProgramFault, run } from '@nx-kraft/base';
import { otherCompilerNames } from '@nx-kraft/kernel/other-compilers';
import { describeOtherCompiler } from '@nx-kraft/kernel/toolchain';
import { buildersVariable, erofsVariable, recallVariables } from '../inference/variables.ts';
import { detailsVariables, firecrackerVariable, qemuVariable, toolchainVariable } from './files.ts';
import { describeKernelTools } from './kernel-tools.ts';
import { ProgramVersions } from './program-versions.ts';
import { keepText, SourceDetails } from './source-details.ts';

/**
 * Makes what stands in the inputs of tasks for what Nx itself does not hash. What root file systems and guests take from
 * the disk beside the contents of files is written into files of their projects: Nx copies all variables for each task, so a
 * variable for each project would cost the square of their number.
 *
 * @returns variables with the versions of the tools that make kernels and file systems, and with what tells the same of what
 *   tasks have yet to make
 */
export async function prepareInputs(workspaceRoot: string): Promise<Readonly<Record<string, string>>> {
  const { files, linked, late, versions } = recallVariables(workspaceRoot);
  const details = new SourceDetails(workspaceRoot, 'nx-kraft-contents.json');
  for (const [file, globs] of Object.entries(files)) {
    keepText(join(workspaceRoot, file), late.includes(file) ? '' : details.of(globs, linked.includes(file)));
  }
  details.save();
  const programs = new ProgramVersions(workspaceRoot);
  const described = await describePrograms(workspaceRoot, versions, programs);
  programs.save();
  const script = join(import.meta.dirname, `tell-details${extname(import.meta.filename)}`);
  const telling =
    late.length === 0 ? {} : { [detailsVariables.node]: process.execPath, [detailsVariables.script]: script };
  return { ...Object.fromEntries(described), ...telling };
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
