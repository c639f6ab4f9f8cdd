import { expect, test } from 'vitest';
import { type ComponentProgress, emptyLock, pinImage } from './index.ts';

const digest = `sha256:${'a'.repeat(64)}`;
const lock = { ...emptyLock, images: { 'base:latest': digest } };

test('an image is pinned by itself or by the lock; one that is not is told', () => {
  const told: ComponentProgress[] = [];
  const options = { lock, onProgress: (progress: ComponentProgress) => void told.push(progress) };
  expect(pinImage(`x@${digest}`, options)).toBe(`x@${digest}`);
  expect(pinImage('base:latest', options)).toBe(`base:latest@${digest}`);
  expect(told).toEqual([]);
  expect(pinImage('alpine:3', options)).toBe('alpine:3');
  expect(told).toMatchObject([{ kind: 'unlocked', component: 'alpine:3' }]);
});

test('with a frozen lock, an image that is not locked is refused', () => {
  expect(() => pinImage('b', { lock, frozen: true })).toThrow(/has no entry in kraft\.lock/);
  expect(pinImage('base:latest', { lock, frozen: true })).toContain(digest);
});
