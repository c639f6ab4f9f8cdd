import { expect, test } from 'vitest';
import { proxyFor } from './proxy.ts';

const proxyOf = (url: string, environment: NodeJS.ProcessEnv) => proxyFor(new URL(url), environment)?.href;

test('each protocol has its proxy, in either case, with or without a scheme', () => {
  const environment = { HTTPS_PROXY: 'http://secure:1', http_proxy: 'plain:2' };
  expect(proxyOf('https://unikraft.org', environment)).toBe('http://secure:1/');
  expect(proxyOf('http://unikraft.org', environment)).toBe('http://plain:2/');
  expect(proxyOf('https://unikraft.org', {})).toBeUndefined();
  expect(proxyOf('https://unikraft.org', { HTTPS_PROXY: '' })).toBeUndefined();
});

test.each([
  ['https://unikraft.org', 'unikraft.org'],
  ['https://index.unikraft.org', 'unikraft.org'],
  ['https://index.unikraft.org', '.unikraft.org'],
  ['https://index.unikraft.org', 'a.b, *.unikraft.org'],
  ['https://unikraft.org:5000', 'unikraft.org:5000'],
  ['https://unikraft.org', 'unikraft.org:443'],
  ['https://unikraft.org', '*'],
  ['https://127.0.0.1:5000', ''],
  ['https://[::1]:5000', ''],
  ['https://localhost', ''],
])('%s needs none with NO_PROXY=%s', (url, exceptions) => {
  expect(proxyOf(url, { HTTPS_PROXY: 'http://p:1', NO_PROXY: exceptions })).toBeUndefined();
});

test.each([
  ['https://myunikraft.org', 'unikraft.org'],
  ['https://unikraft.org:5000', 'unikraft.org:443'],
  ['https://unikraft.org.evil.com', 'unikraft.org'],
])('%s needs it with NO_PROXY=%s', (url, exceptions) => {
  expect(proxyOf(url, { HTTPS_PROXY: 'http://p:1', NO_PROXY: exceptions })).toBe('http://p:1/');
});
