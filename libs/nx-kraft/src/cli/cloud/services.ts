import { type Service, describePort, parsePorts, readDomains as readDomainNames } from '@nx-kraft/cloud';
import type { Column } from '@nx-kraft/oci';
import { connectCloud } from '../../tasks/cloud/connect.ts';
import { type Group, command } from '../command.ts';
import { collectionCommands } from './collection.ts';
import { cloudOptions, domainNames, domainOptions, show, wholeNumber } from './options.ts';

const columns: readonly Column<Service>[] = [
  { heading: 'NAME', value: ({ name }) => name, canShrink: true },
  {
    heading: 'FQDN',
    value: ({ domains }) => (domains ?? []).map(({ fqdn }) => fqdn ?? '').join(', '),
    canShrink: true,
  },
  { heading: 'SERVICES', value: ({ services }) => (services ?? []).map(describePort).join(', '), canShrink: true },
  {
    heading: 'INSTANCES',
    value: ({ instances }) => (instances ?? []).map(({ name, uuid }) => name ?? uuid ?? '').join(', '),
    canShrink: true,
  },
  { heading: 'CREATED AT', value: ({ created_at: at }) => at ?? '' },
  { heading: 'PERSISTENT', value: ({ persistent }) => String(persistent ?? true) },
];

const create = command({
  arguments: 'PORT:PORT…',
  options: {
    ...cloudOptions,
    ...domainOptions,
    name: { type: 'string', short: 'n', value: 'NAME', summary: 'default: the metro chooses one' },
    'soft-limit': {
      type: 'string',
      short: 'l',
      value: 'NUMBER',
      summary: 'connections from which more instances help',
    },
    'hard-limit': { type: 'string', short: 'L', value: 'NUMBER', summary: 'connections that an instance may have' },
  },
  notes: 'Ports are EXTERNAL:INTERNAL[/HANDLER+HANDLER]: 443:8080, 80:443/http+redirect, 5432:5432/tls.',
  run: async ({ values, words }) => {
    const { name, 'soft-limit': soft, 'hard-limit': hard } = values;
    const cloud = await connectCloud(values.metro);
    const created = await cloud.services.create({
      services: parsePorts(words),
      domains: readDomains(values),
      ...(name === undefined ? {} : { name }),
      ...(soft === undefined ? {} : { soft_limit: wholeNumber('soft-limit', soft) }),
      ...(hard === undefined ? {} : { hard_limit: wholeNumber('hard-limit', hard) }),
    });
    show(values, columns, created);
    return 0;
  },
});

export const service: Group = {
  commands: {
    ...collectionCommands('SERVICE', { columns, of: (cloud) => cloud.services }),
    create: { summary: 'Creates one.', aliases: ['new'], load: () => create },
  },
  default: 'list',
};

/** The domains that options name, with their certificates. */
export function readDomains(
  values: Parameters<typeof domainNames>[0] & { readonly certificate?: readonly string[] | undefined },
) {
  return readDomainNames({ domains: domainNames(values), certificates: [...(values.certificate ?? [])] });
}
