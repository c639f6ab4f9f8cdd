import { firecrackerVariable, qemuVariable, toolchainVariable } from '../tasks/files.ts';
import { EntryFiles } from './entry-files.ts';
import type { Facts } from './facts.ts';
import type { Summary, TargetSummary } from './summary.ts';

/** The variable with the versions of the programs that can build a Dockerfile; part of the keys of those that need one. */
export const buildersVariable = 'NX_KRAFT_BUILDERS';

/** The variable with the version of the program that makes EROFS images. */
export const erofsVariable = 'NX_KRAFT_MKFS_EROFS';

/** What has to be found out before tasks are hashed, since Nx does not look at it. */
export interface NeededVariables {
  /**
   * The file in a project that tells of it → globs of files whose modes, links and empty folders count; all relative to the
   * workspace.
   */
  readonly files: Readonly<Record<string, readonly string[]>>;
  /** Those of the files for which it counts, too, which of what the globs name is one file with several names. */
  readonly linked: readonly string[];
  /** Those of the files that are not written, since other tasks may have yet to make what they would tell of. */
  readonly late: readonly string[];
  /** The variables with versions of programs that any task has among its inputs. */
  readonly versions: readonly string[];
}

/** The variables with the versions of what boots targets. */
export function testPrograms(tested: readonly TargetSummary[]): readonly string[] {
  const variables = tested.flatMap(({ platform, architecture }) =>
    platform === 'qemu' ? [qemuVariable(architecture)] : platform === 'fc' ? [firecrackerVariable] : [],
  );
  return [...new Set(variables)];
}

/** The variables with versions of the tools that build a kernel. */
export function toolchainVariables(architecture: string, { kernels }: Facts): readonly string[] {
  return [undefined, ...kernels.compilers].map((other) => toolchainVariable(architecture, other));
}

/**
 * The variables with versions of programs among the inputs of a Kraftfile's tasks.
 *
 * @param tested  the targets that its tests boot
 */
export function versionVariables(summary: Summary, facts: Facts, tested: readonly TargetSummary[]): readonly string[] {
  const { kernels, targets } = summary;
  const { rootfs } = facts;
  return [
    ...(kernels === 'source' ? targets.flatMap(({ architecture }) => toolchainVariables(architecture, facts)) : []),
    ...testPrograms(tested),
    ...[buildersVariable, erofsVariable].filter((name) => rootfs.environment.includes(name)),
  ];
}

/**
 * Keeps what inference found for commands that infer nothing.
 *
 * @param kraftfiles  those that were looked at, relative to the workspace
 */
export function rememberVariables(workspaceRoot: string, kraftfiles: readonly string[], needed: NeededVariables): void {
  filesIn(workspaceRoot).keep(kraftfiles, needed);
}

export function recallVariables(workspaceRoot: string): NeededVariables {
  const all = filesIn(workspaceRoot).all();
  return {
    files: Object.assign({}, ...all.map(({ files }) => files)) as NeededVariables['files'],
    linked: all.flatMap(({ linked }) => linked),
    late: all.flatMap(({ late }) => late),
    versions: [...new Set(all.flatMap(({ versions }) => versions))].toSorted(),
  };
}

function filesIn(workspaceRoot: string): EntryFiles<NeededVariables> {
  return new EntryFiles(workspaceRoot, 'nx-kraft-variables');
}
