import { parseArgs } from 'node:util';
import {
  type CatalogFilter,
  ImageStore,
  RegistryClient,
  catalogColumns,
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
import { type Command, UsageFault } from './command.ts';
import { componentHelp, componentOptions, runComponentAction } from './components.ts';

const options = {
  all: { type: 'boolean' },
  arch: { type: 'string', short: 'm' },
  plat: { type: 'string', short: 'p' },
  remote: { type: 'boolean', short: 'u' },
  update: { type: 'boolean', short: 'U' },
  json: { type: 'boolean' },
  ...componentOptions,
  'plain-http': { type: 'string', multiple: true },
  insecure: { type: 'string', multiple: true },
} as const;

type Values = ReturnType<typeof parseArgs<{ options: typeof options }>>['values'];

export const pkg: Command = {
  usage: 'pkg ls|pull|push|info|rm|prune|export|import|update|source|unsource [ARGUMENT…]',
  summary: "Works with images, in this machine's store and in registries, and with components.",
  help: [
    '  pkg ls [PATTERN]        what the store has; with --remote, what registries have under a name',
    '  pkg pull NAME           for this host, or for --plat and --arch, or --all',
    '  pkg push NAME [TO]      under its own name, or another one',
    '  pkg info NAME           manifests, layers and what is run',
    '  pkg rm NAME…            names; pkg prune then frees what nothing needs any more',
    '  pkg export NAME FILE    as one .oci.tar; pkg import FILE takes it back',
    '  pkg update [REGISTRY]   lists what a registry has, without pulling it (default: unikraft.org)',
    '',
    '      --all               all platforms and architectures',
    '  -m, --arch ARCH, -p, --plat PLAT',
    '  -u, --remote            asks registries; nothing else does but pull, push and update',
    '  -U, --update            lists after an update',
    '      --plain-http HOST, --insecure HOST',
    '      --json',
    '',
    componentHelp,
  ].join('\n'),
  run: async (args) => {
    const { values, positionals } = parseArgs({ args: [...args], allowPositionals: true, options });
    const [action = 'ls', ...words] = positionals;
    if (await runComponentAction(action, words, values)) return 0;
    const act = Object.hasOwn(actions, action) ? actions[action] : undefined;
    if (act === undefined) throw new UsageFault(`there is no 'pkg ${action}'`);
    const client = new RegistryClient({
      plainHttp: values['plain-http'] ?? [],
      insecure: values.insecure ?? [],
    });
    try {
      await act({ words, values, client, store: await ImageStore.open() });
      return 0;
    } finally {
      client.close();
    }
  },
};

interface Call {
  readonly words: readonly string[];
  readonly values: Values;
  readonly client: RegistryClient;
  readonly store: ImageStore;
}

const actions: Readonly<Record<string, (call: Call) => Promise<void>>> = {
  ls: async ({ words, values, client, store }) => {
    if (values.update === true) await updateCatalog(client, 'unikraft.org', store);
    const [name] = words;
    const filter = filterOf(values);
    const rows =
      values.remote === true
        ? await listRemote(client, [parseReference(required(name, 'ls --remote needs a name'))], store, filter)
        : await listStore(store, name === undefined ? filter : { ...filter, name });
    print(
      values,
      () => tableRecords(catalogColumns, rows),
      () => formatTable(catalogColumns, rows, process.stdout.columns || Infinity),
    );
  },
  pull: async ({ words, values, client, store }) => {
    const reference = parseReference(required(words[0], 'pull needs a name'));
    const wanted = values.all === true ? {} : { wanted: filterOf(values) };
    const { digest, entries } = await pullImage(client, reference, store, wanted);
    const platforms = entries.map(({ platform }) => `${platform.os}/${platform.architecture}`);
    print(
      values,
      () => ({ reference: formatReference(reference), digest, platforms }),
      () => `${formatReference(reference)}@${digest}\n  ${platforms.join(', ')}\n`,
    );
  },
  push: async ({ words, values, client, store }) => {
    const from = parseReference(required(words[0], 'push needs a name'));
    const to = words[1] === undefined ? from : parseReference(words[1]);
    const pushed = await pushImage(client, store.layout, await store.resolve(from), to);
    print(
      values,
      () => pushed,
      () => `${pushed.reference}@${pushed.digest}${pushed.wasThere ? ' was there already' : ''}\n`,
    );
  },
  info: async ({ words, store }) => {
    const reference = parseReference(required(words[0], 'info needs a name'));
    const details = await inspectImage(store.layout, await store.resolve(reference), reference);
    process.stdout.write(`${JSON.stringify(details, undefined, 2)}\n`);
  },
  rm: async ({ words, store }) => {
    required(words[0], 'rm needs names');
    for (const word of words) await store.remove(parseReference(word));
  },
  prune: async ({ values, store }) => {
    const pruned = await store.prune();
    print(
      values,
      () => pruned,
      () => `${pruned.blobs} blobs with ${pruned.bytes} bytes removed\n`,
    );
  },
  export: async ({ words, store }) => {
    const file = required(words[1], 'export needs a name and a file');
    await store.exportArchive([parseReference(words[0] ?? '')], file);
  },
  import: async ({ words, values, store }) => {
    const images = await store.importArchive(required(words[0], 'import needs a file'));
    const names = images.map(({ reference }) => formatReference(reference));
    print(
      values,
      () => names,
      () => `${names.join('\n')}\n`,
    );
  },
  update: async ({ words, values, client, store }) => {
    const { updated, skipped } = await updateCatalog(client, words[0] ?? 'unikraft.org', store);
    print(
      values,
      () => ({ updated: updated.map(formatReference), skipped: skipped.map(formatReference) }),
      () => `${updated.length} images known, ${skipped.length} others passed over\n`,
    );
  },
};

/** Which platforms and architectures are meant: this host's architecture, unless told otherwise. */
function filterOf({ all, plat, arch }: Values): CatalogFilter {
  const architecture = arch ?? (all === true ? undefined : hostArchitecture());
  return {
    ...(plat === undefined ? {} : { platform: plat }),
    ...(architecture === undefined ? {} : { architecture }),
  };
}

function required(word: string | undefined, message: string): string {
  if (word === undefined) throw new UsageFault(message);
  return word;
}

function print({ json }: Values, data: () => unknown, text: () => string): void {
  process.stdout.write(json === true ? `${JSON.stringify(data(), undefined, 2)}\n` : text());
}
