import { Fault } from '@nx-kraft/base';

export type MachineFaultCode =
  | 'MACHINE_BAD_ARGUMENT'
  | 'MACHINE_BAD_MEMORY'
  | 'MACHINE_BAD_NAME'
  | 'MACHINE_BAD_PORT'
  | 'MACHINE_BAD_SCENARIO'
  | 'MACHINE_BAD_TARGET'
  | 'MACHINE_BAD_VOLUME'
  | 'MACHINE_BOOT_FAILED'
  | 'MACHINE_BAD_NETWORK'
  | 'MACHINE_NETWORK_IN_USE'
  | 'MACHINE_NO_INSTANCE'
  | 'MACHINE_NO_KERNEL'
  | 'MACHINE_NO_KVM'
  | 'MACHINE_NO_NETWORK'
  | 'MACHINE_NO_PROGRAM'
  | 'MACHINE_NO_RIGHTS'
  | 'MACHINE_NO_VOLUME'
  | 'MACHINE_NOT_A_KERNEL'
  | 'MACHINE_NAME_TAKEN'
  | 'MACHINE_PORT_TAKEN'
  | 'MACHINE_RUNNING'
  | 'MACHINE_START_FAILED'
  | 'MACHINE_WRONG_ARCHITECTURE';

/** Why a machine could not be started. A guest that ran and failed is no fault but a {@link MachineEnd}. */
export class MachineFault extends Fault<MachineFaultCode> {
  override readonly name = 'MachineFault';
}
