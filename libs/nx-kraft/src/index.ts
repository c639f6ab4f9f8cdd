export {
  createDependencies,
  createNodes,
  createNodesV2,
  name,
  type PluginOptions,
  postTasksExecution,
  preTasksExecution,
} from './plugin.ts';
