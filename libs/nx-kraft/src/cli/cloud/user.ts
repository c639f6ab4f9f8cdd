import type { Column } from '@nx-kraft/oci';
import { connectCloud } from '../../tasks/cloud/connect.ts';
import { command, print } from '../command.ts';
import { cloudOptions, show, showAll } from './options.ts';

export const user = command({
  options: cloudOptions,
  run: async ({ values }) => {
    const cloud = await connectCloud(values.metro);
    const [quota] = await cloud.users.quotas();
    const facts = { account: cloud.token.account, uuid: quota?.uuid ?? '', metro: cloud.api.metro.name };
    print(values, facts, () => `${facts.account} in ${facts.metro}`);
    return 0;
  },
});

interface Amount {
  readonly name: string;
  readonly used: unknown;
  readonly most: unknown;
}

const columns: readonly Column<Amount>[] = [
  { heading: 'WHAT', value: ({ name }) => name.replaceAll('_', ' ') },
  { heading: 'USED', value: ({ used }) => String(used) },
  { heading: 'MOST', value: ({ most }) => String(most) },
];

export const quota = command({
  options: cloudOptions,
  run: async ({ values }) => {
    const quotas = await (await connectCloud(values.metro)).users.quotas();
    if (values.json === true) {
      showAll(quotas);
      return 0;
    }
    const [{ used, hard, limits } = {}] = quotas;
    const names = [...new Set([...Object.keys(used ?? {}), ...Object.keys(hard ?? {})])];
    const amounts = names.map((name) => ({ name, used: used?.[name] ?? 0, most: hard?.[name] ?? '' }));
    const bounds = Object.entries(limits ?? {}).map(([name, most]) => ({ name, used: '', most }));
    show(values, columns, [...amounts, ...bounds]);
    return 0;
  },
});
