import type { Certificate } from '@nx-kraft/cloud';
import type { Column } from '@nx-kraft/oci';
import { connectCloud } from '../../tasks/cloud/connect.ts';
import { type Group, command } from '../command.ts';
import { readOptionFile } from '../option-file.ts';
import { collectionCommands, tellNames } from './collection.ts';
import { cloudOptions } from './options.ts';

const columns: readonly Column<Certificate>[] = [
  { heading: 'NAME', value: ({ name }) => name, canShrink: true },
  { heading: 'STATE', value: ({ state }) => state ?? '' },
  { heading: 'COMMON NAME', value: ({ common_name: name }) => name ?? '', canShrink: true },
  { heading: 'CREATED AT', value: ({ created_at: at }) => at ?? '' },
];

const create = command({
  options: {
    ...cloudOptions,
    name: { type: 'string', short: 'n', value: 'NAME', summary: 'default: the metro chooses one' },
    cn: { type: 'string', short: 'c', value: 'DOMAIN', required: true, summary: 'its common name' },
    chain: { type: 'string', short: 'C', value: 'FILE', required: true, summary: 'the certificates, as PEM' },
    pkey: { type: 'string', short: 'p', value: 'FILE', required: true, summary: 'the private key, as PEM' },
  },
  run: async ({ values }) => {
    const { name, cn = '', chain = '', pkey = '' } = values;
    const [certificates, key] = [await readOptionFile('--chain', chain), await readOptionFile('--pkey', pkey)];
    const cloud = await connectCloud(values.metro);
    const request = { ...(name === undefined ? {} : { name }), cn, chain: certificates, pkey: key };
    const created = await cloud.certificates.create(request);
    tellNames(values, created);
    return 0;
  },
});

export const certificate: Group = {
  commands: {
    ...collectionCommands('CERTIFICATE', { columns, of: (cloud) => cloud.certificates }),
    create: { summary: 'Brings one.', aliases: ['new'], load: () => create },
  },
  default: 'list',
};
