/** A message's fields in the order in which they came: numbers as they are, all else as bytes. */
export type Field = readonly [number: number, value: number | Buffer];

type Value = string | number | boolean | Uint8Array | undefined;

/**
 * Encodes a protobuf message from pairs of field number and value (strings as UTF-8, numbers and booleans as varints).
 * `undefined`, 0, false and '' are left out, as proto3 has it. Repeated fields are repeated pairs.
 */
export function encode(fields: readonly (readonly [number: number, value: Value])[]): Buffer {
  const encoded = fields.flatMap(([number, value]) => encodeField(number, value));
  const message = Buffer.allocUnsafe(
    encoded.reduce((length, { head, bytes }) => length + head.length + bytes.length, 0),
  );
  let at = 0;
  for (const { head, bytes } of encoded) {
    for (const byte of head) message[at++] = byte;
    message.set(bytes, at);
    at += bytes.length;
  }
  return message;
}

/** What comes before the bytes of a field of bytes: its tag, and how many there are. */
export function encodeHead(number: number, length: number): Buffer {
  return Buffer.from([...varint(number * 8 + 2), ...varint(length)]);
}

/** Entries of a `map<string, string>`: each is a message with key 1 and value 2. */
export function encodeMap(number: number, map: Readonly<Record<string, string>>): [number, Buffer][] {
  return Object.entries(map).map(([key, value]) => [
    number,
    encode([
      [1, key],
      [2, value],
    ]),
  ]);
}

export function decode(message: Buffer): Field[] {
  const fields: Field[] = [];
  for (let at = 0; at < message.length;) {
    const tag = readVarint(message, at);
    const number = Math.floor(tag.value / 8);
    const wireType = tag.value % 8;
    if (wireType === 0) {
      const { value, end } = readVarint(message, tag.end);
      fields.push([number, value]);
      at = end;
    } else if (wireType === 2) {
      const length = readVarint(message, tag.end);
      fields.push([number, message.subarray(length.end, length.end + length.value)]);
      at = length.end + length.value;
    } else {
      at = tag.end + (wireType === 1 ? 8 : 4);
    }
  }
  return fields;
}

/** The last value of a field of bytes; empty when it did not come. */
export function bytesOf(fields: readonly Field[], number: number): Buffer {
  const value = fields.findLast((field) => field[0] === number)?.[1];
  return Buffer.isBuffer(value) ? value : Buffer.alloc(0);
}

export function textOf(fields: readonly Field[], number: number): string {
  return bytesOf(fields, number).toString('utf8');
}

export function numberOf(fields: readonly Field[], number: number): number {
  const value = fields.findLast((field) => field[0] === number)?.[1];
  return typeof value === 'number' ? value : 0;
}

/** All values of a repeated message. */
export function messagesOf(fields: readonly Field[], number: number): Field[][] {
  return fields.flatMap((field) => (field[0] === number && Buffer.isBuffer(field[1]) ? [decode(field[1])] : []));
}

interface EncodedField {
  /** The tag, then the value of a number or the length of bytes. */
  readonly head: readonly number[];
  readonly bytes: Uint8Array;
}

const noBytes = new Uint8Array();

function encodeField(number: number, value: Value): EncodedField[] {
  if (value === undefined || value === 0 || value === false || value === '') return [];
  if (typeof value === 'number' || typeof value === 'boolean') {
    return [{ head: [...varint(number * 8), ...varint(Number(value))], bytes: noBytes }];
  }
  const bytes = typeof value === 'string' ? Buffer.from(value, 'utf8') : value;
  return [{ head: [...encodeHead(number, bytes.length)], bytes }];
}

/** In steps of 128 rather than of 7 bits, since times in nanoseconds need 61 bits. */
function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return [...bytes, rest];
}

function readVarint(message: Buffer, start: number): { value: number; end: number } {
  let value = 0;
  let factor = 1;
  for (let end = start; ;) {
    const byte = message[end++] ?? 0;
    value += (byte & 127) * factor;
    factor *= 128;
    if (byte < 128) return { value, end };
  }
}
