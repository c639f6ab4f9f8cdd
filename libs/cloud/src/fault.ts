import { Fault, type FaultDetails } from '@nx-kraft/base';

export type CloudFaultCode =
  | 'CLOUD_BAD_INPUT'
  | 'CLOUD_BAD_TOKEN'
  | 'CLOUD_DENIED'
  | 'CLOUD_NO_IMAGE'
  | 'CLOUD_NO_METRO'
  | 'CLOUD_NO_PREVIOUS'
  | 'CLOUD_NO_TOKEN'
  | 'CLOUD_NOT_DEPLOYED'
  | 'CLOUD_NOT_UNDERSTOOD'
  | 'CLOUD_PARTIAL'
  | 'CLOUD_RATE_LIMITED'
  | 'CLOUD_REFUSED'
  | 'CLOUD_STOPPED'
  | 'CLOUD_TIMEOUT'
  | 'CLOUD_UNHEALTHY'
  | 'CLOUD_UNREACHABLE';

/** One thing that the API refused, in its own terms. */
export interface Refusal {
  /** The API's number for it. */
  readonly error: number;
  /** The API's name for the number, such as `Quota`. */
  readonly name: string;
  /** The API's words. */
  readonly message: string;
  /** Name or UUID of what it is about, where the API says so. */
  readonly subject?: string | undefined;
}

/** What went wrong with Unikraft Cloud, or on the way there. */
export class CloudFault extends Fault<CloudFaultCode> {
  override readonly name = 'CloudFault';
  /** What the API refused; empty where it did not get as far as that. */
  readonly refusals: readonly Refusal[];
  /** Milliseconds after which the same request may be made again; undefined where that would not be safe, or no use. */
  readonly retryAfter: number | undefined;

  constructor(
    code: CloudFaultCode,
    message: string,
    details: FaultDetails & { refusals?: readonly Refusal[]; retryAfter?: number | undefined } = {},
  ) {
    super(code, message, details);
    this.refusals = details.refusals ?? [];
    this.retryAfter = details.retryAfter;
  }
}

/** Whether the API refused something for this reason, by the API's own name for it. */
export function wasRefusedFor(error: unknown, name: string): boolean {
  return error instanceof CloudFault && error.refusals.some((refusal) => refusal.name === name);
}
