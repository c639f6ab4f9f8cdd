import { posix } from 'node:path';
import {
  type ProjectConfiguration,
  type TargetConfiguration,
  type TargetDependencyConfig,
  type Tree,
  readJson,
  writeJson,
} from '@nx/devkit';
import type { Build } from '@nx-kraft/kraftfile/compose';

/** What a Compose file says of a service that is a project's settings here. */
export interface ServiceSettings {
  /** Options of its task `run`. */
  readonly run: Readonly<Record<string, unknown>>;
  /** Projects that must answer before it starts. */
  readonly dependsOn: readonly string[];
  readonly build?: Build;
  /** What its package is called. */
  readonly image?: string | undefined;
}

type Settings = Partial<ProjectConfiguration>;

/** Puts a service's settings into the `project.json` of its project, over those that it has and beside all others. */
export function writeSettings(tree: Tree, root: string, name: string, tag: string, settings: ServiceSettings): void {
  const file = posix.join(root, 'project.json');
  const before: Settings = tree.exists(file) ? readJson<Settings>(tree, file) : {};
  const { build, image } = settings;
  const args = Object.keys(build?.args ?? {}).length === 0 ? undefined : build?.args;
  const wanted = {
    rootfs: { options: { target: build?.target, buildArgs: args }, dependsOn: undefined },
    package: { options: { name: image }, dependsOn: undefined },
    run: { options: settings.run, dependsOn: waitingFor(settings.dependsOn, before.targets?.run?.dependsOn) },
  };
  const targets = { ...before.targets };
  for (const [task, { options, dependsOn }] of Object.entries(wanted)) {
    const said = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
    if (Object.keys(said).length === 0 && dependsOn === undefined) continue;
    targets[task] = {
      ...targets[task],
      options: { ...(targets[task]?.options as object | undefined), ...said },
      ...(dependsOn === undefined ? {} : { dependsOn }),
    };
  }
  const tags = [...new Set([...(before.tags ?? []), tag])];
  const own = Object.keys(targets).length === 0 ? {} : { targets };
  writeJson(tree, file, { name, ...before, tags, ...own });
}

type DependsOn = NonNullable<TargetConfiguration['dependsOn']>;

/** @param before  what the project says itself; by default nothing beside what its task waits for in any case */
function waitingFor(projects: readonly string[], before: DependsOn = ['...']): DependsOn | undefined {
  if (projects.length === 0) return undefined;
  const wanted: TargetDependencyConfig = { projects: [...projects], target: 'run', waitFor: 'ready' };
  return [...before.filter((one) => JSON.stringify(one) !== JSON.stringify(wanted)), wanted];
}
