import { isDeepStrictEqual } from 'node:util';
import type { ExecutorContext, Task, TaskGraph } from '@nx/devkit';
import { keepLines, tryTask, watchForStop } from './task.ts';

/** The work of an executor for one task. */
type Work<Options> = (options: Options, context: ExecutorContext, signal: AbortSignal) => Promise<void>;

/** How a task of a batch ended, or that it never began, as Nx wants to know it. */
export interface Ended {
  readonly task: string;
  readonly result: {
    readonly success: boolean;
    readonly status: 'success' | 'failure' | 'skipped';
    readonly terminalOutput: string;
    readonly startTime: number;
    readonly endTime: number;
  };
}

/** A task with the variables that Nx would start it with, from which it has made its key: those of `.env` files among them. */
interface Waiting {
  readonly task: Task;
  readonly variables: Readonly<NodeJS.ProcessEnv>;
}

/** How many tasks Nx runs at the same time where nx.json does not say it. */
const usualParallel = 3;

/**
 * What runs the tasks of an executor that Nx gives to one process (`--batch`), told by their identifiers as they end: as
 * many at the same time as nx.json's `parallel` says, each after those of the batch that it waits for, and not when one of
 * these has failed. A task that gets other variables from `.env` files than those that are running waits until they have
 * ended.
 */
export function batchOf<Options>(work: Work<Options>) {
  return (
    graph: TaskGraph,
    options: Readonly<Record<string, Options>>,
    _overrides: unknown,
    context: ExecutorContext,
  ): AsyncIterableIterator<Ended> => runBatch(graph, options, context, work);
}

async function* runBatch<Options>(
  { tasks, dependencies }: TaskGraph,
  options: Readonly<Record<string, Options>>,
  context: ExecutorContext,
  work: Work<Options>,
): AsyncIterableIterator<Ended> {
  const limit = Number(context.nxJsonConfiguration.parallel ?? usualParallel);
  const waiting = await withVariables(Object.values(tasks), context);
  const running = new Map<string, Promise<Ended>>();
  const failed = new Set<string>();
  const stopped = watchForStop();

  const startIfReady = (id: string, { task, variables }: Waiting): void => {
    const before = (dependencies[id] ?? []).map(idOf);
    if (before.some((other) => waiting.has(other) || running.has(other))) return;
    if (running.size > 0 && !isDeepStrictEqual({ ...variables }, { ...process.env })) return;
    waiting.delete(id);
    const isSkipped = before.some((other) => failed.has(other));
    if (!isSkipped) setVariables(variables);
    const ofTask = contextOf(task, context);
    running.set(
      id,
      isSkipped
        ? Promise.resolve(skipped(id))
        : runOne(id, () => tryTask(ofTask, (signal) => work(options[id] as Options, ofTask, signal), stopped.signal)),
    );
  };

  try {
    for (;;) {
      for (const [id, next] of waiting) {
        if (running.size < limit && !stopped.signal.aborted) startIfReady(id, next);
      }
      if (running.size === 0) return;
      const ended = await Promise.race(running.values());
      running.delete(ended.task);
      if (!ended.result.success) failed.add(ended.task);
      yield ended;
    }
  } finally {
    stopped.end();
  }
}

/** Before version 24 of Nx an edge is the name alone. */
function idOf(edge: string | { readonly id: string }): string {
  return typeof edge === 'string' ? edge : edge.id;
}

/** All at first: Nx's function goes out from the variables that this process has when it is called. */
async function withVariables(tasks: readonly Task[], { projectGraph }: ExecutorContext): Promise<Map<string, Waiting>> {
  const { getTaskSpecificEnv } = await import('nx/src/tasks-runner/task-env.js');
  return new Map(tasks.map((task) => [task.id, { task, variables: getTaskSpecificEnv(task, projectGraph) }]));
}

function setVariables(variables: Waiting['variables']): void {
  for (const name of Object.keys(process.env)) if (!(name in variables)) delete process.env[name];
  Object.assign(process.env, variables);
}

/** What Nx tells an executor that runs one task. */
function contextOf({ target }: Task, context: ExecutorContext): ExecutorContext {
  return {
    ...context,
    projectName: target.project,
    targetName: target.target,
    ...(target.configuration === undefined ? {} : { configurationName: target.configuration }),
  };
}

async function runOne(task: string, work: () => Promise<{ readonly success: boolean }>): Promise<Ended> {
  const lines: string[] = [];
  const startTime = Date.now();
  const { success } = await keepLines(lines, work);
  const terminalOutput = lines.map((line) => `${line}\n`).join('');
  const status = success ? 'success' : 'failure';
  return { task, result: { success, status, terminalOutput, startTime, endTime: Date.now() } };
}

function skipped(task: string): Ended {
  const now = Date.now();
  return { task, result: { success: false, status: 'skipped', terminalOutput: '', startTime: now, endTime: now } };
}
