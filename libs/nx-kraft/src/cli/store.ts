import { parseArgs } from 'node:util';
import { formatStore, listStore, openStore, pruneStore, verifyStore } from '@nx-kraft/components';
import { type Command, UsageFault } from './command.ts';

export const store: Command = {
  usage: 'store [ls|prune|verify] [--json]',
  summary: 'Shows the sources that are kept for all workspaces, and frees what no lock file needs.',
  help: '  ls      what is there, how large, and which lock files need it\n  prune   removes what none needs\n  verify  hashes everything again',
  run: async (args) => {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { json: { type: 'boolean' } },
    });
    const [action = 'ls'] = positionals;
    const act = Object.hasOwn(actions, action) ? actions[action] : undefined;
    if (act === undefined) throw new UsageFault(`there is no 'store ${action}'`);
    const { data, text } = await act();
    process.stdout.write(values.json === true ? `${JSON.stringify(data, undefined, 2)}\n` : `${text.trimEnd()}\n`);
    return 0;
  },
};

const actions: Readonly<Record<string, () => Promise<{ readonly data: unknown; readonly text: string }>>> = {
  ls: async () => {
    const entries = await listStore(openStore());
    return { data: entries, text: formatStore(entries) };
  },
  prune: async () => {
    const entries = await pruneStore(openStore());
    return { data: entries, text: entries.length === 0 ? 'Nothing to remove.' : `Removed:\n${formatStore(entries)}` };
  },
  verify: async () => {
    const entries = await verifyStore(openStore());
    return {
      data: entries,
      text: entries.length === 0 ? 'All is well.' : `Damaged and removed:\n${formatStore(entries)}`,
    };
  },
};
