import type { TargetConfiguration } from '@nx/devkit';

/** One of a task's inputs, as Nx defines them. */
export type Input = NonNullable<TargetConfiguration['inputs']>[number];

// What many tasks say is one object for all of them: Nx sends the tasks of all projects from process to process on each
// command, and what is the same object goes there once.

/** What the tasks before a task have made, as far as Nx runs them. */
export const madeBefore: Input = { dependentTasksOutputFiles: '**/*' };

/** No external node: without any Nx takes all npm packages. */
export const nothingExternal: Input = { externalDependencies: [] };

/**
 * The inputs of a task that only follows from others: it is affected when one of those is. Without any, Nx takes all files of
 * the project, and the task would be affected by documents.
 */
export const nothingOfItsOwn: Input[] = [nothingExternal, madeBefore];

const variables = new Map<string, Input>();

/** The value of an environment variable. */
export function variable(name: string): Input {
  const input = variables.get(name) ?? { env: name };
  variables.set(name, input);
  return input;
}
