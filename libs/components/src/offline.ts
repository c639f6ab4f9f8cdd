import { ComponentFault } from './fault.ts';

/** The fault of something that only the network has, with the command that gets it. */
export function offlineFault(key: string, why: string): ComponentFault {
  return new ComponentFault('COMPONENT_OFFLINE', `${key} is not here and the network must not be used: ${why}`, {
    hint: `With a network, get it with: nx-kraft pkg pull ${key}`,
  });
}
