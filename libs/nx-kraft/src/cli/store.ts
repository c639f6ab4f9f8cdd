import { type StoreEntry, formatStore, listStore, openStore, pruneStore, verifyStore } from '@nx-kraft/components';
import { type Group, type Leaf, command, jsonOption, print } from './command.ts';

export const store: Group = {
  default: 'ls',
  commands: {
    ls: {
      summary: 'What is there, how large, and which lock files need it.',
      aliases: ['list'],
      load: () => storeCommand(() => listStore(openStore()), formatStore),
    },
    prune: {
      summary: 'Removes what no lock file needs.',
      load: () => storeCommand(() => pruneStore(openStore()), toldWith('Removed:', 'Nothing to remove.')),
    },
    verify: {
      summary: 'Hashes everything again, and removes what is damaged.',
      load: () => storeCommand(() => verifyStore(openStore()), toldWith('Damaged and removed:', 'All is well.')),
    },
  },
};

type Entries = readonly StoreEntry[];

function storeCommand(act: () => Promise<Entries>, format: (entries: Entries) => string): Leaf {
  return command({
    options: jsonOption,
    run: async ({ values }) => {
      const entries = await act();
      print(values, entries, () => format(entries));
      return 0;
    },
  });
}

function toldWith(heading: string, nothing: string): (entries: Entries) => string {
  return (entries) => (entries.length === 0 ? nothing : `${heading}\n${formatStore(entries)}`);
}
