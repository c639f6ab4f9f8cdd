/** What a {@link Fault} knows beside its message. */
export interface FaultDetails {
  /** What the fault is about: `file:line:column`, a path or a URL without credentials. */
  readonly at?: string | undefined;
  /** What to do next, as a sentence. */
  readonly hint?: string | undefined;
  /** The error that led here. */
  readonly cause?: unknown;
}

/**
 * A fault that a user can understand and act on. Every room derives one class per kind of fault from it and narrows
 * `code` to a union, so that people read the text and programs read the fields. Anything thrown that is no Fault is a
 * bug of ours and keeps its stack trace.
 */
export class Fault<Code extends string = string> extends Error {
  override readonly name: string = 'Fault';
  readonly code: Code;
  readonly at: string | undefined;
  readonly hint: string | undefined;

  constructor(code: Code, message: string, details: FaultDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.at = details.at;
    this.hint = details.hint;
  }

  toJSON(): { code: Code; message: string; at?: string; hint?: string } {
    return {
      code: this.code,
      message: this.message,
      ...(this.at === undefined ? {} : { at: this.at }),
      ...(this.hint === undefined ? {} : { hint: this.hint }),
    };
  }
}

/** What the system's codes mean for whoever named the path, and what to do where that is not plain. */
const refusals: Readonly<Record<string, readonly [message: string, hint?: string]>> = {
  ENOENT: ['there is no such file or folder'],
  ENOTDIR: ['a part of this path is a file, and not a folder'],
  EISDIR: ['this is a folder, and not a file'],
  ENOTEMPTY: ['this folder is not empty'],
  EEXIST: ['there is something of this name already'],
  EACCES: ['you may not use this', 'Change its rights, or be a user who may.'],
  EPERM: ['the system does not allow this', 'Change its rights, or be a user who may.'],
  EROFS: ['nothing can be written to this disk', 'Name a place on another one.'],
  ENOSPC: ['the disk is full', 'Make room on it.'],
  EDQUOT: ['your share of the disk is full', 'Make room on it.'],
  EMFILE: ['too many files are open', 'Allow more: ulimit -n 4096'],
  ENAMETOOLONG: ['this path is too long'],
  ELOOP: ['links lead in a circle here'],
};

/**
 * The text for a terminal: a fault as `place: message (code)`, with further lines of its message and its hint below, and
 * what the system refused in the same form, both without a stack trace; anything else with it, since that is a bug to
 * report.
 */
export function describeError(error: unknown): string {
  if (error instanceof Fault) {
    const place = error.at === undefined ? '' : `${error.at}: `;
    const hint = error.hint === undefined ? '' : `\n  ${error.hint}`;
    const [first = '', ...details] = error.message.split('\n');
    return [`${place}${first} (${error.code})`, ...details].join('\n') + hint;
  }
  if (!(error instanceof Error)) return String(error);
  // What the user stopped is no bug of ours.
  if (error.name === 'AbortError') return 'stopped before its end';
  const refusal = refusalOf(error);
  if (refusal !== undefined) return describeError(refusal);
  return 'syscall' in error ? error.message : (error.stack ?? error.message);
}

/**
 * An error of the system as a fault, since in its own words there are more of its calls than of what they mean, and one of
 * Node's for what is no path; undefined for one that has no better words, and for any other error.
 */
export function refusalOf(error: unknown): Fault | undefined {
  if (!(error instanceof Error)) return undefined;
  const [, withZero] = /without null bytes\. Received ['"](.*)['"]$/.exec(error.message) ?? [];
  if (withZero !== undefined && hasErrorCode(error, 'ERR_INVALID_ARG_VALUE')) {
    return new Fault('PATH_INVALID', 'no path may hold a zero byte', { at: withZero, cause: error });
  }
  if (!('syscall' in error)) return undefined;
  const { code = '', path } = error as NodeJS.ErrnoException;
  // Those of sockets and ports name no path, and their own words say which it was.
  const [message, hint] = 'address' in error ? [] : (refusals[code] ?? []);
  return message === undefined ? undefined : new Fault(code, message, { at: path, hint, cause: error });
}

/** Whether `error` is a system error with one of these codes, such as `ENOENT`. */
export function hasErrorCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && codes.includes(error.code);
}

/** Whether `error` says that a path leads to nothing that can be got at: it is not there, may not be followed, or is no path. */
export function leadsNowhere(error: unknown): boolean {
  return hasErrorCode(error, 'ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG', 'EACCES', 'EPERM', 'ERR_INVALID_ARG_VALUE');
}

/** What is found at a path; undefined where that leads nowhere, which is for those to tell who need what should be there. */
export function unlessNowhere<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if (leadsNowhere(error)) return undefined;
    throw error;
  }
}
