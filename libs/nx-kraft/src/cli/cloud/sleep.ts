import { type InstanceRequest, scaleToZeroPolicies } from '@nx-kraft/cloud';
import { milliseconds } from './options.ts';

/** How instances sleep while nobody asks for them. */
export const sleepOptions = {
  'scale-to-zero': { type: 'string', choices: scaleToZeroPolicies, summary: 'whether it sleeps while nobody asks' },
  'scale-to-zero-stateful': { type: 'boolean', summary: 'keeps its state meanwhile' },
  'scale-to-zero-cooldown': { type: 'string', value: 'TIME', summary: 'how long nobody must have asked: 1s' },
} as const;

interface SleepValues {
  readonly 'scale-to-zero'?: (typeof scaleToZeroPolicies)[number] | undefined;
  readonly 'scale-to-zero-stateful'?: boolean | undefined;
  readonly 'scale-to-zero-cooldown'?: string | undefined;
}

/** What these options ask for; undefined where none was given. */
export function sleepOf(values: SleepValues): InstanceRequest['scale_to_zero'] {
  const policy = values['scale-to-zero'];
  const stateful = values['scale-to-zero-stateful'];
  const cooldown = values['scale-to-zero-cooldown'];
  if (policy === undefined && stateful === undefined && cooldown === undefined) return undefined;
  return {
    ...(policy === undefined ? {} : { policy }),
    ...(stateful === undefined ? {} : { stateful }),
    ...(cooldown === undefined ? {} : { cooldown_time_ms: milliseconds('scale-to-zero-cooldown', cooldown) }),
  };
}
