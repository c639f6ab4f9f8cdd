import { bytesOf, decode, messagesOf, textOf } from './protobuf.ts';

/** A detail of BuildKit's that names lines of a source: its `errdefs.Source`, in JSON whatever its type may suggest. */
interface Source {
  readonly info?: { readonly filename?: string };
  readonly ranges?: readonly { readonly start?: { readonly line?: number } }[];
}

/**
 * The line of a file that a failed call is about, as the details of its error tell since BuildKit 0.8.
 *
 * @param details  a `google.rpc.Status`{3 details, each an Any{1 type, 2 value}}
 * @param file  its name, without folders
 * @returns the first line of the innermost place; undefined where none is told
 */
export function faultLine(details: Buffer, file: string): number | undefined {
  const sources = messagesOf(decode(details), 3)
    .filter((detail) => textOf(detail, 1).endsWith('/errdefs.Source+json'))
    .map((detail) => JSON.parse(bytesOf(detail, 2).toString()) as Source);
  const ranges = sources.findLast(({ info }) => info?.filename === file)?.ranges ?? [];
  const lines = ranges.map(({ start }) => start?.line ?? 0).filter((line) => line > 0);
  return lines.length === 0 ? undefined : Math.min(...lines);
}
