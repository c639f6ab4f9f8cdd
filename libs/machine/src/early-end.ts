import type { ConsoleCheck, Mismatch } from './console-check.ts';
import type { Machine } from './machine.ts';
import { describeEnd, expectedEnd } from './scenario-checks.ts';
import type { Scenario } from './scenario.ts';
import { watchStandstill } from './standstill.ts';

export interface EarlyEnd {
  /** All that was not as it must be, if the machine was ended early: what follows from that is no news. */
  mismatches(): readonly Mismatch[] | undefined;
  /** Stops looking. */
  release(): void;
}

/**
 * Ends a machine as soon as its scenario cannot hold any more: at a line that must not come, and when the guest hangs.
 *
 * @param soFar  what was not as it must be until then
 */
export function endEarly(
  machine: Machine,
  scenario: Scenario,
  lines: ConsoleCheck,
  soFar: readonly Mismatch[],
): EarlyEnd {
  let found: readonly Mismatch[] | undefined;
  const end = (why: readonly Mismatch[]) => {
    found ??= [...soFar, ...why];
    void machine.kill();
  };
  void lines.broken().then(() => {
    end(lines.forbidden);
  });
  const release = watchStandstill(machine, {
    idle: scenario.idle * 1000,
    lastHeard: () => lines.lastTaken,
    onStandstill: (reason) => {
      const advice = expectedEnd(scenario) === 'running' ? '' : '; one that is to go on has "end": "running"';
      end([...lines.mismatches(), { what: 'end', expected: describeEnd(scenario), seen: `${reason}${advice}` }]);
    },
  });
  return { mismatches: () => found, release };
}
