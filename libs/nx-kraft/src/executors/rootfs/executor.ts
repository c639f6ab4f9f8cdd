import type { ExecutorContext } from '@nx/devkit';
import { defaultMemory } from '@nx-kraft/machine/memory';
import { batchOf } from '../../tasks/batch.ts';
import { type RootfsOptions, makeRootfs } from '../../tasks/make-rootfs.ts';
import { type TaskResult, runTask } from '../../tasks/task.ts';
import { type Typed, asTyped } from '../../tasks/typed-options.ts';
import { guardSources } from '../../tasks/unchanged-sources.ts';

type Options = RootfsOptions & Typed;

/** Makes the root file system of a Kraftfile. */
export default function rootfs(options: Options, context: ExecutorContext): Promise<TaskResult> {
  return runTask(context, (signal) => make(options, context, signal));
}

/** Makes those of many Kraftfiles in one process. */
export const rootfsBatch = batchOf(make);

function make(options: Options, context: ExecutorContext, signal: AbortSignal): Promise<void> {
  return makeRootfs(
    context.root,
    { memory: memoryOf(context), ...asTyped<RootfsOptions>(options, { texts: ['buildArgs', 'memory'] }) },
    signal,
    guardSources(context),
  );
}

/** What the project's machine gets, so that the summary can tell when that is too little. */
function memoryOf({ projectName = '', projectsConfigurations }: ExecutorContext): string | undefined {
  const targets = Object.values(projectsConfigurations.projects[projectName]?.targets ?? {});
  const run = targets.find(({ executor }) => executor === 'nx-kraft:run');
  const options = run?.options as { readonly memory?: string } | undefined;
  return run === undefined ? undefined : (options?.memory ?? defaultMemory);
}
