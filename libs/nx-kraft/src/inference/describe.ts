import type { TargetConfiguration } from '@nx/devkit';

/**
 * What `nx show project` and Nx Console tell of a task. The technology is told once, by the project: Nx keeps and sends
 * three records for each field of each task.
 */
export function describe(description: string): NonNullable<TargetConfiguration['metadata']> {
  return { description };
}
