import { setTimeout as sleep } from 'node:timers/promises';
import type { ExecutorContext, Task, TaskGraph } from '@nx/devkit';
import { expect, test } from 'vitest';
import { batchOf } from './batch.ts';
import { tell } from './task.ts';

/** Tasks of projects, each with the projects that it waits for. */
function graphOf(projects: Readonly<Record<string, readonly string[]>>): TaskGraph {
  const tasks = Object.keys(projects).map((project) => {
    const target = { project, target: 'rootfs' };
    const task: Task = { id: project, target, overrides: {}, outputs: [], cache: true, parallelism: true };
    return [project, task] as const;
  });
  const edges = Object.entries(projects).map(([project, before]) => [project, before.map((id) => ({ id }))] as const);
  return {
    roots: [],
    tasks: Object.fromEntries(tasks),
    dependencies: Object.fromEntries(edges),
    continuousDependencies: {},
  };
}

function contextOf(graph: TaskGraph, parallel: number): ExecutorContext {
  const nodes = Object.keys(graph.tasks).map((name) => [name, { name, type: 'app' as const, data: { root: name } }]);
  return {
    root: '/workspace',
    cwd: '/workspace',
    isVerbose: false,
    nxJsonConfiguration: { parallel },
    projectsConfigurations: { version: 2, projects: {} },
    projectGraph: {
      nodes: Object.fromEntries(nodes) as ExecutorContext['projectGraph']['nodes'],
      dependencies: {},
    },
    taskGraph: graph,
  };
}

test('tasks run after those that they wait for, so many at the same time, and not when one of these failed', async () => {
  const graph = graphOf({ last: ['bad'], later: ['first'], first: [], bad: [], alone: ['elsewhere'] });
  const begun: string[] = [];
  let running = 0;
  let most = 0;
  const batch = batchOf(async (_, { projectName = '' }) => {
    begun.push(projectName);
    most = Math.max(most, ++running);
    await sleep(10);
    running--;
    tell(`${projectName} is at its end`);
    if (projectName === 'bad') throw new Error('no such file');
  });
  const results = new Map<string, unknown>();
  for await (const { task, result } of batch(graph, {}, {}, contextOf(graph, 2))) results.set(task, result);
  expect(most).toBe(2);
  expect(begun.indexOf('later')).toBeGreaterThan(begun.indexOf('first'));
  expect(begun.toSorted()).toEqual(['alone', 'bad', 'first', 'later']);
  expect(results.get('later')).toMatchObject({ status: 'success', terminalOutput: 'later is at its end\n' });
  expect(results.get('bad')).toMatchObject({
    status: 'failure',
    terminalOutput: expect.stringMatching(/^bad is at its end\n.*no such file\n/) as string,
  });
  expect(results.get('last')).toMatchObject({ status: 'skipped', success: false });
});
