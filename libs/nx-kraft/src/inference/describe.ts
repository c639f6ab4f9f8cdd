import type { TargetConfiguration } from '@nx/devkit';

/** What `nx show project` and Nx Console tell of a task. */
export function describe(description: string): NonNullable<TargetConfiguration['metadata']> {
  return { description, technologies: ['unikraft'] };
}
