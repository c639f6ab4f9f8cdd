/** A task as Nx names it: without a configuration, which no inferred task has. */
export interface TaskName {
  readonly project: string;
  readonly target: string;
}

/** A task with what it waits for. */
export interface PlannedTask extends TaskName {
  readonly id: string;
  /** The ids of the tasks that it needs the results of. */
  readonly needs: readonly string[];
  /** How long it will probably take when it is not in the cache, in seconds. */
  readonly seconds: number;
}

/** What one machine does. */
export interface Share {
  /** From 1. */
  readonly worker: number;
  /** How long it will probably take, in seconds. */
  readonly seconds: number;
  readonly tasks: readonly TaskName[];
}

/** The stages of a build on many machines, one after the other; the remote cache takes results between them. */
export interface Plan {
  /** Kernels, file systems and whatever else others need. */
  readonly build: readonly Share[];
  /** What is made of these: one image index for each application, and its tests. */
  readonly merge: readonly Share[];
}

export type Stage = keyof Plan;

/** A machine that works for less than this, in seconds, is not worth the time in which it gets ready. */
const worthAMachine = 60;

/**
 * Splits tasks into shares of about the same length. Tasks of the first stage that need each other stay together, so that
 * none is done twice; in the second all tasks of a project do, which take the same results from the cache.
 *
 * @param workers  how many machines there are at the most
 */
export function makePlan(tasks: readonly PlannedTask[], workers: number): Plan {
  const needed = new Set(tasks.flatMap(({ needs }) => needs));
  const isLast = ({ id, needs }: PlannedTask): boolean => needs.length > 0 && !needed.has(id);
  return {
    build: split(connected(tasks.filter((task) => !isLast(task))), workers),
    merge: split(byProject(tasks.filter(isLast)), workers),
  };
}

type Unit = readonly PlannedTask[];

/** The tasks in groups, of which none needs a task of another. */
function connected(tasks: readonly PlannedTask[]): readonly Unit[] {
  const groups = new Map<string, PlannedTask[]>(tasks.map((task) => [task.id, [task]]));
  for (const { id, needs } of tasks) {
    for (const need of needs) {
      const [ours, theirs] = [groups.get(id), groups.get(need)];
      if (ours === undefined || theirs === undefined || ours === theirs) continue;
      for (const task of theirs) groups.set(task.id, ours);
      ours.push(...theirs);
    }
  }
  return [...new Set(groups.values())];
}

function byProject(tasks: readonly PlannedTask[]): readonly Unit[] {
  return [...Map.groupBy(tasks, ({ project }) => project).values()];
}

/** The longest first, each to the machine that has least to do: never a third longer than the best split. */
function split(units: readonly Unit[], workers: number): readonly Share[] {
  const lengthOf = (tasks: Unit): number => tasks.reduce((sum, { seconds }) => sum + seconds, 0);
  const work = units.map((tasks) => ({
    tasks,
    seconds: lengthOf(tasks),
    name: tasks.map(({ id }) => id).toSorted()[0],
  }));
  const total = lengthOf(units.flat());
  const count = Math.min(workers, units.length, Math.max(1, Math.ceil(total / worthAMachine)));
  const shares = Array.from({ length: count }, () => ({ seconds: 0, tasks: [] as PlannedTask[] }));
  // By name where lengths are the same: the same tasks make the same plan.
  for (const unit of work.toSorted((a, b) => b.seconds - a.seconds || compare(a.name ?? '', b.name ?? ''))) {
    const share = shares.reduce((least, other) => (other.seconds < least.seconds ? other : least));
    share.seconds += unit.seconds;
    share.tasks.push(...unit.tasks);
  }
  return shares.map(({ seconds, tasks }, index) => ({
    worker: index + 1,
    seconds: Math.round(seconds),
    tasks: tasks.toSorted((a, b) => compare(a.id, b.id)).map(({ project, target }) => ({ project, target })),
  }));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** A call of `nx run-many` that does all of its targets in all of its projects. */
export interface RunMany {
  readonly targets: readonly string[];
  readonly projects: readonly string[];
}

/** The fewest calls of `nx run-many` that do exactly these tasks. */
export function asRunMany(tasks: readonly TaskName[]): readonly RunMany[] {
  const byName = Map.groupBy(tasks, ({ project }) => project);
  const calls = new Map<string, { targets: readonly string[]; projects: string[] }>();
  for (const [project, own] of byName) {
    const targets = own.map(({ target }) => target).toSorted();
    const key = targets.join('\0');
    const call = calls.get(key) ?? { targets, projects: [] };
    call.projects.push(project);
    calls.set(key, call);
  }
  return [...calls.values()];
}
