import {
  type CloudInstance,
  type Seen,
  isUp,
  lookAt,
  notDeployed,
  readLog,
  rollBack,
  undeploy,
  urlsOf,
  versionOf,
} from '@nx-kraft/cloud';
import { type Column, formatTable } from '@nx-kraft/oci';
import { tell } from '../task.ts';
import { connectCloud } from './connect.ts';
import { prefixLines } from './prefix-lines.ts';
import { type CloudOptions, loadCloudProject } from './settings.ts';

export interface RollbackTaskOptions extends CloudOptions {
  readonly version?: number;
  readonly rolloutWait?: number;
  readonly timeout?: number;
}

export interface UndeployTaskOptions extends CloudOptions {
  readonly dryRun?: boolean;
}

export interface LogsTaskOptions extends CloudOptions {
  readonly follow?: boolean;
  readonly tail?: number;
}

/** Goes back to an earlier version of what a project has deployed. */
export async function rollBackProject(
  workspaceRoot: string,
  options: RollbackTaskOptions,
  signal: AbortSignal,
): Promise<void> {
  const { settings, name, metro } = await loadCloudProject(workspaceRoot, options);
  const cloud = await connectCloud(metro);
  const result = await rollBack(cloud, name, {
    version: options.version,
    timeout: options.timeout ?? settings.timeout ?? 60,
    rolloutWait: options.rolloutWait ?? settings.rolloutWait ?? 10,
    signal,
    onStep: (text) => void (options.json === true ? process.stderr : process.stdout).write(`${text}\n`),
  });
  if (options.json === true) tell(JSON.stringify(result, undefined, 2));
  else {
    tell(`${name} is version ${result.version} again, after ${result.from}, image ${result.image}`);
    for (const url of result.urls) tell(url);
  }
}

/** Removes what a project has deployed, but for volumes. */
export async function undeployProject(workspaceRoot: string, options: UndeployTaskOptions): Promise<void> {
  const { name, metro } = await loadCloudProject(workspaceRoot, options);
  const removed = await undeploy(await connectCloud(metro), name, { dryRun: options.dryRun === true });
  if (options.json === true) tell(JSON.stringify({ name, removed }, undefined, 2));
  else if (removed.length === 0) tell(`${name} is not deployed`);
  else for (const each of removed) tell(`${options.dryRun === true ? 'would remove' : 'removed'} ${each}`);
}

const columns: readonly Column<CloudInstance>[] = [
  { heading: 'INSTANCE', value: ({ name }) => name },
  { heading: 'STATE', value: ({ state }) => state },
  { heading: 'RESTARTS', value: ({ restart_count: count }) => String(count ?? 0) },
  { heading: 'MEMORY', value: ({ memory_mb: memory }) => `${memory ?? 0} MiB` },
  { heading: 'CREATED AT', value: ({ created_at: at }) => at ?? '' },
  { heading: 'IMAGE', value: ({ image }) => image ?? '', canShrink: true },
];

/** Tells what a project has deployed. */
export async function showProject(workspaceRoot: string, options: CloudOptions): Promise<void> {
  const { name, metro } = await loadCloudProject(workspaceRoot, options);
  const cloud = await connectCloud(metro);
  const seen = await lookAt(cloud, name);
  if (options.json === true) {
    // What the environment has may be secret.
    const instances = seen.instances.map(({ env, ...instance }) => ({ ...instance, env: Object.keys(env ?? {}) }));
    tell(JSON.stringify({ name, metro: cloud.api.metro.name, urls: urlsOf(seen.service), instances }, undefined, 2));
    return;
  }
  if (seen.instances.length === 0) tell(`${name} is not deployed in ${cloud.api.metro.name}`);
  else tell(formatTable(columns, seen.instances, process.stdout.columns || Infinity).trimEnd());
  for (const url of urlsOf(seen.service)) tell(url);
}

/** Shows what the instances of a project have written: those that serve, else the newest version. */
export async function showLogs(workspaceRoot: string, options: LogsTaskOptions, signal: AbortSignal): Promise<void> {
  const { name, metro } = await loadCloudProject(workspaceRoot, options);
  const cloud = await connectCloud(metro);
  const shown = shownInstances(await lookAt(cloud, name));
  if (shown.length === 0) throw notDeployed(cloud, name);
  const { follow = false, tail } = options;
  await Promise.all(
    shown.map(async (instance) => {
      for await (const chunk of readLog(cloud, instance.uuid, { follow, tail, signal })) {
        const prefix = shown.length > 1 ? `${instance.name} | ` : '';
        process.stdout.write(prefixLines(chunk, prefix));
      }
    }),
  );
}

function shownInstances({ name, instances }: Seen): readonly CloudInstance[] {
  const up = instances.filter(isUp);
  if (up.length > 0) return up;
  const newest = Math.max(0, ...instances.map((instance) => versionOf(name, instance)));
  return instances.filter((instance) => versionOf(name, instance) === newest);
}
