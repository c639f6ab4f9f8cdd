import { join } from 'node:path';
import { run } from '@nx-kraft/base';
import type { BuiltKernel, KernelPlan } from '../src/plan.ts';

/** What a build in a process of its own gave, or how it failed. */
export type Outcome = Partial<Pick<BuiltKernel, 'canonical' | 'shared'>> & {
  readonly code?: string;
  readonly message?: string;
  readonly hint?: string;
};

/**
 * Builds a kernel in a process of its own.
 *
 * @param prefix  a program with arguments that starts what comes behind them
 * @param environment  added to that of the tests
 * @param room  where that process sees the folder of this room
 */
export async function buildInProcess(
  plan: KernelPlan,
  prefix: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  room = join(import.meta.dirname, '..'),
): Promise<Outcome> {
  const script = `
    const { buildKernel } = await import(${JSON.stringify(join(room, 'src/build.ts'))});
    const outcome = await buildKernel(${JSON.stringify(plan)}).catch((error) => error);
    const { canonical, shared, code, message, hint } = outcome;
    process.stdout.write(JSON.stringify({ canonical, shared, code, message, hint }));`;
  const [program = '', ...args] = [...prefix, process.execPath, '--input-type=module', '--eval', script];
  return JSON.parse(await run(program, args, { env: environment })) as Outcome;
}
