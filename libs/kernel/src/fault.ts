import { Fault, type FaultDetails } from '@nx-kraft/base';

export type KernelFaultCode =
  | 'KERNEL_NO_CORE'
  | 'KERNEL_NO_LIBRARY'
  | 'KERNEL_BAD_TARGET'
  | 'KERNEL_NO_COMPILER'
  | 'KERNEL_NO_PROGRAM'
  | 'KERNEL_CONFIGURE_FAILED'
  | 'KERNEL_FETCH_FAILED'
  | 'KERNEL_COMPILE_FAILED'
  | 'KERNEL_LINK_FAILED'
  | 'KERNEL_BUILD_FAILED'
  | 'KERNEL_NO_IMAGE'
  | 'KERNEL_NO_SPACE'
  | 'KERNEL_NOT_REPRODUCIBLE'
  | 'KERNEL_STOPPED';

/** A kernel that could not be configured or built. */
export class KernelFault extends Fault<KernelFaultCode> {
  override readonly name = 'KernelFault';

  constructor(code: KernelFaultCode, message: string, details: FaultDetails = {}) {
    super(code, message, details);
  }
}
