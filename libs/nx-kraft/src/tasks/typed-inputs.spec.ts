import { expect, test } from 'vitest';
import { leftOutVariable, typedInputs, typedInputsVariable, typedTargetVariable } from './typed-inputs.ts';

const value = (...argv: readonly string[]): string | undefined => typedInputs(argv)[typedInputsVariable];
const target = (...argv: readonly string[]): string | undefined => typedInputs(argv)[typedTargetVariable];

test.each([
  ['run', 'app:rootfs', '--context=../..'],
  ['run', 'app:rootfs', '--context', '../..'],
  ['run', 'app:rootfs', '--buildArgs.WORD=a'],
  ['run', 'app:rootfs', '--build-args', '{}'],
  ['rootfs', 'app', '--', '--target=small'],
])('no two runs have the same value that give options which decide what is read: %s %s %s %s', (...argv) => {
  expect(value(...argv)).not.toBe(value(...argv));
});

test.each([
  ['run', 'app:rootfs'],
  ['run-many', '--target=rootfs', '--contextual'],
  ['run', 'app:run', '--env.CONTEXT=a', '--memory=64Mi', '--', '--verbose'],
])('all others have one: %s %s %s', (...argv) => {
  expect(value(...argv)).toBe('');
});

test.each([['--for=fc-x86_64'], ['--for', 'fc-x86_64']])(
  'neither do two runs of a target that is typed: %s %s',
  (...argv) => {
    expect(target('run', 'app:test', ...argv)).not.toBe(target('run', 'app:test', ...argv));
    expect(target('run', 'app:test', '--force', '--format=for')).toBe('');
    expect(value('run', 'app:test', ...argv)).toBe('');
  },
);

test.each([['--exclude-task-dependencies'], ['--excludeTaskDependencies=true']])(
  'nor do two runs without the tasks before: %s',
  (word) => {
    const leftOut = (...argv: readonly string[]): string | undefined => typedInputs(argv)[leftOutVariable];
    expect(leftOut('run', 'app:package', word)).not.toBe(leftOut('run', 'app:package', word));
    expect(leftOut('run-many', '-t', 'package', '--exclude=app')).toBe('');
  },
);
