import { CloudFault, type Refusal } from './fault.ts';

/** The API's names for its error codes; a code is the position in this list. */
export const errorNames = [
  'UnknownError',
  'NotSupported',
  'WrongMethod',
  'NoAPIEndpoint',
  'FailNotAll',
  'TooMany',
  'Unknown',
  'Invalid',
  'NotFound',
  'NoFree',
  'FailedOperation',
  'FailedWrongVMState',
  'TimedOut',
  'MissingID',
  'NotAllowed',
  'Attached',
  'MalformedRequest',
  'NotBoth',
  'AddService',
  'Quota',
  'GuestMemoryTooSmall',
  'NotAttached',
  'TooLong',
  'AlreadyExists',
  'CannotBeUsed',
  'AutoscaleInstance',
  'AutoscaleConfigured',
  'AutoscaleNotConfigured',
  'AutoscaleDisabled',
  'AutoscaleSizeOOR',
  'CertCNMismatch',
] as const;

/** What to do next, where that is known. */
const hints: Readonly<Record<string, string>> = {
  AlreadyExists: 'Choose another name, or remove what has it: nx-kraft cloud instance|service|volume remove NAME.',
  Attached: 'Detach it first: nx-kraft cloud volume detach NAME.',
  AutoscaleConfigured: 'Reset it first: nx-kraft cloud scale reset SERVICE.',
  AutoscaleNotConfigured: 'Set it up first: nx-kraft cloud scale init SERVICE.',
  CertCNMismatch: 'Use a certificate whose common name is the domain.',
  FailedWrongVMState: 'nx-kraft cloud instance list shows the state that it is in.',
  GuestMemoryTooSmall: 'Give it more memory.',
  NoFree: 'The metro has no room for it now; try again later, or another metro.',
  NotAttached: 'nx-kraft cloud volume list shows where volumes are attached.',
  NotFound: 'Check the name and the metro; things of one metro are not known in another.',
  Quota: 'nx-kraft cloud quota shows what is used; remove what is not needed, or ask for more.',
  TooLong: 'Choose a shorter name.',
};

/** The API's name for one of its codes, also for codes that are newer than this list. */
export function errorName(error: number): string {
  return errorNames[error] ?? `Error${error}`;
}

/** The fault for what the API refused: its codes and words, and what to do next. */
export function refusedFault(
  at: string,
  refusals: readonly Refusal[],
  { isPartial, fallback }: { isPartial: boolean; fallback: string },
): CloudFault {
  const lines = refusals.map(
    ({ name, error, message, subject }) =>
      `${subject === undefined ? '' : `${subject}: `}${message || 'refused'} [${name}, ${error}]`,
  );
  const hint = refusals.map(({ name }) => hints[name]).find((known) => known !== undefined);
  const text = lines.join('\n') || fallback;
  return new CloudFault(
    isPartial ? 'CLOUD_PARTIAL' : 'CLOUD_REFUSED',
    isPartial ? `done in part only:\n${text}` : text,
    {
      at,
      hint: isPartial ? (hint ?? 'What is not named here was done.') : hint,
      refusals,
    },
  );
}
