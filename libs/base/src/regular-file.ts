import { type Stats, statSync } from 'node:fs';
import { Fault } from './fault.ts';

/** Something else that lies where a file should. */
export class FileFault extends Fault<'FILE_IRREGULAR'> {
  override readonly name = 'FileFault';
}

/**
 * The path as it is given, of a file that can be opened without waiting for another process: a named pipe has no end before
 * somebody writes into it, and a device may have none at all. What is missing or a folder is left to whoever opens it. It is
 * for paths that projects name; what people name on a command line may well be a pipe, as in `--key <(…)`.
 *
 * @throws FileFault FILE_IRREGULAR
 */
export function regularFile(path: string): string {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined || stats.isFile() || stats.isDirectory()) return path;
  throw new FileFault('FILE_IRREGULAR', `this is a ${irregularKind(stats)}, and not a file`, { at: path });
}

/** What something is that is neither a file nor a folder nor a link, for people. */
export function irregularKind(stats: Stats): string {
  if (stats.isSocket()) return 'socket';
  if (stats.isFIFO()) return 'named pipe';
  return stats.isBlockDevice() ? 'block device' : 'character device';
}
