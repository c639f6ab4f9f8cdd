import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { detectSystem } from '@nx-kraft/base/packages';
import { examine } from '../doctor/examine.ts';
import { formatResults } from '../doctor/report.ts';
import { command, jsonOption, print } from './command.ts';

export const doctor = command({
  options: jsonOption,
  notes: [
    'For what is missing it says what that costs and how to get it on this system: Debian, Ubuntu, Fedora, Red Hat, Arch,',
    'Alpine, macOS, and Linux in WSL. The exit code is 1 when something is missing without which nothing can be built or run.',
    'No other machine is asked but the remote cache, which gets an entry that no task has, and, unless',
    'NX_KRAFT_OFFLINE=1 is set, the registries that there are log-ins for.',
  ].join('\n'),
  run: async ({ values }) => {
    const system = detectSystem();
    const results = await examine({ system, root: workspaceRoot(process.cwd()), env: process.env });
    print(values, { system, checks: results }, () => formatResults(system, results));
    return results.some(({ needed, state }) => needed && state !== 'ok') ? 1 : 0;
  },
});

/** The folder with the `nx.json` around a folder, or that folder. */
function workspaceRoot(folder: string): string {
  let above = folder;
  while (!existsSync(join(above, 'nx.json')) && dirname(above) !== above) above = dirname(above);
  return existsSync(join(above, 'nx.json')) ? above : folder;
}
