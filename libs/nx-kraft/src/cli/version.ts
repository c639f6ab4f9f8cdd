import { pluginVersion } from '../tasks/version.ts';
import { command, jsonOption, print } from './command.ts';

export const version = command({
  options: jsonOption,
  run: async ({ values }) => {
    print(values, { nxKraft: pluginVersion, node: process.versions.node }, () => pluginVersion);
    return Promise.resolve(0);
  },
});
