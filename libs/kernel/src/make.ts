import { join } from 'node:path';
import { ProgramFault, run } from '@nx-kraft/base';
import { diagnoseMakeOutput, parseMakeStep } from './diagnose.ts';
import { KernelFault } from './fault.ts';
import { readIfThere } from './files.ts';
import { orderLibraries } from './libraries.ts';
import type { Place } from './place.ts';
import type { BuildOptions, KernelPlan } from './plan.ts';
import { withJobs } from './jobs.ts';
import { imageBaseName, mapName } from './shared-objects.ts';
import { crossCompilePrefix } from './toolchain.ts';

/** Calls make, shows its steps, and gives its last lines; `terminal` for goals that people type into. */
export type Make = (goals: readonly string[], way?: 'terminal') => Promise<string>;

/** Prepares calls of make with the variables of `../README.md`, "What make is told". */
export function makeRunner(plan: KernelPlan, options: BuildOptions, place: Place): Make {
  const { signal, sourceDateEpoch = 0, onStep, downloads } = options;
  const libraries = orderLibraries(plan.libraries).map(({ name }) => place.path(`lib/${name}`));
  const crossCompile = crossCompilePrefix(plan.architecture);
  const objects = place.path('objects');
  return async (goals, way) => {
    const version = await fullVersion(plan);
    const variables = {
      A: place.path('app'),
      ...(libraries.length === 0 ? {} : { L: libraries.join(':') }),
      O: objects,
      C: join(objects, '.config'),
      N: imageBaseName,
      UK_DEFCONFIG: join(objects, 'fragment'),
      UK_LDFLAGS: `-Wl,-Map=${join(objects, mapName)}`,
      ...(crossCompile === '' ? {} : { CROSS_COMPILE: crossCompile }),
      ...(version === undefined ? {} : { UK_FULLVERSION: version }),
      HOSTUTC: new Date(sourceDateEpoch * 1000).toISOString().replace('.000Z', '+00:00'),
      HOSTNAME: 'nx-kraft',
      HOSTUSER: 'nx-kraft',
      ...downloads?.variables,
    };
    const assignments = Object.entries(variables).map(([name, value]) => `${name}=${value}`);
    const command = ['make', '-C', place.path('core'), ...assignments, ...goals];
    let output = '';
    try {
      await withJobs(options.jobs, async ({ makeFlags, wrap }) => {
        const [jobsProgram, jobsArgs] = wrap('setpriv', ['--pdeathsig', 'TERM', ...command]);
        const [program, args] = place.command(jobsProgram, jobsArgs);
        await run(program, args, {
          signal,
          ...(way === 'terminal' ? { terminal: true } : {}),
          env: makeEnvironment(sourceDateEpoch, makeFlags, { ...downloads?.environment, ...options.environment }),
          onLine: (line) => {
            const step = parseMakeStep(line);
            if (step !== undefined) onStep?.(step);
            output = `${output}${line}\n`.slice(-keptOutput);
          },
        });
      });
      return output;
    } catch (error) {
      if (!(error instanceof ProgramFault)) throw error;
      if (signal?.aborted === true) {
        throw new KernelFault('KERNEL_STOPPED', 'the build was stopped', { cause: error });
      }
      throw await diagnoseMakeOutput(output, (path) => toHostPath(path, plan, place));
    }
  };
}

/** Variables that Unikraft's make, or a compiler below it, would take flags, paths and other tools from. */
const foreignVariable =
  /^(UK_.*|CONFIG_.*|MAKE(FLAGS|LEVEL|FILES)|ARCH|BUILD_VERBOSE|COMPILER|CROSS_COMPILE|LLVM_TARGET_ARCH|COMPILER_PATH|GCC_EXEC_PREFIX|CPATH|C(PLUS)?_INCLUDE_PATH|LIBRARY_PATH)$/;

/**
 * The environment of make. Foreign variables are taken away: no cache key knows them. Messages are in English, for they
 * are read; compilers take their date from SOURCE_DATE_EPOCH.
 */
function makeEnvironment(
  sourceDateEpoch: number,
  makeFlags: string | undefined,
  additions: Readonly<Record<string, string>>,
): Record<string, string | undefined> {
  const foreign = Object.keys(process.env).filter((name) => foreignVariable.test(name));
  return {
    ...Object.fromEntries(foreign.map((name) => [name, undefined])),
    SOURCE_DATE_EPOCH: String(sourceDateEpoch),
    ...additions,
    BASH_ENV: join(import.meta.dirname, 'bash-functions.sh'),
    MAKEFLAGS: makeFlags,
    LC_ALL: 'C',
  };
}

/** How much of make's output is kept to find the first error in, in characters. */
const keptOutput = 1024 * 1024;

function toHostPath(path: string, plan: KernelPlan, place: Place): string {
  const folders = [
    ['app', plan.application],
    ['core', plan.core.folder],
    ...plan.libraries.map(({ name, folder }) => [`lib/${name}`, folder] as const),
  ] as const;
  for (const [name, folder] of folders) {
    const seen = place.path(name);
    if (path === seen || path.startsWith(`${seen}/`)) return join(folder, path.slice(seen.length));
  }
  return path;
}

/**
 * The version that the kernel tells. The core's make would ask git for its revision, and so give another version in a
 * checkout than in an unpacked archive, and even that of a repository around it.
 */
async function fullVersion(plan: KernelPlan): Promise<string | undefined> {
  const text = await readIfThere(join(plan.core.folder, 'version.mk'));
  if (text === undefined) return undefined;
  const part = (name: string) => new RegExp(`^${name}\\s*[:?]?=\\s*(\\S+)`, 'm').exec(text)?.[1];
  const numbers = [part('UK_VERSION'), part('UK_SUBVERSION'), part('UK_EXTRAVERSION')].filter((n) => n !== undefined);
  const revision = plan.core.revision === undefined ? '' : `~${plan.core.revision.slice(0, 7)}`;
  return `${numbers.join('.')}${revision}`;
}
