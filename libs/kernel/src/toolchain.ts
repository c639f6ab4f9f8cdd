import { arch } from 'node:os';
import { ProgramFault, installHint, run } from '@nx-kraft/base';
import { KernelFault } from './fault.ts';
import { flagsFromEnvironment, type OtherCompilerName, programsOf } from './other-compilers.ts';

/** The prefix of the GNU cross tools for each architecture of Unikraft, by the name that Node gives a native host. */
const crossPrefixes: Readonly<Record<string, { readonly host: string; readonly prefix: string }>> = {
  x86_64: { host: 'x64', prefix: 'x86_64-linux-gnu-' },
  arm64: { host: 'arm64', prefix: 'aarch64-linux-gnu-' },
  arm: { host: 'arm', prefix: 'arm-linux-gnueabihf-' },
};

/** What `CROSS_COMPILE` must be to build for `architecture` on this host; empty for the host's own tools. */
export function crossCompilePrefix(architecture: string): string {
  const cross = crossPrefixes[architecture];
  return cross === undefined || cross.host === arch() ? '' : cross.prefix;
}

/**
 * Tells the programs that kernel builds for each architecture use, one line each with the version that the program
 * gives. A missing program is a line too, so that installing it is a change. The text is part of each kernel's cache
 * key: another compiler may give other bytes.
 *
 * @param ask  gives the first line of what a program says of its version
 */
export async function describeToolchains(
  architectures: readonly string[],
  ask: (program: string) => Promise<string> = askVersion,
): Promise<ReadonlyMap<string, string>> {
  const asked = new Map<string, Promise<string>>();
  const versionOf = (program: string): Promise<string> => {
    const version = asked.get(program) ?? ask(program);
    asked.set(program, version);
    return version;
  };
  const described = architectures.map(async (architecture): Promise<[string, string]> => {
    const prefix = crossCompilePrefix(architecture);
    const programs = [`${prefix}gcc`, `${prefix}g++`, `${prefix}ld`, `${prefix}objcopy`, 'make', 'flex', 'bison'];
    const lines = await Promise.all(programs.map(async (program) => `${program}: ${await versionOf(program)}`));
    return [architecture, lines.join('\n')];
  });
  return new Map(await Promise.all(described));
}

/**
 * Tells which of a compiler's programs there are for an architecture, one line each with the version that it gives, and
 * which flags they take from the environment. One that is missing has no line.
 *
 * @param ask  gives the first line of what a program says of its version; `missing` for one that is not there
 */
export async function describeOtherCompiler(
  name: OtherCompilerName,
  architecture: string,
  ask: (program: string) => Promise<string> = askVersion,
): Promise<string> {
  const programs = programsOf(name, crossCompilePrefix(architecture));
  const lines = await Promise.all(programs.map(async (program) => [program, await ask(program)] as const));
  const versions = lines.filter(([, version]) => version !== 'missing');
  if (versions.length === 0) return '';
  return [...versions.map(([program, version]) => `${program}: ${version}`), ...flagsFromEnvironment(name)].join('\n');
}

/** The first line of what a program says of its version; `missing` for one that is not there. */
export async function askVersion(program: string): Promise<string> {
  try {
    const output = await run(program, ['--version'], { env: { LC_ALL: 'C' } });
    return output.split('\n')[0] ?? '';
  } catch (error) {
    if (error instanceof ProgramFault) return error.code === 'PROGRAM_MISSING' ? 'missing' : 'unusable';
    throw error;
  }
}

/**
 * Makes sure that the compiler for `architecture` is there before make fails half way without it.
 *
 * @param toolchain  what {@link describeToolchains} tells of the architecture
 * @throws KernelFault KERNEL_NO_COMPILER with the package to install
 */
export async function requireCompiler(architecture: string, toolchain: string): Promise<void> {
  const compiler = `${crossCompilePrefix(architecture)}gcc`;
  const version = toolchain.split('\n').find((line) => line.startsWith(`${compiler}: `));
  if (version !== undefined && !/: (missing|unusable)$/.test(version)) return;
  throw new KernelFault('KERNEL_NO_COMPILER', `there is no working ${compiler} to build for ${architecture}`, {
    hint: await installHint(compiler),
  });
}
