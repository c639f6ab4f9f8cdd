import { Fault } from '@nx-kraft/base';

export type RegistryFaultCode =
  /** Something is needed that only a registry has, and the network must not be used. */
  | 'REGISTRY_OFFLINE'
  /** No connection: no such host, refused, reset, or a proxy that says no. */
  | 'REGISTRY_UNREACHABLE'
  /** A certificate that nothing here vouches for. */
  | 'REGISTRY_UNTRUSTED'
  /** A connection on which nothing came for too long. */
  | 'REGISTRY_TIMEOUT'
  /** Credentials are missing, wrong, or not enough. */
  | 'REGISTRY_DENIED'
  /** No such image, or no such blob. */
  | 'REGISTRY_MISSING'
  /** Too many requests, after all attempts. */
  | 'REGISTRY_BUSY'
  /** The registry failed, or said what the protocol does not allow. */
  | 'REGISTRY_FAILED'
  /** A file with credentials, or a credential helper, that cannot be used. */
  | 'CREDENTIALS_INVALID';

/** A registry that does not do what it was asked. `at` is the URL, or the file with credentials. */
export class RegistryFault extends Fault<RegistryFaultCode> {
  override readonly name = 'RegistryFault';
  /** Milliseconds after which another attempt may help; undefined when none will. */
  readonly retryAfter: number | undefined;

  constructor(
    code: RegistryFaultCode,
    message: string,
    details: { at?: string; hint?: string; cause?: unknown; retryAfter?: number | undefined } = {},
  ) {
    super(code, message, details);
    this.retryAfter = details.retryAfter;
  }
}
