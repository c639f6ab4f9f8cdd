import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Fault, replaceAtomically } from '@nx-kraft/base';
import { testReportName } from '@nx-kraft/kraftfile/outputs';
import { type ScenarioResult, formatJunit, formatScenario, runScenarios } from '@nx-kraft/machine';
import { testFileName } from './files.ts';
import { loadKraftproject } from './kraftproject.ts';
import { planMachine } from './machine-plan.ts';
import { readScenarios } from './scenarios.ts';
import { tell } from './task.ts';

export interface TestOptions {
  /** The Kraftfile, relative to the workspace. */
  readonly kraftfile: string;
  /** The target's id; default: the one that this host runs best. */
  readonly for?: string;
  readonly accelerator?: 'auto' | 'kvm' | 'tcg';
  readonly jobs?: number;
}

/** A unikernel that did not do what its scenarios say. */
export class TestFault extends Fault<'TEST_FAILED'> {
  override readonly name = 'TestFault';
}

/** Boots a target once for each scenario of its project, tells how each went, and writes a report in JUnit's form. */
export async function testTarget(workspaceRoot: string, options: TestOptions, signal: AbortSignal): Promise<void> {
  const project = await loadKraftproject(workspaceRoot, options.kraftfile);
  const { folder, kraftfile } = project;
  const [plan, scenarios] = await Promise.all([planMachine(project, options), readScenarios(folder)]);
  const results = await runScenarios(plan, scenarios, {
    folder,
    signal,
    ...(options.jobs === undefined ? {} : { jobs: options.jobs }),
    onNote: (note) => process.stderr.write(`${note}\n`),
    onResult: (result) => tell(formatScenario(result)),
  });
  const report = formatJunit(kraftfile.name, results);
  await replaceAtomically(join(folder, testReportName(kraftfile)), (path) => writeFile(path, report));
  const failed = results.filter(({ mismatches }: ScenarioResult) => mismatches.length > 0);
  if (failed.length === 0) return;
  throw new TestFault('TEST_FAILED', `${failed.length} of ${results.length} scenarios failed`, {
    at: join(options.kraftfile, '..', testFileName),
  });
}
