import { existsSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { hasErrorCode } from '@nx-kraft/base';
import { diagnose, type DiagnosticCode } from './diagnostics.ts';
import { readKraftfile, type ReadResult } from './read-kraftfile.ts';
import { largestText } from './read-tree.ts';
import { SourceText } from './source-text.ts';

/** A Kraftfile read from the disk, with its text where it could be read. */
export interface LoadedKraftfile extends ReadResult {
  readonly text: string | undefined;
}

/**
 * Reads the Kraftfile at a path, relative to the current folder. A file that is not there, not regular, too large or
 * not UTF-8 is a diagnostic like any other, and is not read into memory.
 */
export async function loadKraftfile(
  path: string,
  env: Readonly<Record<string, string | undefined>> = {},
): Promise<LoadedKraftfile> {
  const folder = dirname(resolve(path));
  const content = await readText(path);
  if (typeof content !== 'string') {
    return {
      kraftfile: undefined,
      diagnostics: [diagnose(new SourceText(''), path, 'error', content.code, [0, 0], content.message)],
      positionOf: () => ({ line: 1, column: 1 }),
      text: undefined,
    };
  }
  const result = readKraftfile(content, {
    file: path,
    directoryName: basename(folder),
    env,
    exists: (relative) => existsSync(join(folder, relative)),
  });
  return { ...result, text: content };
}

async function readText(path: string): Promise<string | { code: DiagnosticCode; message: string }> {
  try {
    // Before it is opened, which may wait for ever where it is a pipe.
    const status = await stat(path);
    if (status.isDirectory()) return { code: 'UNREADABLE', message: 'This is a folder; name the Kraftfile in it' };
    if (!status.isFile()) return { code: 'UNREADABLE', message: 'This is no regular file' };
    // A UTF-16 code unit takes at most three bytes of UTF-8.
    if (status.size > 3 * largestText) {
      return { code: 'TOO_LARGE', message: `A file of ${status.size} bytes is no Kraftfile` };
    }
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(await readFile(path));
  } catch (error) {
    if (error instanceof TypeError) return { code: 'UNREADABLE', message: 'The file is not UTF-8' };
    if (hasErrorCode(error, 'ENOENT', 'ENOTDIR')) return { code: 'UNREADABLE', message: 'There is no such file' };
    if (hasErrorCode(error, 'EACCES', 'EPERM')) return { code: 'UNREADABLE', message: 'The file may not be read' };
    throw error;
  }
}
