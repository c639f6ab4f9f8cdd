import { expect, test } from 'vitest';
import { Metadata } from './metadata.ts';

test('names that are no ASCII are read, whether BuildKit encodes them or not', () => {
  const values = (...raw: readonly string[]): readonly string[] =>
    new Metadata('/DiffCopy', ['dir-name', 'context', ...raw]).values('followpaths');
  expect(values('followpaths', '/a+b c', 'followpaths', '/%41')).toEqual(['/a+b c', '/%41']);
  const encoded = ['followpaths', '%2FGr%C3%BC%C3%9Fe+1', 'followpaths', '%2Fa%2Bb', 'followpaths-encoded', '1'];
  expect(values(...encoded)).toEqual(['/Grüße 1', '/a+b']);
  expect(values('followpaths', Buffer.from('/Grüße').toString('latin1'))).toEqual(['/Grüße']);
});
