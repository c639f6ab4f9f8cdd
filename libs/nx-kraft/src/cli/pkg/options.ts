import { type CatalogFilter, ImageStore, type RegistryClient, hostArchitecture } from '@nx-kraft/oci';
import { type RegistryAccess, openRegistries } from '../../tasks/registry.ts';
import { type Values, jsonOption } from '../command.ts';
import { readOptionFile } from '../option-file.ts';

export const registryOptions = {
  'plain-http': { type: 'string', value: 'HOST', multiple: true, summary: 'a registry that is asked without TLS' },
  insecure: { type: 'string', value: 'HOST', multiple: true, summary: 'a registry whose certificate is not checked' },
  authority: { type: 'string', value: 'FILE', multiple: true, summary: 'one more certificate authority, as PEM' },
} as const;

export const platformOptions = {
  all: { type: 'boolean', summary: 'all platforms and architectures' },
  arch: { type: 'string', short: 'm', value: 'ARCH', summary: "default: this host's" },
  plat: { type: 'string', short: 'p', value: 'PLAT', summary: 'qemu, fc, xen, …' },
} as const;

export const outputOptions = {
  output: {
    type: 'string',
    short: 'o',
    value: 'FORM',
    choices: ['table', 'list', 'json', 'yaml'],
    summary: 'how it is shown (default: table)',
  },
  ...jsonOption,
} as const;

/**
 * How registries are reached, from a command's options.
 *
 * @throws UsageFault for an authority that cannot be read
 */
export async function registryAccess(values: Values<typeof registryOptions>): Promise<RegistryAccess> {
  for (const file of values.authority ?? []) await readOptionFile('--authority', file);
  return { plainHttp: values['plain-http'], insecure: values.insecure, authorities: values.authority };
}

/** Does something with registries and the store of images, and closes the connections. */
export async function withRegistries(
  values: Values<typeof registryOptions>,
  act: (client: RegistryClient, store: ImageStore) => Promise<void>,
): Promise<undefined> {
  const client = openRegistries(await registryAccess(values));
  try {
    await act(client, await ImageStore.open());
  } finally {
    client.close();
  }
}

/** Which platforms and architectures are meant: this host's architecture, unless told otherwise. */
export function filterOf({ all, plat, arch }: Values<typeof platformOptions>): CatalogFilter {
  const architecture = arch ?? (all === true ? undefined : hostArchitecture());
  return {
    ...(plat === undefined ? {} : { platform: plat }),
    ...(architecture === undefined ? {} : { architecture }),
  };
}

/** Writes a result in the form that was asked for. @param list  its names alone, one a line */
export async function show(
  { output, json }: Values<typeof outputOptions>,
  data: unknown,
  text: () => string,
  list: () => readonly string[],
): Promise<void> {
  const form = json === true ? 'json' : (output ?? 'table');
  process.stdout.write(await written());

  async function written(): Promise<string> {
    if (form === 'json') return `${JSON.stringify(data, undefined, 2)}\n`;
    if (form === 'yaml') return (await import('yaml')).stringify(data);
    if (form === 'list')
      return list()
        .map((line) => `${line}\n`)
        .join('');
    return `${text().trimEnd()}\n`;
  }
}
