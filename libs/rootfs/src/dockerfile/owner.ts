import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { type DirectoryNode, type FileNode, findNode } from '@nx-kraft/archive';

/**
 * The numbers behind `user`, `user:group` or numbers, looked up in a tree's own /etc/passwd and /etc/group. A user
 * without a group has the group of the same number, as Docker has it.
 */
export function findOwner(root: DirectoryNode, text: string): { uid: number; gid: number } | undefined {
  const [user = '', group = user] = text.split(':');
  const uid = lookUp(root, 'etc/passwd', user);
  const gid = group === user ? uid : lookUp(root, 'etc/group', group);
  return uid === undefined || gid === undefined ? undefined : { uid, gid };
}

/** Both files have the name first and the number third. */
function lookUp(root: DirectoryNode, file: string, name: string): number | undefined {
  if (/^\d+$/.test(name)) return Number(name);
  const node = findNode(root, file);
  if (node?.kind !== 'file') return undefined;
  const line = readContent(node)
    .toString()
    .split('\n')
    .find((entry) => entry.startsWith(`${name}:`));
  const number = line?.split(':')[2];
  return number === undefined || number === '' ? undefined : Number(number);
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
