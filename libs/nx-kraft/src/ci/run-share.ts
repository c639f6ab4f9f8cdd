import { readFile } from 'node:fs/promises';
import { ProgramFault, run } from '@nx-kraft/base';
import { nxProgram } from '../nx.ts';
import { CiFault } from './affected-tasks.ts';
import { type Plan, type Stage, asRunMany } from './plan.ts';

/**
 * Does one machine's share of a plan, all of it even where some fails. A machine for which there is nothing to do is done
 * at once: CI may have started more than there is work for.
 *
 * @throws CiFault CI_BAD_PLAN, or CI_FAILED with how many calls of Nx failed
 */
export async function runShare(workspaceRoot: string, file: string, stage: Stage, worker: number): Promise<void> {
  const tasks = (await readPlan(file))[stage].find((share) => share.worker === worker)?.tasks ?? [];
  if (tasks.length === 0) process.stdout.write(`There is nothing to ${stage} for worker ${worker}.\n`);
  let failures = 0;
  for (const { targets, projects } of asRunMany(tasks)) {
    const args = ['run-many', `--targets=${targets.join(',')}`, `--projects=${projects.join(',')}`];
    try {
      await run(nxProgram(workspaceRoot), args, { cwd: workspaceRoot, terminal: true });
    } catch (error) {
      if (!(error instanceof ProgramFault)) throw error;
      failures += 1;
    }
  }
  if (failures > 0) throw new CiFault('CI_FAILED', `${failures} of its calls of nx failed`, { at: file });
}

async function readPlan(file: string): Promise<Plan> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new CiFault('CI_BAD_PLAN', 'there is no plan', { at: file, cause, hint: 'nx-kraft ci plan writes it.' });
  });
  try {
    const plan = JSON.parse(text) as Partial<Plan>;
    if (Array.isArray(plan.build) && Array.isArray(plan.merge)) return plan as Plan;
  } catch {
    // Told below, as for any other text.
  }
  throw new CiFault('CI_BAD_PLAN', 'this is no plan', { at: file, hint: 'nx-kraft ci plan writes it.' });
}
