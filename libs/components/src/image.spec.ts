import { expect, test } from 'vitest';
import { type ComponentProgress, emptyLock, pinImage } from './index.ts';

const digest = `sha256:${'a'.repeat(64)}`;
const other = `sha256:${'b'.repeat(64)}`;
const asked: string[] = [];
const resolveDigest = (reference: string) => {
  asked.push(reference);
  return Promise.resolve(other);
};
const lock = { ...emptyLock, images: { 'base:latest': digest } };

test('an image is pinned by itself, by the lock, or by its registry, which is told', async () => {
  const told: ComponentProgress[] = [];
  const options = { lock, resolveDigest, onProgress: (progress: ComponentProgress) => void told.push(progress) };
  expect(await pinImage(`x@${digest}`, options)).toBe(`x@${digest}`);
  expect(await pinImage('base:latest', options)).toBe(`base:latest@${digest}`);
  expect(asked).toEqual([]);
  expect(await pinImage('alpine:3', options)).toBe(`alpine:3@${other}`);
  expect(told).toMatchObject([{ kind: 'unlocked', component: 'alpine:3' }]);
});

test('without network or with a frozen lock, an image that is not locked is refused', async () => {
  asked.length = 0;
  const options = { lock, resolveDigest };
  await expect(pinImage('b', { ...options, frozen: true })).rejects.toMatchObject({ code: 'COMPONENT_NOT_LOCKED' });
  await expect(pinImage('b', { ...options, offline: true })).rejects.toMatchObject({ code: 'COMPONENT_OFFLINE' });
  expect(asked).toEqual([]);
});
