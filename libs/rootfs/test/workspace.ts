import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { CpioParser } from '@nx-kraft/archive';
import { buildRootfs, type Rootfs, type RootfsRequest } from '../src/index.ts';

/** What builders give an image that sets no PATH. */
export const defaultPath = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** A directory of its own for one test. */
export class Workspace {
  readonly folder = mkdtempSync(join(tmpdir(), 'rootfs-'));
  /** Lines of progress of all builds. */
  readonly lines: string[] = [];

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  /** Writes a file, with its own name as content where none is given. */
  put(name: string, content: string | Uint8Array = name, mode = 0o644): string {
    mkdirSync(dirname(this.path(name)), { recursive: true });
    writeFileSync(this.path(name), content);
    chmodSync(this.path(name), mode);
    return this.path(name);
  }

  build(source: string, request: Partial<RootfsRequest> = {}, output = 'out/rootfs.cpio'): Promise<Rootfs> {
    const onLine = (line: string): void => void this.lines.push(line);
    return buildRootfs({ source, baseDirectory: this.folder, onLine, digest: true, ...request }, output);
  }

  /** Entries of the archive, as `mode owner name` and `=content`; a group that has not the owner's number stands after it. */
  list(name = 'out/rootfs.cpio'): string[] {
    const entries: string[] = [];
    const parser = new CpioParser(
      {
        entry: ({ name, mode, uid, gid, size }) => {
          const owner = gid === uid ? `${uid}` : `${uid}:${gid}`;
          entries.push(`${(mode & 0o7777).toString(8)} ${owner} ${name.replace('./', '')}${size === 0 ? '' : '='}`);
        },
        data: (chunk, start, end) => {
          entries.push((entries.pop() ?? '') + Buffer.from(chunk.subarray(start, end)).toString('latin1'));
        },
      },
      name,
    );
    parser.push(readFileSync(this.path(name)));
    parser.end();
    return entries;
  }
}
