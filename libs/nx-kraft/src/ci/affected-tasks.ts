import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Fault, ProgramFault, run } from '@nx-kraft/base';
import type { ProjectGraph, TaskGraph } from '@nx/devkit';
import { nxProgram } from '../nx.ts';
import { expectedSeconds } from './expected-seconds.ts';
import type { PlannedTask } from './plan.ts';

/** Nx could not tell what is to be done. */
export class CiFault extends Fault<'CI_NO_TASKS' | 'CI_BAD_PLAN' | 'CI_FAILED'> {
  override readonly name = 'CiFault';
}

export interface AffectedOptions {
  readonly targets: readonly string[];
  /** All projects, and not only those that changed. */
  readonly all?: boolean | undefined;
  /**
   * What is compared, as Nx takes it; default: `NX_BASE` and `NX_HEAD`, else what `nx.json` says. With a base that is not
   * there, as for the first push of a branch, everything counts as changed.
   */
  readonly base?: string | undefined;
  readonly head?: string | undefined;
}

/** What `nx affected --graph=FILE.json` writes, of which versions differ in how they write dependencies. */
interface TaskReport {
  readonly graph: Pick<ProjectGraph, 'nodes'>;
  readonly tasks: Pick<TaskGraph, 'tasks'> & {
    readonly dependencies: Readonly<Record<string, readonly (string | { readonly id: string })[]>>;
  };
}

/**
 * Asks Nx which tasks the changes need, with those that they depend on.
 *
 * @throws CiFault CI_NO_TASKS with what Nx said
 */
export async function affectedTasks(workspaceRoot: string, options: AffectedOptions): Promise<readonly PlannedTask[]> {
  const { graph, tasks } = await askNx(workspaceRoot, options);
  const names = Object.values(tasks.tasks);
  const history = await readHistory(names.map(({ target }) => target));
  return names.map(({ id, target }) => ({
    id,
    project: target.project,
    target: target.target,
    needs: (tasks.dependencies[id] ?? []).map((need) => (typeof need === 'string' ? need : need.id)),
    seconds: expectedSeconds(id, target, graph, history),
  }));
}

/** What Nx said, where it ran and said anything. */
function hintOf(cause: unknown): string | undefined {
  if (!(cause instanceof ProgramFault)) return undefined;
  if (cause.code === 'PROGRAM_MISSING') return 'Call it in the root of an Nx workspace whose packages are installed.';
  return cause.output.trim() || undefined;
}

async function askNx(workspaceRoot: string, options: AffectedOptions): Promise<TaskReport> {
  const folder = await mkdtemp(join(tmpdir(), 'nx-kraft-ci-'));
  try {
    const file = join(folder, 'tasks.json');
    const base = options.base ?? process.env.NX_BASE;
    const all = options.all === true || (base !== undefined && !(await isCommit(workspaceRoot, base)));
    const changed = [
      ...(base === undefined ? [] : [`--base=${base}`]),
      ...(options.head === undefined ? [] : [`--head=${options.head}`]),
    ];
    const which = all ? ['run-many'] : ['affected', ...changed];
    const args = [...which, `--targets=${options.targets.join(',')}`, `--graph=${file}`];
    await run(nxProgram(workspaceRoot), args, { cwd: workspaceRoot });
    return JSON.parse(await readFile(file, 'utf8')) as TaskReport;
  } catch (cause) {
    throw new CiFault('CI_NO_TASKS', 'nx could not tell which tasks are affected', {
      cause,
      hint: hintOf(cause),
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function isCommit(folder: string, name: string): Promise<boolean> {
  try {
    await run('git', ['rev-parse', '--verify', '--quiet', '--end-of-options', `${name}^{commit}`], { cwd: folder });
    return true;
  } catch (error) {
    if (error instanceof ProgramFault && error.code === 'PROGRAM_FAILED') return false;
    throw error;
  }
}

/** Milliseconds by the id of a task, for tasks that ran here before. Nx has no public way to ask, so it may have none. */
async function readHistory(targets: readonly { project: string; target: string }[]): Promise<Record<string, number>> {
  try {
    const { getTaskHistory } = await import('nx/src/utils/task-history.js');
    return (await getTaskHistory()?.getEstimatedTaskTimings([...targets])) ?? {};
  } catch {
    return {};
  }
}
