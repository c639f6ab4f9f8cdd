import type { ClientHttp2Session } from 'node:http2';
import { GrpcError, request } from './grpc.ts';
import { bytesOf, decode, encode, type Field, messagesOf, numberOf, textOf } from './protobuf.ts';

/**
 * What a build failed with, as BuildKit keeps it since 0.11. A call's error comes in headers, whose size has limits; this
 * comes in messages.
 *
 * @param reference  of the build
 * @returns undefined where BuildKit keeps nothing of it
 */
export async function failureInHistory(session: ClientHttp2Session, reference: string): Promise<GrpcError | undefined> {
  let record: readonly Field[] = [];
  // BuildHistoryRequest{2 ref, 3 early exit}, BuildHistoryEvent{2 record}.
  const asked = encode([
    [2, reference],
    [3, true],
  ]);
  await untilRefused(
    request(session, '/moby.buildkit.v1.Control/ListenBuildHistory', asked, (event) => {
      record = messagesOf(decode(event), 2).at(-1) ?? record;
    }),
  );
  // BuildHistoryRecord{5 a google.rpc.Status without its details, 18 where all of it is}.
  const status = messagesOf(record, 5).at(-1);
  if (status === undefined) return undefined;
  const digest = textOf(messagesOf(record, 18).at(-1) ?? [], 2);
  const details = digest === '' ? Buffer.alloc(0) : await readBlob(session, digest);
  return new GrpcError(numberOf(status, 1), textOf(status, 2), details);
}

/** ReadContentRequest{1 digest}, ReadContentResponse{2 data}. */
async function readBlob(session: ClientHttp2Session, digest: string): Promise<Buffer> {
  const pieces: Buffer[] = [];
  await untilRefused(
    request(session, '/containerd.services.content.v1.Content/Read', encode([[1, digest]]), (answer) => {
      pieces.push(bytesOf(decode(answer), 2));
    }),
  );
  return Buffer.concat(pieces);
}

/** What an older BuildKit does not know it tells by an error: then there is nothing more to say of the build. */
async function untilRefused(call: Promise<void>): Promise<void> {
  try {
    await call;
  } catch (error) {
    if (!(error instanceof GrpcError)) throw error;
  }
}
