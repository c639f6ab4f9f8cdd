import { closeSync, constants, openSync } from 'node:fs';
import { hasErrorCode } from '@nx-kraft/base';
import { ArchiveFault } from './fault.ts';
import type { FileWriter } from './file-writer.ts';
import { toText } from './names.ts';
import type { FileNode } from './tree.ts';

/**
 * Copies the contents of nodes from where they are. An archive stays open while entries of it follow each other, so
 * {@link close} must be called at the end.
 */
export class ContentReader {
  #archive: string | undefined;
  #fd = -1;

  /** @throws ArchiveFault FILE_CHANGED for a file that is not as large as its node says, or is gone */
  copy({ content, size }: FileNode, output: FileWriter): void {
    if ('bytes' in content) output.bytes(Buffer.from(content.bytes));
    else if ('file' in content) copyWhole(content.file, size, output);
    else output.slice(this.#open(content.archive), content.offset, size, content.archive);
  }

  close(): void {
    if (this.#archive !== undefined) closeSync(this.#fd);
    this.#archive = undefined;
  }

  #open(archive: string): number {
    if (this.#archive !== archive) {
      this.close();
      this.#fd = openSync(archive, 'r');
      this.#archive = archive;
    }
    return this.#fd;
  }
}

function copyWhole(file: string | Buffer, size: number, output: FileWriter): void {
  const path = typeof file === 'string' ? file : toText(file.toString('latin1'));
  const fd = openRegular(file, path);
  try {
    output.wholeFile(fd, size, path);
  } finally {
    closeSync(fd);
  }
}

function openRegular(file: string | Buffer, path: string): number {
  try {
    return openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch (error) {
    if (!hasErrorCode(error, 'ENOENT', 'ELOOP', 'EACCES')) throw error;
    const denied = hasErrorCode(error, 'EACCES');
    throw new ArchiveFault(
      'FILE_CHANGED',
      denied ? 'the file may not be read' : 'the file went away while it was read',
      {
        at: path,
        hint: denied ? 'Give yourself the right to read it.' : 'Build again once nothing writes there.',
        cause: error,
      },
    );
  }
}
