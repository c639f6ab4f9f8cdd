import {
  type CatalogFilter,
  ImageStore,
  RegistryClient,
  catalogColumns,
  formatDetails,
  formatReference,
  formatTable,
  hostArchitecture,
  inspectImage,
  listRemote,
  listStore,
  parseReference,
  pullImage,
  pushImage,
  tableRecords,
  updateCatalog,
} from '@nx-kraft/oci';
import { type Group, type Values, command, jsonOption, print } from './command.ts';
import { UsageFault } from './usage-fault.ts';
import { componentOptions, isAboutComponents, runComponentAction } from './components.ts';

const registryOptions = {
  'plain-http': { type: 'string', value: 'HOST', multiple: true, summary: 'a registry that is asked without TLS' },
  insecure: { type: 'string', value: 'HOST', multiple: true, summary: 'a registry whose certificate is not checked' },
} as const;

const platformOptions = {
  all: { type: 'boolean', summary: 'all platforms and architectures' },
  arch: { type: 'string', short: 'm', value: 'ARCH', summary: "default: this host's" },
  plat: { type: 'string', short: 'p', value: 'PLAT', summary: 'default: every one' },
} as const;

const ls = command({
  arguments: '[PATTERN]',
  options: {
    ...platformOptions,
    remote: { type: 'boolean', short: 'u', summary: 'asks registries, for all that they have under a name' },
    update: { type: 'boolean', short: 'U', summary: 'lists after an update' },
    ...componentOptions,
    ...registryOptions,
    ...jsonOption,
  },
  run: ({ values, words: [name] }) => {
    if (isAboutComponents(values, [name])) return runComponentAction('ls', values, [name]);
    return withClient(values, async (client, store) => {
      if (values.update === true) await updateCatalog(client, 'unikraft.org', store);
      const filter = filterOf(values);
      if (values.remote === true && name === undefined) throw new UsageFault('--remote needs a name');
      const rows =
        name !== undefined && values.remote === true
          ? await listRemote(client, [parseReference(name)], store, filter)
          : await listStore(store, name === undefined ? filter : { ...filter, name });
      print(values, tableRecords(catalogColumns, rows), () =>
        formatTable(catalogColumns, rows, process.stdout.columns || Infinity),
      );
    });
  },
});

const pull = command({
  arguments: '[NAME…]',
  options: {
    ...platformOptions,
    ...componentOptions,
    locked: { type: 'boolean', summary: 'components: all that kraft.lock has, for work without a network' },
    ...registryOptions,
    ...jsonOption,
  },
  run: ({ values, words }) => {
    if (isAboutComponents(values, words)) return runComponentAction('pull', values, words);
    const [name, ...more] = words;
    if (name === undefined || more.length > 0) throw new UsageFault('pull needs one image, or components');
    return withClient(values, async (client, store) => {
      const reference = parseReference(name);
      const wanted = values.all === true ? {} : { wanted: filterOf(values) };
      const { digest, entries } = await pullImage(client, reference, store, wanted);
      const platforms = entries.map(({ platform }) => `${platform.os}/${platform.architecture}`);
      print(
        values,
        { reference: formatReference(reference), digest, platforms },
        () => `${formatReference(reference)}@${digest}\n  ${platforms.join(', ')}`,
      );
    });
  },
});

const push = command({
  arguments: 'NAME [TO]',
  options: { ...registryOptions, ...jsonOption },
  run: ({ values, words: [name, other] }) =>
    withClient(values, async (client, store) => {
      const from = parseReference(name);
      const to = other === undefined ? from : parseReference(other);
      const pushed = await pushImage(client, store.layout, await store.resolve(from), to);
      print(values, pushed, () => `${pushed.reference}@${pushed.digest}${pushed.wasThere ? ' was there already' : ''}`);
    }),
});

const info = command({
  arguments: 'NAME',
  options: { ...componentOptions, ...jsonOption },
  run: async ({ values, words: [name] }) => {
    if (isAboutComponents(values, [name])) return runComponentAction('info', values, [name]);
    const reference = parseReference(name);
    const store = await ImageStore.open();
    const details = await inspectImage(store.layout, await store.resolve(reference), reference);
    print(values, details, () => formatDetails(details));
    return 0;
  },
});

const rm = command({
  arguments: 'NAME…',
  options: jsonOption,
  run: async ({ values, words }) => {
    const store = await ImageStore.open();
    const removed = words.map((word) => parseReference(word));
    for (const reference of removed) await store.remove(reference);
    print(values, { removed: removed.map(formatReference) }, () => '');
    return 0;
  },
});

const prune = command({
  options: jsonOption,
  run: async ({ values }) => {
    const pruned = await (await ImageStore.open()).prune();
    print(values, pruned, () => `${pruned.blobs} blobs with ${pruned.bytes} bytes removed`);
    return 0;
  },
});

const exportImage = command({
  arguments: 'NAME FILE',
  options: jsonOption,
  run: async ({ values, words: [name, file] }) => {
    const reference = parseReference(name);
    await (await ImageStore.open()).exportArchive([reference], file);
    print(values, { reference: formatReference(reference), file }, () => '');
    return 0;
  },
});

const importImages = command({
  arguments: 'FILE',
  options: jsonOption,
  run: async ({ values, words: [file] }) => {
    const images = await (await ImageStore.open()).importArchive(file);
    const names = images.map(({ reference }) => formatReference(reference));
    print(values, names, () => names.join('\n'));
    return 0;
  },
});

const update = command({
  arguments: '[REGISTRY]',
  options: { ...componentOptions, ...registryOptions, ...jsonOption },
  run: ({ values, words: [registry = 'unikraft.org'] }) => {
    if (isAboutComponents(values, [])) return runComponentAction('update', values, []);
    return withClient(values, async (client, store) => {
      const { updated, skipped } = await updateCatalog(client, registry, store);
      print(
        values,
        { updated: updated.map(formatReference), skipped: skipped.map(formatReference) },
        () => `${updated.length} images known, ${skipped.length} others passed over`,
      );
    });
  },
});

const source = command({
  arguments: '[INDEX]',
  options: jsonOption,
  notes: 'An index is the URL or the path of an index.yaml, or a git URL. Without one those in use are listed.',
  run: ({ values, words }) => runComponentAction('source', values, words),
});

const unsource = command({
  arguments: 'INDEX',
  options: jsonOption,
  run: ({ values, words }) => runComponentAction('unsource', values, words),
});

export const pkg: Group = {
  default: 'ls',
  commands: {
    ls: {
      summary: 'What the store has, or registries, or the indexes of components.',
      aliases: ['list'],
      load: () => ls,
    },
    pull: { summary: 'Gets an image from its registry, or components into the store of sources.', load: () => pull },
    push: { summary: 'Sends an image to its registry, or under another name to any.', load: () => push },
    info: {
      summary: 'An image: manifests, layers and what is run; or a component: channels, versions and origin.',
      load: () => info,
    },
    rm: {
      summary: 'Removes names of images; prune then frees what nothing needs any more.',
      aliases: ['remove'],
      load: () => rm,
    },
    prune: { summary: 'Removes what no image in the store needs any more.', load: () => prune },
    export: { summary: 'Writes an image into one .oci.tar.', load: () => exportImage },
    import: { summary: 'Takes images from an .oci.tar into the store.', load: () => importImages },
    update: {
      summary: 'Learns what a registry has (unikraft.org), without pulling it; or asks the indexes of components.',
      load: () => update,
    },
    source: { summary: 'Adds an index of components, or lists them.', load: () => source },
    unsource: { summary: 'Removes an index of components.', load: () => unsource },
  },
  notes: [
    'Components are called core/unikraft, lib/NAME and app/NAME, with :VERSION or @URL behind; or NAME alone, with',
    '--core, --libs or --apps. kraft.lock decides about versions where it has them.',
    'Only pull, push, update and --remote ask other machines.',
  ].join('\n'),
};

/** Does something with registries and the store of images, and closes the connections. */
async function withClient(
  values: Values<typeof registryOptions>,
  act: (client: RegistryClient, store: ImageStore) => Promise<void>,
): Promise<number> {
  const client = new RegistryClient({
    plainHttp: values['plain-http'] ?? [],
    insecure: values.insecure ?? [],
  });
  try {
    await act(client, await ImageStore.open());
    return 0;
  } finally {
    client.close();
  }
}

/** Which platforms and architectures are meant: this host's architecture, unless told otherwise. */
function filterOf({ all, plat, arch }: Values<typeof platformOptions>): CatalogFilter {
  const architecture = arch ?? (all === true ? undefined : hostArchitecture());
  return {
    ...(plat === undefined ? {} : { platform: plat }),
    ...(architecture === undefined ? {} : { architecture }),
  };
}
