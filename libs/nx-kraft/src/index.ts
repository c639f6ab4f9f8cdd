export { createNodes, createNodesV2, name, type PluginOptions, preTasksExecution } from './plugin.ts';
