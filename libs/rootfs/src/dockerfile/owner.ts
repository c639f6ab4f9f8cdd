import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import type { DirectoryNode, FileNode } from '@nx-kraft/archive';
import { follow } from './copy.ts';

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/**
 * The numbers behind `user`, `user:group` or numbers, looked up in a tree's own /etc/passwd and /etc/group. A user
 * without a group has the one of /etc/passwd, a number the group of the same number. Who is not found is root, as BuildKit
 * has it.
 *
 * @param onUnknown  is told the name of a user or group that is not there
 */
export function findOwner(root: DirectoryNode, text: string, onUnknown: (name: string) => void): Owner {
  const colon = text.indexOf(':');
  const [user, group] = colon < 0 ? [text] : [text.slice(0, colon), text.slice(colon + 1)];
  const find = (name: string, file: string): readonly string[] => {
    const entry = findEntry(root, file, name);
    if (entry === undefined) onUnknown(name);
    return entry ?? [];
  };
  const id = numberOf(user);
  // Name, password, number, and for users the number of the group.
  const [uid, gid] = id === undefined ? find(user, 'etc/passwd').slice(2).map(Number) : [id, id];
  const ownGroup = group === undefined ? gid : (numberOf(group) ?? Number(find(group, 'etc/group')[2] ?? gid));
  return { uid: uid ?? 0, gid: ownGroup ?? 0 };
}

/** Nothing before or after the colon is root as well. Larger numbers are names to BuildKit. */
function numberOf(text: string): number | undefined {
  if (text === '' || text === 'root') return 0;
  const number = /^\d+$/.test(text) ? Number(text) : undefined;
  return number === undefined || number > 0x7fffffff ? undefined : number;
}

function findEntry(root: DirectoryNode, file: string, name: string): readonly string[] | undefined {
  const node = follow(root, file);
  if (node?.kind !== 'file') return undefined;
  const lines = readContent(node).toString().split('\n');
  return lines.map((line) => line.trim().split(':')).find(([entry]) => entry === name);
}

function readContent({ content, size }: FileNode): Buffer {
  if ('bytes' in content) return Buffer.from(content.bytes);
  if ('file' in content) return readFileSync(content.file);
  const bytes = Buffer.alloc(size);
  const fd = openSync(content.archive, 'r');
  try {
    readSync(fd, bytes, 0, size, content.offset);
  } finally {
    closeSync(fd);
  }
  return bytes;
}
