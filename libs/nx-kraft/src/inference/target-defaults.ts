import type { NxJsonConfiguration } from '@nx/devkit';
import { globTest } from '@nx-kraft/rootfs/globs';
import type { TaskNames } from '../options.ts';
import type { GivenTarget } from './project-options.ts';

/** The tasks that Nx caches or that depend on others, with their executors. */
const executors = {
  build: 'nx-kraft:build',
  rootfs: 'nx-kraft:rootfs',
  package: 'nx-kraft:package',
  push: 'nx-kraft:push',
  run: 'nx-kraft:run',
  test: 'nx-kraft:test',
  lint: 'nx-kraft:lint',
  deploy: 'nx-kraft:deploy',
} as const satisfies Partial<Record<keyof TaskNames, string>>;

/**
 * The executors whose tasks Nx changes by `targetDefaults` of nx.json. What stands there for `build` or `test` is meant for
 * other projects, but takes the place of the inputs and dependencies that unikernels have. Nx prefers defaults by an
 * executor's name: where those are there, even empty ones, nothing is changed.
 */
export function changedExecutors(nxJson: NxJsonConfiguration, names: TaskNames): readonly string[] {
  return Object.entries(executors)
    .filter(([task, executor]) => {
      const name = names[task as keyof typeof executors];
      return replaces(nxJson, name) && !(executor in (nxJson.targetDefaults ?? {}));
    })
    .map(([, executor]) => executor);
}

/** Whether nx.json says what all tasks of the name of ours that builds all kernels depend on. */
export function hasBuildDefaults(nxJson: NxJsonConfiguration, names: TaskNames): boolean {
  return replaces(nxJson, names.build);
}

/**
 * What nx.json gives to all tasks of a name of ours: by the executor, else by that name, else by the longest pattern. What holds
 * for some projects only is taken as well, since other inputs than these only cost a run.
 */
export function targetDefaults(
  { targetDefaults: defaults = {} }: NxJsonConfiguration,
  names: TaskNames,
  name: string,
): readonly GivenTarget[] {
  const task = Object.keys(executors).find((key) => names[key as keyof typeof executors] === name);
  const executor = task === undefined ? undefined : executors[task as keyof typeof executors];
  const patterns = Object.keys(defaults)
    .filter((key) => key.includes('*') && globTest(key)(name))
    .toSorted((a, b) => b.length - a.length);
  const key = [...(executor === undefined ? [] : [executor]), name, ...patterns].find((one) => one in defaults);
  return key === undefined ? [] : ([defaults[key] ?? []].flat() as readonly GivenTarget[]);
}

function replaces({ targetDefaults = {} }: NxJsonConfiguration, name: string): boolean {
  // Nx 24 allows several entries for one name.
  const entries = [targetDefaults[name] ?? []].flat() as readonly object[];
  return entries.some((entry) => 'inputs' in entry || 'outputs' in entry || 'dependsOn' in entry);
}
