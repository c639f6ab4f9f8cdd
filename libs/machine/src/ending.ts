import type { Console } from './console.ts';
import type { Architecture } from './kernel-file.ts';

/**
 * Why a machine ended: the guest shut down by itself (`shutdown`), reset the machine (`reset`), crashed (`crash`); the
 * program in it gave a result other than 0 (`failure`); it was asked to stop (`stopped`); or it ran longer than it
 * might (`timeout`).
 */
export type EndReason = 'shutdown' | 'failure' | 'crash' | 'reset' | 'stopped' | 'timeout';

/** How a machine ended. */
export interface MachineEnd {
  /** 0 only if the guest shut down in order and told of no failure; 124 for a timeout, as timeout(1) gives it. */
  readonly exitCode: number;
  readonly reason: EndReason;
  /** One sentence for people. */
  readonly message: string;
  /** What to do about it, where the cause is a known one. */
  readonly hint?: string;
  /** The last lines of the console, oldest first. */
  readonly lastLines: readonly string[];
  /** Milliseconds from the guest's first instruction to the end. */
  readonly duration: number;
}

/** What is known when QEMU has ended. */
export interface Signs {
  readonly architecture: Architecture;
  readonly console: Console;
  /** QEMU's exit status; null when a signal ended it. */
  readonly status: number | null;
  /** The reason of QEMU's event SHUTDOWN. */
  readonly shutdownReason: string | undefined;
  /** Whether QEMU told that the guest panicked. */
  readonly panicked: boolean;
  /** Who ended the machine, if we did. */
  readonly endedBy: 'stop' | 'timeout' | 'crash' | undefined;
}

/** Unikraft's values for QEMU's debug exit device as they show in QEMU's status: an orderly end, and a crash. */
const orderlyStatus = 83;
const crashStatus = 85;

type Judgement = Pick<MachineEnd, 'exitCode' | 'reason' | 'message' | 'hint'>;

/** Tells from all signs together how a machine ended. QEMU's exit status alone is 0 for many failures. */
export function judgeEnd(signs: Signs): Judgement {
  const { console: guest, status, endedBy, shutdownReason } = signs;
  if (endedBy === 'timeout') return { exitCode: 124, reason: 'timeout', message: 'it ran longer than it may' };
  const told = guest.crash === undefined ? guest.result : undefined;
  if (told !== undefined && told !== 0) return failure(told);
  if (signs.panicked || endedBy === 'crash' || status === crashStatus || guest.crash !== undefined) {
    const hint = explainCrash(guest.crashSign);
    const message = `the guest crashed${quote(guest.crash)}`;
    return { exitCode: 1, reason: 'crash', message, ...(hint === undefined ? {} : { hint }) };
  }
  if (endedBy === 'stop') return { exitCode: 0, reason: 'stopped', message: 'it was stopped' };
  if (status !== null && status > 1 && status % 2 === 1 && status !== orderlyStatus) return failure((status - 1) / 2);
  if (shutdownReason === 'guest-reset' && signs.architecture === 'x86_64') {
    const message =
      'the guest reset the machine, which is also how a processor ends after a fault that it cannot handle';
    return { exitCode: 1, reason: 'reset', message };
  }
  if (status === null || (status !== 0 && status !== orderlyStatus) || shutdownReason?.startsWith('host-') === true) {
    return { exitCode: 143, reason: 'stopped', message: 'QEMU was ended from outside' };
  }
  return { exitCode: 0, reason: 'shutdown', message: 'the guest shut down' };
}

function failure(result: number): Judgement {
  return { exitCode: result & 0xff || 1, reason: 'failure', message: `the program ended with ${result}` };
}

/** Causes that are hard to guess from what Unikraft says. */
function explainCrash(sign: string | undefined): string | undefined {
  // EOPNOTSUPP, of lib/ukrandom where the processor has no RDRAND or RDSEED.
  if (sign === undefined || !/\bInit function at \S+ returned error -95\b/.test(sign)) return undefined;
  return 'Emulated processors of QEMU before 8 have no RDSEED, which CONFIG_LIBUKRANDOM needs: take a newer QEMU or KVM, or set CONFIG_LIBUKRANDOM and CONFIG_LIBUKSP to n.';
}

function quote(line: string | undefined): string {
  return line === undefined ? '' : `: ${line.trim()}`;
}
