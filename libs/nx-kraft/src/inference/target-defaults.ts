import type { NxJsonConfiguration } from '@nx/devkit';
import type { TaskNames } from '../options.ts';

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

function replaces({ targetDefaults = {} }: NxJsonConfiguration, name: string): boolean {
  // Nx 24 allows several entries for one name.
  const entries = [targetDefaults[name] ?? []].flat() as readonly object[];
  return entries.some((entry) => 'inputs' in entry || 'outputs' in entry || 'dependsOn' in entry);
}
