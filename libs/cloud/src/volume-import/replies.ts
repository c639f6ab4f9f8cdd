import type { Readable } from 'node:stream';
import { CloudFault } from '../fault.ts';

/** Room on a volume, in bytes. */
export interface Room {
  readonly free: bigint;
  readonly total: bigint;
}

const headerLength = 8;
const roomLength = 24;
/** No reply comes near this many bytes. */
const longestReply = 64 * 1024;

/**
 * What the importer answers: `status` and length as 32 bits each, little-endian, then text or figures. 1 is for each
 * thing that arrived, 2 for the room that there is (at the beginning and at the end), less than 0 for a line of an
 * error, 0 for its last one.
 *
 * @returns the room, once for each reply that has it
 * @throws CloudFault CLOUD_REFUSED with the importer's words; CLOUD_UNREACHABLE when the connection ends before
 */
export async function* roomReplies(connection: Readable, at: string): AsyncGenerator<Room, never> {
  const problems: string[] = [];
  let bytes = Buffer.alloc(0);
  for await (const chunk of connection as AsyncIterable<Buffer>) {
    bytes = Buffer.concat([bytes, chunk]);
    for (;;) {
      if (bytes.length < headerLength) break;
      const status = bytes.readInt32LE(0);
      // The second half of "arrived" means nothing.
      const length = status === 1 ? 0 : bytes.readUInt32LE(4);
      if (length > longestReply) throw refused(at, [`a reply claims ${length} bytes`]);
      if (bytes.length < headerLength + length) break;
      const content = bytes.subarray(headerLength, headerLength + length);
      bytes = bytes.subarray(headerLength + length);
      if (status < 0) problems.push(content.toString('utf8').replaceAll('\0', '').trim());
      if (status === 0) throw refused(at, problems);
      if (status === 2) yield readRoom(content, at);
      if (status > 2) throw refused(at, [`a reply has the status ${status}`]);
    }
  }
  if (problems.length > 0) throw refused(at, problems);
  throw new CloudFault('CLOUD_UNREACHABLE', 'the importer ended the connection before it was done', {
    at,
    hint: 'Try again; a longer --timeout may help.',
  });
}

function readRoom(content: Buffer, at: string): Room {
  if (content.length !== roomLength) throw refused(at, [`the room on the volume is told in ${content.length} bytes`]);
  return { free: content.readBigUInt64LE(0), total: content.readBigUInt64LE(8) };
}

function refused(at: string, problems: readonly string[]): CloudFault {
  return new CloudFault('CLOUD_REFUSED', `the importer failed: ${problems.join('\n') || 'it does not say why'}`, {
    at,
  });
}
