import { type MetroStatus, listMetros } from '@nx-kraft/cloud';
import type { Column } from '@nx-kraft/oci';
import { type Group, command, jsonOption } from '../command.ts';
import { show } from './options.ts';

const columns: readonly Column<MetroStatus>[] = [
  { heading: 'CODE', value: ({ name }) => name },
  { heading: 'LOCATION', value: ({ location }) => location },
  { heading: 'PROXY', value: ({ proxy }) => proxy },
];

const asked: readonly Column<MetroStatus>[] = [
  { heading: 'ONLINE', value: ({ online }) => (online === true ? 'yes' : 'no') },
  { heading: 'DELAY', value: ({ delay }) => (delay === undefined ? '' : `${delay} ms`) },
];

const list = command({
  options: {
    ...jsonOption,
    status: { type: 'boolean', short: 's', summary: 'asks each whether it is there, and how far' },
  },
  run: async ({ values }) => {
    const metros = await listMetros({ ask: values.status === true });
    show(values, values.status === true ? [...columns, ...asked] : columns, metros);
    return 0;
  },
});

export const metro: Group = {
  commands: { list: { summary: 'Lists them.', aliases: ['ls'], load: () => list } },
  default: 'list',
};
