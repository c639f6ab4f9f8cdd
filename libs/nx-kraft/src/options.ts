/** The inferred tasks with the names that they have unless the plugin's options say otherwise. */
const defaultNames = {
  build: 'build',
  rootfs: 'rootfs',
  package: 'package',
  push: 'push',
  load: 'load',
  run: 'run',
  test: 'test',
  stop: 'stop',
  debug: 'debug',
  bootReport: 'boot-report',
  lint: 'lint',
  config: 'config',
  menuconfig: 'menuconfig',
  set: 'set',
  unset: 'unset',
  verifyReproducible: 'verify-reproducible',
  deploy: 'deploy',
  rollback: 'rollback',
  undeploy: 'undeploy',
  logs: 'logs',
  status: 'status',
} as const;

type Task = keyof typeof defaultNames;

/** Options of the plugin in `nx.json`: what the inferred tasks are called. */
export type PluginOptions = Readonly<Partial<Record<`${Task}TargetName`, string>>>;

/** The names of the tasks, with defaults for those that the options leave out. */
export type TaskNames = Readonly<Record<Task, string>>;

export function taskNames(options: PluginOptions = {}): TaskNames {
  const names = Object.entries(defaultNames).map(([task, name]) => [
    task,
    options[`${task as Task}TargetName`] ?? name,
  ]);
  return Object.fromEntries(names) as TaskNames;
}
