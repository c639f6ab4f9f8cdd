import { randomUUID } from 'node:crypto';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { NxJsonConfiguration } from '@nx/devkit';
import { Fault } from '@nx-kraft/base';
import { isAsSeen } from '../inference/looked.ts';
import { forgetServed, recallServed, type ServedTo } from '../inference/served-graph.ts';
import { isOnDaemon } from './began.ts';
import { renewedVariable } from './typed-inputs.ts';

/**
 * Lets Nx's daemon infer anew before it makes keys where it has not seen a change that counts: of files that git ignores it
 * sees none. Without a daemon Nx has just inferred.
 *
 * @returns the variable by which nothing is taken from a cache whose tasks were planned to be kept there, and now may not be
 * @throws Fault SOURCE_CHANGED where tasks wait for others than was planned
 */
export async function renewGraph(
  workspaceRoot: string,
  nxJsonConfiguration: NxJsonConfiguration,
): Promise<Readonly<Record<string, string>>> {
  const outdated = isOnDaemon() ? recallServed(workspaceRoot).filter(({ seen }) => !isAsSeen(workspaceRoot, seen)) : [];
  const changes = new Set<Change>();
  for (const served of outdated) changes.add(await lookAgain(workspaceRoot, served, nxJsonConfiguration));
  const isRenewed = changes.has('inputs') || changes.has('tasks');
  // Nx's daemon makes a new graph where its own is gone, and the next that it does is to make keys.
  if (isRenewed) rmSync(await graphFile(), { force: true });
  if (changes.has('tasks')) {
    throw new Fault('SOURCE_CHANGED', 'tasks wait for others now by what files say that git ignores: run it again');
  }
  return { [renewedVariable]: isRenewed ? randomUUID() : '' };
}

/** What is another in projects than the daemon knows. */
type Change = 'nothing' | 'inputs' | 'tasks';

async function lookAgain(
  workspaceRoot: string,
  { kraftfiles, options, whole, tasks }: ServedTo,
  nxJsonConfiguration: NxJsonConfiguration,
): Promise<Change> {
  if (!kraftfiles.every((file) => existsSync(join(workspaceRoot, file)))) {
    // The daemon sees that, and infers anew itself.
    forgetServed(workspaceRoot, kraftfiles);
    return 'nothing';
  }
  const { inferProjects, keepInferred } = await import('../inference/create-projects.ts');
  const inferred = await inferProjects(kraftfiles, options, { workspaceRoot, nxJsonConfiguration });
  const found = inferred.outlines();
  const isSame = found.whole === whole;
  keepInferred(workspaceRoot, kraftfiles, options, inferred, isSame);
  if (isSame) return 'nothing';
  // It is kept again if nx.json still has that entry of the plugin.
  forgetServed(workspaceRoot, kraftfiles);
  return found.tasks === tasks ? 'inputs' : 'tasks';
}

async function graphFile(): Promise<string> {
  const { workspaceDataDirectory } = await import('nx/src/utils/cache-directory.js');
  return join(workspaceDataDirectory, 'project-graph.json');
}
