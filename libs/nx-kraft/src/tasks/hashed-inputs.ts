import { isMissingModule } from '../nx.ts';
import type { TaskSurroundings } from './attest.ts';

/** What Nx hashes of one task. */
export interface HashedInputs {
  /** Relative to the workspace. */
  readonly files: readonly string[];
  /** Names of variables. */
  readonly environment: readonly string[];
  /** Commands whose output counts. */
  readonly runtime: readonly string[];
  /** Names of packages and other external nodes. */
  readonly external: readonly string[];
}

/** The part of Nx that knows, as far as it is used here. */
interface Inspector {
  init(): Promise<void>;
  inspectTaskInputs(task: { project: string; target: string }): Readonly<Record<string, HashedInputs>>;
}

type InspectorClass = new (
  projectGraph: TaskSurroundings['projectGraph'],
  workspaceRoot: string,
  nxJson: TaskSurroundings['nxJsonConfiguration'],
) => Inspector;

/**
 * What Nx hashes for a task and all that it needs. No public function of Nx 23 or 24 tells it: `nx show target inputs`
 * asks a module inside in the same way, but for one task of the graph each time.
 *
 * @param load  that module of Nx
 * @returns undefined where this version of Nx has it no more, or in another form
 */
export async function hashedInputs(
  workspaceRoot: string,
  { projectGraph, nxJsonConfiguration }: Pick<TaskSurroundings, 'projectGraph' | 'nxJsonConfiguration'>,
  project: string,
  target: string,
  load: () => Promise<object> = () => import('nx/src/hasher/hash-plan-inspector.js'),
): Promise<readonly HashedInputs[] | undefined> {
  const { HashPlanInspector: found } = (await loaded(load)) as { readonly HashPlanInspector?: unknown };
  if (!isInspector(found)) return undefined;
  const inspector = new found(projectGraph, workspaceRoot, nxJsonConfiguration);
  await inspector.init();
  const inputs = Object.values(inspector.inspectTaskInputs({ project, target }));
  return inputs.every(isWhole) ? inputs : undefined;
}

async function loaded(load: () => Promise<object>): Promise<object> {
  try {
    return await load();
  } catch (error) {
    if (isMissingModule(error)) return {};
    throw error;
  }
}

function isInspector(value: unknown): value is InspectorClass {
  if (typeof value !== 'function') return false;
  const { init, inspectTaskInputs } = value.prototype as Partial<Record<keyof Inspector, unknown>>;
  return typeof init === 'function' && typeof inspectTaskInputs === 'function';
}

function isWhole({ files, environment, runtime, external }: Partial<HashedInputs>): boolean {
  return [files, environment, runtime, external].every(Array.isArray);
}
