import { expect, test } from 'vitest';
import { expectedSeconds } from './expected-seconds.ts';
import { type PlannedTask, type Share, asRunMany, makePlan } from './plan.ts';

function task(id: string, seconds: number, ...needs: readonly string[]): PlannedTask {
  const [project = '', ...target] = id.split(':');
  return { id, project, target: target.join(':'), seconds, needs };
}

/** An application of two kernels and a root file system. */
function app(name: string): readonly PlannedTask[] {
  const first = [task(`${name}:build:fc`, 90), task(`${name}:build:qemu`, 90), task(`${name}:rootfs`, 10)];
  return [
    ...first,
    task(`${name}:package`, 5, ...first.map(({ id }) => id)),
    task(`${name}:test`, 20, `${name}:build:qemu`, `${name}:rootfs`),
  ];
}

const idsOf = ({ tasks }: Share): readonly string[] => tasks.map(({ project, target }) => `${project}:${target}`);

test('every task is done by one machine, those of the first stage as evenly as they can be', () => {
  const tasks = ['a', 'b', 'c', 'd'].flatMap(app);
  const { build, merge } = makePlan(tasks, 3);
  expect([...build, ...merge].flatMap(idsOf).toSorted()).toEqual(tasks.map(({ id }) => id).toSorted());
  expect(build.flatMap(idsOf)).not.toContain('a:package');
  expect(build.map(({ worker }) => worker)).toEqual([1, 2, 3]);
  const lengths = build.map(({ seconds }) => seconds);
  expect(lengths.reduce((sum, seconds) => sum + seconds)).toBe(760);
  expect(Math.max(...lengths)).toBeLessThanOrEqual(280);
});

test('all of a project is merged by one machine', () => {
  const shares = makePlan(['a', 'b', 'c', 'd', 'e', 'f'].flatMap(app), 4).merge;
  expect(shares.length).toBeGreaterThan(1);
  for (const project of ['a', 'b', 'c', 'd', 'e', 'f']) {
    const own = shares.map(idsOf).filter((ids) => ids.some((id) => id.startsWith(`${project}:`)));
    expect(own).toHaveLength(1);
    expect(own[0]).toEqual(expect.arrayContaining([`${project}:package`, `${project}:test`]));
  }
});

test('tasks that need each other before they are merged stay on one machine', () => {
  const tasks = [
    task('site:build', 40),
    task('web:rootfs', 10, 'site:build'),
    task('web:build:qemu', 90, 'web:rootfs'),
    task('web:package', 5, 'web:build:qemu'),
    task('other:build:qemu', 90),
    task('other:package', 5, 'other:build:qemu'),
  ];
  expect(makePlan(tasks, 4).build.map(idsOf)).toEqual([
    ['site:build', 'web:build:qemu', 'web:rootfs'],
    ['other:build:qemu'],
  ]);
});

test('no machine is started for less than it takes to start, and none for nothing', () => {
  expect(makePlan([task('a:rootfs', 10), task('b:rootfs', 10), task('c:rootfs', 10)], 4).build).toHaveLength(1);
  expect(makePlan([], 4)).toEqual({ build: [], merge: [] });
});

test('the same tasks make the same plan, in whatever order they come', () => {
  const tasks = ['a', 'b', 'c'].flatMap(app);
  expect(makePlan(tasks.toReversed(), 3)).toEqual(makePlan(tasks, 3));
});

test('a share becomes few calls of nx that do its tasks and no others', () => {
  const tasks = ['a:build:qemu', 'b:build:qemu', 'b:rootfs', 'c:build:qemu'].map((id) => task(id, 1));
  expect(asRunMany(tasks)).toEqual([
    { targets: ['build:qemu'], projects: ['a', 'c'] },
    { targets: ['build:qemu', 'rootfs'], projects: ['b'] },
  ]);
});

test('a task takes as long as it did, else as long as its kind does', () => {
  const targets = {
    kernel: { executor: 'nx-kraft:build', inputs: [{ env: 'NX_KRAFT_TOOLCHAIN_ARM64' }] },
    runtime: { executor: 'nx-kraft:build' },
    files: { executor: 'nx-kraft:rootfs' },
    image: { executor: 'nx-kraft:rootfs', inputs: [{ env: 'NX_KRAFT_BUILDERS' }] },
  };
  const graph = { nodes: { a: { type: 'app' as const, name: 'a', data: { root: 'a', targets } } } };
  const seconds = (target: string, history = {}): number =>
    expectedSeconds(`a:${target}`, { project: 'a', target }, graph, history);
  expect(seconds('kernel')).toBeGreaterThan(seconds('runtime'));
  expect(seconds('image')).toBeGreaterThan(seconds('files'));
  expect(seconds('kernel', { 'a:kernel': 4_000 })).toBe(4);
});
