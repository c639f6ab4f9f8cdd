import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, lstatSync, openSync, readSync, type Stats } from 'node:fs';
import type { ServerHttp2Stream } from 'node:http2';
import { type ByteName, type DirectoryNode, type FileNode, toByteName, type TreeNode } from '@nx-kraft/archive';
import { selectPaths } from './follow-paths.ts';
import { accept, finish, frame, frameHead, GrpcError, MessageReader } from './grpc.ts';
import { decode, encode, encodeHead, numberOf, textOf } from './protobuf.ts';
import { SpentBuffers } from './spent-buffers.ts';

/** Kinds of fsutil's packets. */
const kind = { stat: 0, request: 1, data: 2, finish: 3, error: 4 } as const;

/** How much of a file goes into one packet. */
const packetSize = 32 * 1024;

/** Packets go out together, in batches of up to this size: two large ones with what comes before them. */
const batchSize = 2 * (packetSize + 32);

/**
 * Serves one `moby.filesync.v1.FileSync/DiffCopy`: first the metadata of every file in order, then the contents that
 * BuildKit lacks (github.com/tonistiigi/fsutil, send.go). Packets are Packet{1 type, 2 stat, 3 id, 4 data}.
 *
 * @param root  the directory that is asked for, without what is ignored
 * @param follow  paths that the Dockerfile names, with wildcards; empty means all
 * @param onFile  called with each file that BuildKit gets to see
 */
export function serveFiles(
  stream: ServerHttp2Stream,
  root: DirectoryNode,
  follow: readonly string[],
  onFile: (name: ByteName) => void,
): void {
  accept(stream);
  const sender = new FileSender(stream, onFile);
  const reader = new MessageReader((message) => sender.take(message));
  stream.on('data', (chunk: Buffer) => reader.push(chunk));
  sender.sendAll(root, selectPaths(root, follow.map(toByteName))).catch((error: unknown) => {
    // The other side hears why; the build then fails with that message.
    finish(stream, new GrpcError(2, error instanceof Error ? error.message : String(error)));
  });
}

class FileSender {
  readonly #stream: ServerHttp2Stream;
  readonly #onFile: (name: ByteName) => void;
  /** Files by the number of their stat packet. */
  readonly #files = new Map<number, FileNode>();
  #count = 0;
  /** The files that BuildKit has asked for and has not got yet; it asks for all of them at once. */
  readonly #asked = new Set<number>();
  #isSending = false;
  #hasAll = false;
  /** Packets, up to {@link #used}: each write goes through several layers, and there are thousands of packets. */
  #batch = Buffer.allocUnsafeSlow(batchSize);
  #used = 0;
  readonly #spent = new SpentBuffers();

  constructor(stream: ServerHttp2Stream, onFile: (name: ByteName) => void) {
    this.#stream = stream;
    this.#onFile = onFile;
  }

  async sendAll(root: DirectoryNode, isWanted: (name: ByteName) => boolean): Promise<void> {
    await this.#sendChildren(root, '', isWanted);
    await this.#send([[1, kind.stat]]);
    await this.#flush();
  }

  take(message: Buffer): void {
    const packet = decode(message);
    const type = numberOf(packet, 1);
    if (type === kind.request) this.#asked.add(numberOf(packet, 3));
    else if (type === kind.finish) this.#hasAll = true;
    else if (type === kind.error) this.#fail(new Error(textOf(packet, 4)));
    if (!this.#isSending) this.#sendAsked().catch((error: unknown) => this.#fail(error));
  }

  #fail(error: unknown): void {
    finish(this.#stream, new GrpcError(2, error instanceof Error ? error.message : String(error)));
  }

  async #sendChildren(
    directory: DirectoryNode,
    prefix: ByteName,
    isWanted: (name: ByteName) => boolean,
  ): Promise<void> {
    for (const key of [...directory.children.keys()].sort()) {
      const name = prefix + key;
      const node = directory.children.get(key);
      if (node === undefined || !isWanted(name)) continue;
      await this.#send([
        [1, kind.stat],
        [2, this.#stat(name, node)],
      ]);
      if (node.kind === 'file') {
        this.#files.set(this.#count, node);
        this.#onFile(name);
      }
      this.#count++;
      if (node.kind === 'directory') await this.#sendChildren(node, `${name}/`, isWanted);
    }
  }

  /** Stat{1 path, 2 mode as Go's os.FileMode, 5 size, 6 time in nanoseconds, 7 link name}. */
  #stat(name: ByteName, node: TreeNode): Buffer {
    return encode([
      [1, Buffer.from(name, 'latin1')],
      [2, goMode(node)],
      [5, node.kind === 'file' ? node.size : 0],
      [6, timeOf(node)],
      [7, node.kind === 'symlink' ? Buffer.from(node.target, 'latin1') : undefined],
    ]);
  }

  async #sendAsked(): Promise<void> {
    this.#isSending = true;
    do {
      // Grows meanwhile.
      for (const id of this.#asked) {
        await this.#sendContent(id);
        this.#asked.delete(id);
      }
      await this.#flush();
    } while (this.#asked.size > 0);
    this.#isSending = false;
    if (!this.#hasAll) return;
    await this.#send([[1, kind.finish]]);
    await this.#flush();
    finish(this.#stream);
  }

  async #sendContent(id: number): Promise<void> {
    const node = this.#files.get(id);
    if (node === undefined) throw new Error(`file ${id} was never offered`);
    const content = openContent(node);
    try {
      for (let done = 0; done < node.size; done += packetSize) {
        const length = Math.min(packetSize, node.size - done);
        const head = dataHead(id, length);
        while (!this.#hasRoom(head.length + length)) await this.#flush();
        this.#used += head.copy(this.#batch, this.#used);
        content.read(this.#batch, this.#used, length, done);
        this.#used += length;
      }
    } finally {
      content.close();
    }
    await this.#send([
      [1, kind.data],
      [3, id],
    ]);
  }

  /** Puts a packet into the batch. */
  async #send(packet: Parameters<typeof encode>[0]): Promise<void> {
    const framed = frame(encode(packet));
    while (!this.#hasRoom(framed.length)) await this.#flush();
    this.#used += framed.copy(this.#batch, this.#used);
  }

  /** Whether the batch takes so many bytes more, as long as nothing is waited for. */
  #hasRoom(length: number): boolean {
    // Only a name can be longer than an empty batch.
    if (this.#used === 0 && length > this.#batch.length) this.#batch = Buffer.allocUnsafeSlow(length);
    return this.#used + length <= this.#batch.length;
  }

  async #flush(): Promise<void> {
    if (this.#used === 0) return;
    const batch = this.#batch.subarray(0, this.#used);
    this.#batch = Buffer.allocUnsafeSlow(batchSize);
    this.#used = 0;
    this.#spent.add(batch.length);
    if (!this.#stream.write(batch)) await once(this.#stream, 'drain');
  }
}

/** Permission bits are the same; the others have places of their own. */
function goMode({ kind: nodeKind, meta }: TreeNode): number {
  const types = { directory: 2 ** 31, symlink: 2 ** 27, file: 0 };
  const special = [
    [0o4000, 2 ** 23],
    [0o2000, 2 ** 22],
    [0o1000, 2 ** 20],
  ] as const;
  const bits = special.reduce((sum, [unix, go]) => sum + ((meta.mode & unix) === 0 ? 0 : go), 0);
  return types[nodeKind] + bits + (meta.mode & 0o777);
}

/**
 * BuildKit asks for a file again when its size or time differs from its copy: files have their own time, text of ours a
 * number that changes with it.
 */
function timeOf(node: TreeNode): number {
  if (node.kind !== 'file') return 0;
  if ('file' in node.content) return timeOfFile(lstatSync(node.content.file));
  if ('bytes' in node.content) return createHash('sha256').update(node.content.bytes).digest().readUIntBE(0, 6);
  return 0;
}

/** How much of a time that somebody set may be something else, in milliseconds: a power of two, which numbers hold exactly. */
const blurred = 64;

/**
 * In nanoseconds, as exact as numbers are at this size: 256. A time that somebody set, as programs do whose results are to be
 * the same each time, does not tell that the file is another one by now; when it was touched does, which nobody can set.
 */
function timeOfFile({ mtimeMs, ctimeMs }: Stats): number {
  if (Math.abs(ctimeMs - mtimeMs) < blurred) return Math.round(mtimeMs * 1e6);
  const touched = createHash('sha256').update(String(ctimeMs)).digest().readUInt32BE();
  return Math.floor(mtimeMs / blurred) * blurred * 1e6 + (touched % ((blurred * 1e6) / 256)) * 256;
}

/** What comes before the content in a packet of data: it goes straight from the file into the batch. */
function dataHead(id: number, length: number): Buffer {
  const fields = encode([
    [1, kind.data],
    [3, id],
  ]);
  const field = encodeHead(4, length);
  return Buffer.concat([frameHead(fields.length + field.length + length), fields, field]);
}

interface OpenContent {
  /** Reads exactly so many bytes, from a position in the file, to a place in a buffer. */
  readonly read: (buffer: Buffer, at: number, length: number, position: number) => void;
  readonly close: () => void;
}

function openContent({ content }: FileNode): OpenContent {
  if ('bytes' in content) {
    const { bytes } = content;
    return {
      read: (buffer, at, length, position) => buffer.set(bytes.subarray(position, position + length), at),
      close: () => undefined,
    };
  }
  const fd = openSync('file' in content ? content.file : content.archive, 'r');
  const start = 'file' in content ? 0 : content.offset;
  return {
    read: (buffer, at, length, position) => {
      for (let done = 0; done < length;) {
        const count = readSync(fd, buffer, at + done, length - done, start + position + done);
        if (count === 0) throw new Error('a file of the context shrank while it was read');
        done += count;
      }
    },
    close: () => closeSync(fd),
  };
}
