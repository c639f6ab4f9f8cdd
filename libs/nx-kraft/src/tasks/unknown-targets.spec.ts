import type { Task } from '@nx/devkit';
import { expect, test } from 'vitest';
import { taskNames } from '../options.ts';
import { unknownTargets } from './unknown-targets.ts';

test.each([
  ['shop:build:qemu-arm', [['build'], ['build:qemu-x86_64']], 'shop has no task build:qemu-arm, and Nx ran build'],
  ['shop:build:qemu-x86_64', [['build:qemu-x86_64']], undefined],
  ['shop:build:production', [['build', 'production'], ['build:qemu-x86_64']], undefined],
  ['shop:serve:other', [['serve']], undefined],
  ['--url=a:build:b', [['build']], undefined],
] as const)('%s', (word, ran, told) => {
  const tasks = ran.map(([target, configuration]) => ({ target: { project: 'shop', target, configuration } }) as Task);
  const taskResults = Object.fromEntries(
    tasks.map((task, index) => [index, { task, status: 'success', code: 0 } as const]),
  );
  const lines = unknownTargets({ argv: ['nx', 'run', word], taskResults }, taskNames());
  expect(lines).toEqual(told === undefined ? [] : [expect.stringContaining(told)]);
});
