/** Options of the plugin in `nx.json`: what the inferred tasks are called. */
export interface PluginOptions {
  readonly buildTargetName?: string;
  readonly rootfsTargetName?: string;
  readonly packageTargetName?: string;
  readonly pushTargetName?: string;
  readonly runTargetName?: string;
  readonly testTargetName?: string;
  readonly lintTargetName?: string;
}

/** The names of the tasks, with defaults for those that the options leave out. */
export interface TaskNames {
  readonly build: string;
  readonly rootfs: string;
  readonly package: string;
  readonly push: string;
  readonly run: string;
  readonly test: string;
  readonly lint: string;
}

export function taskNames(options: PluginOptions | undefined): TaskNames {
  return {
    build: options?.buildTargetName ?? 'build',
    rootfs: options?.rootfsTargetName ?? 'rootfs',
    package: options?.packageTargetName ?? 'package',
    push: options?.pushTargetName ?? 'push',
    run: options?.runTargetName ?? 'run',
    test: options?.testTargetName ?? 'test',
    lint: options?.lintTargetName ?? 'lint',
  };
}
