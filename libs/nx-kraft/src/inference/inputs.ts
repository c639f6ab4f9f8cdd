import type { TargetConfiguration } from '@nx/devkit';

/** One of a task's inputs, as Nx defines them. */
export type Input = NonNullable<TargetConfiguration['inputs']>[number];

/**
 * The inputs of a task that only follows from others: it is affected when one of those is. Without any, Nx takes all files of
 * the project, and the task would be affected by documents.
 */
export const nothingOfItsOwn: Input[] = [{ externalDependencies: [] }, { dependentTasksOutputFiles: '**/*' }];
