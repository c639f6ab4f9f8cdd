import { expect, test } from 'vitest';
import { parseMebibytes } from './amounts.ts';
import { describePort } from './deploy/compare.ts';
import { parsePorts } from './ports.ts';

test.each([
  [['443:8080'], ['443:8080/http+tls', '80:443/http+redirect']],
  [
    ['443:8080', '80:8080'],
    ['443:8080/http+tls', '80:8080/http'],
  ],
  [['443:8080/tls'], ['443:8080/tls']],
  [['5432:5432/tls'], ['5432:5432/tls']],
  [['9000'], ['9000:9000/tls']],
  [['80:443/redirect+http'], ['80:443/http+redirect']],
  [[], []],
])('ports %j are %j', (texts, expected) => {
  expect(parsePorts(texts).map(describePort)).toEqual(expected);
});

test.each([
  '',
  '0:80',
  '443:70000',
  'http',
  '80:80/tls',
  '443:80/redirect',
  '80:8080/redirect',
  '1:2/h2',
  '1:2:3',
  '1:2/',
])("'%s' is no port", (text) => {
  expect(() => parsePorts([text])).toThrow(expect.objectContaining({ code: 'CLOUD_BAD_INPUT' }) as Error);
});

test('a port is given once', () => {
  expect(() => parsePorts(['80:8080', '80:9090'])).toThrow("'80' cannot be a port: it is given twice");
});

test.each([
  ['256', 256],
  ['256Mi', 256],
  ['512M', 512],
  ['1Gi', 1024],
  ['2 G', 2048],
])('%s is %i MiB', (text, expected) => {
  expect(parseMebibytes(text)).toBe(expected);
});

test.each(['', 'Mi', '0', '-1', '1.5Gi', '1Ti', '256 MiB of it'])("'%s' is no amount", (text) => {
  expect(() => parseMebibytes(text)).toThrow(expect.objectContaining({ code: 'CLOUD_BAD_INPUT' }) as Error);
});
