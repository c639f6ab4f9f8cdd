import type { CloudImage } from '@nx-kraft/cloud';
import { type Column, RegistryClient, parseReference, removeImage, userCredentials } from '@nx-kraft/oci';
import { cloudRegistry, connectCloud } from '../../tasks/cloud/connect.ts';
import { type Group, command, print } from '../command.ts';
import { cloudOptions, show } from './options.ts';

const columns: readonly Column<CloudImage>[] = [
  { heading: 'NAME', value: (image) => nameOf(image).name, canShrink: true },
  { heading: 'VERSION', value: (image) => nameOf(image).version, canShrink: true },
  { heading: 'SIZE', value: ({ size_in_bytes: size }) => `${((size ?? 0) / 2 ** 20).toFixed(1)} MiB` },
];

/** By its first tag, else by its digest. */
function nameOf({ tags, digest }: CloudImage): { readonly name: string; readonly version: string } {
  const [name = '', version = ''] = (tags?.[0] ?? digest).split(/[@:](.*)/s);
  return { name: name.replace(/^index\.unikraft\.io\//, ''), version };
}

const list = command({
  options: { ...cloudOptions, all: { type: 'boolean', short: 'a', summary: 'those that everybody has, too' } },
  run: async ({ values }) => {
    const cloud = await connectCloud(values.metro);
    const images = await cloud.images.list();
    const own = images.filter((image) => nameOf(image).name.startsWith(`${cloud.token.account}/`));
    show(values, columns, values.all === true ? images : own);
    return 0;
  },
});

const remove = command({
  arguments: 'IMAGE…',
  options: {
    ...cloudOptions,
    registry: { type: 'string', value: 'HOST', summary: `default: ${cloudRegistry}` },
    'plain-http': { type: 'boolean', summary: 'that registry speaks no TLS' },
  },
  notes: 'They are removed from the registry; instances of them go on.',
  run: async ({ values, words }) => {
    const { token } = await connectCloud(values.metro);
    const { registry = cloudRegistry } = values;
    const client = new RegistryClient({
      plainHttp: values['plain-http'] === true ? [registry] : [],
      credentials: userCredentials(process.env, (host) =>
        Promise.resolve(host === cloudRegistry ? token.login : undefined),
      ),
    });
    try {
      const removed: string[] = [];
      for (const word of words) {
        const name = word.includes('/') ? word : `${token.account}/${word}`;
        removed.push(`${name}@${await removeImage(client, parseReference(`${registry}/${name}`))}`);
      }
      print(values, removed, () => removed.join('\n'));
      return 0;
    } finally {
      client.close();
    }
  },
});

export const image: Group = {
  commands: {
    list: { summary: "Lists the account's.", aliases: ['ls'], load: () => list },
    remove: { summary: 'Removes them.', aliases: ['rm', 'delete', 'del'], load: () => remove },
  },
  default: 'list',
};
