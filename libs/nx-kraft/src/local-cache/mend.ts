import { hash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Fault, ProgramFault, run, withLock } from '@nx-kraft/base';
import { dataFile } from '../inference/workspace-data.ts';
import { nxProgram } from '../nx.ts';
import { removeDamagedEntries, type SealedTask } from './entries.ts';
import { findDamage, inWorkspace, isMadeAgain } from './seal.ts';

/** What a task left is damaged, and could not be made again. */
export class CacheFault extends Fault<'CACHE_DAMAGED'> {
  override readonly name = 'CacheFault';
}

/** The tasks that are being made again by whoever started this Nx. */
const variable = 'NX_KRAFT_MENDING';

/** Whether a task is just being made again: what is wrong with it then is for whoever asked for that. */
export function isBeingMended({ id }: SealedTask): boolean {
  return mended().includes(id);
}

function mended(): readonly string[] {
  return process.env[variable]?.split('\n') ?? [];
}

/**
 * Makes the results of a task again that are not those that it made: takes them, and what Nx's cache has of them, away and
 * has Nx run the task. Whoever finds the same damage at the same time waits for it. All other damage that Nx then comes
 * upon is mended in the same way, but that of the same task is not.
 *
 * @param damage  what is wrong, as {@link findDamage} tells it
 * @param tell  is given lines for people
 * @throws CacheFault
 */
export async function mend(
  workspaceRoot: string,
  task: SealedTask,
  damage: string,
  tell: (line: string) => void,
  signal?: AbortSignal,
): Promise<void> {
  if (isBeingMended(task)) throw notMended(task, damage);
  const lock = dataFile(workspaceRoot, `nx-kraft-mend-${hash('sha256', task.id).slice(0, 16)}`);
  await withLock(lock, () => mendAlone(workspaceRoot, task, tell, signal), { timeout: Infinity });
}

async function mendAlone(
  workspaceRoot: string,
  task: SealedTask,
  tell: (line: string) => void,
  signal?: AbortSignal,
): Promise<void> {
  const place = inWorkspace(workspaceRoot);
  let damage = await findDamage(place, task.outputs);
  if (damage === undefined) return;
  tell(`warning: ${task.id}: ${damage}; ${isMadeAgain}`);
  // Of an entry that has lost all of its files only the first run learns that Nx takes it.
  for (let tries = 0; tries < 2; tries++) {
    await removeDamagedEntries(workspaceRoot, task);
    for (const output of task.outputs) await rm(join(workspaceRoot, output), { recursive: true, force: true });
    try {
      await runAgain(workspaceRoot, task, tell, signal);
    } catch (error) {
      if (error instanceof ProgramFault) throw notMended(task, damage, error);
      throw error;
    }
    damage = await findDamage(place, task.outputs);
    if (damage === undefined) return;
  }
  throw notMended(task, damage);
}

function notMended({ id }: SealedTask, damage: string, cause?: unknown): CacheFault {
  return new CacheFault('CACHE_DAMAGED', `${id}: ${damage}, and it could not be made again`, {
    hint: 'nx reset empties the cache of this machine; --skipRemoteCache does without one that is shared.',
    cause,
  });
}

async function runAgain(
  workspaceRoot: string,
  { id, target, overrides }: SealedTask,
  tell: (line: string) => void,
  signal?: AbortSignal,
): Promise<void> {
  const { __overrides_unparsed__: typed = [] } = overrides as { readonly __overrides_unparsed__?: readonly string[] };
  const name = [target.project, target.target, ...(target.configuration === undefined ? [] : [target.configuration])];
  const foreign = Object.keys(process.env).filter((key) => /^NX_(TASK|TERMINAL|STREAM|PREFIX)_/.test(key));
  await run(nxProgram(workspaceRoot), ['run', name.join(':'), ...typed], {
    cwd: workspaceRoot,
    signal,
    env: {
      ...Object.fromEntries(foreign.map((key) => [key, undefined])),
      // A daemon may be waiting for this.
      NX_DAEMON: 'false',
      NX_TUI: 'false',
      [variable]: [...mended(), id].join('\n'),
    },
    onLine: tell,
  });
}
