import { OciFault } from './fault.ts';
import { RegistryFault } from './registry/fault.ts';

const mostAttempts = 5;
const firstPause = 200;
const longestPause = 60_000;

/**
 * Milliseconds to wait before another attempt: twice as long after each failure, or as long as the registry asks for.
 *
 * @param failures  how many attempts have failed in a row
 * @throws `error` when another attempt would not help, or when there were enough
 */
export function pauseBefore(failures: number, error: unknown): number {
  const asked = retryAfterOf(error);
  if (asked === undefined || failures >= mostAttempts) throw error;
  // Some chance, so that many who failed together do not come back together.
  const pause = firstPause * 2 ** (failures - 1) * (0.75 + Math.random() / 2);
  return Math.min(Math.max(pause, asked), longestPause);
}

function retryAfterOf(error: unknown): number | undefined {
  if (error instanceof RegistryFault) return error.retryAfter;
  return error instanceof OciFault && error.code === 'BLOB_TRUNCATED' ? 0 : undefined;
}
