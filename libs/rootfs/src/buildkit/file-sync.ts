import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, lstatSync, openSync, readSync } from 'node:fs';
import type { ServerHttp2Stream } from 'node:http2';
import { type ByteName, type DirectoryNode, type FileNode, toByteName, type TreeNode } from '@nx-kraft/archive';
import { selectPaths } from './follow-paths.ts';
import { accept, finish, frame, GrpcError, MessageReader } from './grpc.ts';
import { decode, encode, numberOf, textOf } from './protobuf.ts';

/** Kinds of fsutil's packets. */
const kind = { stat: 0, request: 1, data: 2, finish: 3, error: 4 } as const;

/** How much of a file goes into one packet. */
const packetSize = 32 * 1024;

/** Packets go out together until they are this large. */
const batchSize = 32 * 1024;

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
  #batch: Buffer[] = [];
  #batchLength = 0;
  #queue: Promise<void> = Promise.resolve();

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
    if (type === kind.request) {
      const id = numberOf(packet, 3);
      this.#queue = this.#queue.then(() => this.#sendContent(id)).catch((error: unknown) => this.#fail(error));
    } else if (type === kind.finish) {
      this.#queue = this.#queue
        .then(() => this.#send([[1, kind.finish]]))
        .then(() => this.#flush())
        .then(() => finish(this.#stream))
        .catch((error: unknown) => this.#fail(error));
    } else if (type === kind.error) {
      this.#fail(new Error(textOf(packet, 4)));
    }
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

  async #sendContent(id: number): Promise<void> {
    const node = this.#files.get(id);
    if (node === undefined) throw new Error(`file ${id} was never offered`);
    for (const piece of pieces(node)) {
      await this.#send([
        [1, kind.data],
        [3, id],
        [4, piece],
      ]);
    }
    await this.#send([
      [1, kind.data],
      [3, id],
    ]);
    await this.#flush();
  }

  /** Puts a packet into the batch; resolves at once unless that is full. */
  async #send(packet: Parameters<typeof encode>[0]): Promise<void> {
    const framed = frame(encode(packet));
    this.#batch.push(framed);
    this.#batchLength += framed.length;
    if (this.#batchLength >= batchSize) await this.#flush();
  }

  async #flush(): Promise<void> {
    // Each write goes through several layers, and there are thousands of packets.
    const batch = Buffer.concat(this.#batch, this.#batchLength);
    this.#batch = [];
    this.#batchLength = 0;
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
  if ('file' in node.content) return Math.round(lstatSync(node.content.file).mtimeMs * 1e6);
  if ('bytes' in node.content) return createHash('sha256').update(node.content.bytes).digest().readUIntBE(0, 6);
  return 0;
}

function* pieces({ content, size }: FileNode): Generator<Uint8Array> {
  if ('bytes' in content) {
    yield content.bytes;
    return;
  }
  const fd = openSync('file' in content ? content.file : content.archive, 'r');
  try {
    const start = 'file' in content ? 0 : content.offset;
    for (let done = 0; done < size;) {
      const piece = Buffer.allocUnsafe(Math.min(packetSize, size - done));
      const length = readSync(fd, piece, 0, piece.length, start + done);
      if (length === 0) throw new Error('a file of the context shrank while it was read');
      done += length;
      yield piece.subarray(0, length);
    }
  } finally {
    closeSync(fd);
  }
}
