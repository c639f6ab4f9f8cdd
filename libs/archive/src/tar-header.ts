import { type ByteName, isAscii } from './names.ts';

export interface TarHeaderFields {
  readonly name: ByteName;
  readonly type: 'file' | 'directory' | 'symlink' | 'link';
  /** Permission, setuid, setgid and sticky bits. */
  readonly mode: number;
  /** Bytes of content; 0 for all but files. */
  readonly size: number;
  readonly uid?: number;
  readonly gid?: number;
  /** Modification time in seconds since 1970 (default 0). */
  readonly time?: number;
  /** Target of a symbolic link, or the first name of a hard link. */
  readonly linkName?: ByteName;
}

/** The bytes around the content of an OCI layer that holds one file, and the layer's whole size. */
export interface LayerTar {
  readonly header: Buffer;
  readonly trailer: Buffer;
  readonly size: number;
}

/**
 * The tar archive of an OCI layer with one regular file, as the bytes before and after its content, so that its size
 * is known at once and its digest can be taken while the content streams. No time, owner root, no directories, two
 * zero blocks at the end: byte for byte what KraftKit writes.
 *
 * @param path  path in the image, without a leading `/`, such as `unikraft/bin/kernel`
 * @param size  bytes of content
 * @param mode  permission bits
 */
export function layerTar(path: string, size: number, mode: number): LayerTar {
  const header = tarHeader({ name: Buffer.from(path, 'utf8').toString('latin1'), type: 'file', mode, size });
  const trailer = Buffer.alloc(tarPadding(size) + 2 * blockSize);
  return { header, trailer, size: header.length + size + trailer.length };
}

/** Two zero blocks, which end an archive. */
export const tarEnd = Buffer.alloc(1024);

/** Zeros that follow `size` bytes of content. */
export function tarPadding(size: number): number {
  return -size & (blockSize - 1);
}

/**
 * The header of one entry: POSIX ustar, with a pax header before it where a name, link or number does not fit
 * (POSIX.1-2017, pax, "ustar Interchange Format"). Depends on nothing but the fields.
 */
export function tarHeader(fields: TarHeaderFields): Buffer {
  const records = paxRecords(fields);
  if (records.length === 0) return block(fields, fields.name);
  const body = Buffer.from(records, 'latin1');
  const fallback = fields.name.slice(-99);
  return Buffer.concat([
    block({ name: '', type: 'pax', mode: 0o644, size: body.length }, `PaxHeaders.0/${fallback.slice(-80)}`),
    body,
    Buffer.alloc(tarPadding(body.length)),
    block({ ...fields, linkName: fields.linkName?.slice(0, 100) ?? '' }, fallback),
  ]);
}

const blockSize = 512;
const typeFlags = { file: '0', link: '1', symlink: '2', directory: '5', pax: 'x' } as const;

/** Largest numbers of ustar's octal fields of 12 and 8 bytes. */
const largestSize = 0o77777777777;
const largestOwner = 0o7777777;

function paxRecords({ name, linkName = '', size, uid = 0, gid = 0, time = 0 }: TarHeaderFields): string {
  return [
    name.length > 100 || !isAscii(name) ? record('path', name) : '',
    linkName.length > 100 || !isAscii(linkName) ? record('linkpath', linkName) : '',
    size > largestSize ? record('size', String(size)) : '',
    uid > largestOwner ? record('uid', String(uid)) : '',
    gid > largestOwner ? record('gid', String(gid)) : '',
    time > largestSize ? record('mtime', String(time)) : '',
  ].join('');
}

/** `LENGTH KEY=VALUE\n`, where the length counts its own digits. */
function record(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  let length = rest.length;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return `${length}${rest}`;
}

type BlockFields = Omit<TarHeaderFields, 'type'> & { readonly type: keyof typeof typeFlags };

function block(fields: BlockFields, name: ByteName): Buffer {
  const { type, mode, size, uid = 0, gid = 0, time = 0, linkName = '' } = fields;
  const header = Buffer.alloc(blockSize);
  header.write(name, 0, 'latin1');
  octal(header, 100, 8, mode);
  octal(header, 108, 8, uid > largestOwner ? 0 : uid);
  octal(header, 116, 8, gid > largestOwner ? 0 : gid);
  octal(header, 124, 12, size > largestSize ? 0 : size);
  octal(header, 136, 12, time > largestSize ? 0 : time);
  header.write('        ' + typeFlags[type], 148, 'latin1');
  header.write(linkName, 157, 'latin1');
  header.write('ustar\x0000', 257, 'latin1');
  octal(header, 329, 8, 0);
  octal(header, 337, 8, 0);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return header;
}

function octal(header: Buffer, start: number, length: number, value: number): void {
  header.write(value.toString(8).padStart(length - 1, '0'), start, 'latin1');
}
