import { type PackagedProgram, type System, hintFor, installLine } from '@nx-kraft/base/packages';
import type { Check, Finding, Result, Surroundings } from './check.ts';
import { imageChecks } from './checks/images.ts';
import { kernelChecks } from './checks/kernels.ts';
import { machineChecks } from './checks/machines.ts';
import { remoteCacheCheck } from './checks/remote-cache.ts';
import { workspaceChecks } from './checks/workspace.ts';

/** All that is looked at, in the order in which it is told. */
export const checks: readonly Check[] = [
  ...workspaceChecks,
  remoteCacheCheck,
  ...kernelChecks,
  ...machineChecks,
  ...imageChecks,
];

/** Looks at everything at the same time. */
export function examine(surroundings: Surroundings): Promise<readonly Result[]> {
  return Promise.all(
    checks.map(async ({ probe, ...check }) => {
      const finding = await probe(surroundings);
      const remedy = finding.state === 'ok' ? undefined : remedyOf(finding, check.program, surroundings.system);
      return { ...check, state: finding.state, detail: finding.detail, ...(remedy === undefined ? {} : { remedy }) };
    }),
  );
}

/** What to do: as the probe says, else the package for this system, else what Debian calls it. */
function remedyOf(finding: Exclude<Finding, { state: 'ok' }>, program: PackagedProgram | undefined, system: System) {
  if (finding.remedy !== undefined || program === undefined) return finding.remedy;
  const line = system.family === undefined ? undefined : installLine(system.family, [program]);
  return line ?? hintFor(program, system);
}
