import { readFileSync } from 'node:fs';
import { uptime } from 'node:os';
import { hasErrorCode } from '@nx-kraft/base';

let known: string | undefined;

/** A text that is another one after every start of this machine. */
export function bootName(): string {
  known ??= readBootId() ?? `booted ${Math.round((Date.now() / 1000 - uptime()) / 60)}`;
  return known;
}

function readBootId(): string | undefined {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT', 'EACCES')) return undefined;
    throw error;
  }
}
