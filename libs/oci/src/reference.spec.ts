import { expect, test } from 'vitest';
import { formatReference, parseReference } from './reference.ts';

const digest = `sha256:${'a'.repeat(64)}`;

test.each([
  ['nginx', 'unikraft.org/nginx:latest'],
  ['nginx:1.25', 'unikraft.org/nginx:1.25'],
  ['official/nginx:1.25', 'unikraft.org/official/nginx:1.25'],
  ['index.unikraft.io/me/app', 'index.unikraft.io/me/app:latest'],
  ['localhost:5000/app:a', 'localhost:5000/app:a'],
  ['localhost/app', 'localhost/app:latest'],
  ['[::1]:5000/app:a', '[::1]:5000/app:a'],
  ['docker.io/alpine:3', 'docker.io/library/alpine:3'],
  ['index.docker.io/me/app', 'docker.io/me/app:latest'],
  [`nginx@${digest}`, `unikraft.org/nginx@${digest}`],
  [`nginx:1.25@${digest}`, `unikraft.org/nginx:1.25@${digest}`],
  ['a/b__c/d--e.f', 'unikraft.org/a/b__c/d--e.f:latest'],
])('%s is %s', (text, full) => {
  expect(formatReference(parseReference(text))).toBe(full);
});

test('an ordinary image is looked for where it is said', () => {
  expect(formatReference(parseReference('alpine', 'docker.io'))).toBe('docker.io/library/alpine:latest');
});

test.each([
  '',
  'A',
  'a:',
  'a//b',
  '/a',
  'a@b',
  'a@sha256:12',
  `a@${digest}@${digest}`,
  'a:b:c',
  'a/../b',
  'a b',
  'a:.x',
])('"%s" is refused with a rule', (text) => {
  expect(() => parseReference(text)).toThrow(expect.objectContaining({ code: 'REFERENCE_INVALID', at: text }));
});
