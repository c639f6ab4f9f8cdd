import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BytesReader } from './bytes-reader.ts';
import { frame, MessageReader } from './grpc.ts';
import { bytesOf, decode, encode, numberOf } from './protobuf.ts';

test('numbers up to times in nanoseconds, texts and bytes are read as they were written', () => {
  const numbers = fc.oneof(fc.nat(), fc.integer({ min: 0, max: 2 ** 32 }), fc.constant(1_700_000_000_123 * 1e6));
  fc.assert(
    fc.property(numbers, fc.string(), fc.uint8Array({ maxLength: 300 }), (number, text, bytes) => {
      const message = decode(
        encode([
          [1, number],
          [2, text],
          [300, bytes],
        ]),
      );
      expect(numberOf(message, 1)).toBe(number);
      expect(bytesOf(message, 2).toString()).toBe(Buffer.from(text, 'utf8').toString());
      expect(bytesOf(message, 300)).toEqual(Buffer.from(bytes));
    }),
  );
});

test('messages come out of a stream, however it was cut', () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 400 }), { maxLength: 8 }),
      fc.integer({ min: 1, max: 500 }),
      (contents, chunkSize) => {
        const stream = Buffer.concat(contents.map((content) => frame(encode([[1, content]]))));
        const pieces: Buffer[] = [];
        const messages: Buffer[] = [];
        const readers = [
          new BytesReader((piece) => pieces.push(piece)),
          new MessageReader((message) => messages.push(bytesOf(decode(message), 1))),
        ];
        for (let at = 0; at < stream.length; at += chunkSize) {
          for (const reader of readers) reader.push(stream.subarray(at, at + chunkSize));
        }
        expect(Buffer.concat(pieces)).toEqual(Buffer.concat(contents));
        expect(messages).toEqual(contents.map((content) => Buffer.from(content)));
      },
    ),
  );
});

describe('a message of bytes', () => {
  test.each([
    ['with another field', encode([[2, 'x']])],
    [
      'with two fields',
      encode([
        [1, 'x'],
        [2, 'y'],
      ]),
    ],
    ['with a number', encode([[1, 7]])],
    ['whose length never ends', Buffer.from([0x0a, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80])],
  ])('%s is refused', (_, message) => {
    const reader = new BytesReader(() => undefined);
    expect(() => reader.push(frame(message))).toThrow(expect.objectContaining({ name: 'GrpcError' }));
  });
});
