import {
  type CatalogRow,
  KraftStore,
  type ImageStore,
  type RegistryClient,
  catalogColumns,
  formatReference,
  formatTable,
  listKraftStore,
  listRegistry,
  listRemote,
  listStore,
  parseReference,
  tableRecords,
  updateCatalog,
} from '@nx-kraft/oci';
import { type Values, command } from '../command.ts';
import { componentOptions, isAboutComponents, listedComponents } from '../components.ts';
import { filterOf, outputOptions, platformOptions, registryOptions, show, withRegistries } from './options.ts';

const options = {
  ...platformOptions,
  remote: { type: 'boolean', short: 'u', summary: 'what a registry has now, of a name or of all' },
  update: { type: 'boolean', short: 'U', summary: 'lists after an update' },
  kraft: { type: 'boolean', summary: 'what the store of kraft has' },
  ...componentOptions,
  ...registryOptions,
  ...outputOptions,
} as const;

export const ls = command({
  arguments: '[PATTERN]',
  options,
  notes: 'Images are apps: --apps lists both those of the store and those that have sources. * stands for anything.',
  run: async ({ values, words: [pattern] }) => {
    const isComponents = isAboutComponents(values, [pattern]);
    const components = isComponents ? await listedComponents(values, pattern) : undefined;
    const rows = !isComponents || values.apps === true ? await listImages(values, pattern) : [];
    const tables = [
      ...(components === undefined ? [] : [components.text.trimEnd()]),
      ...(components === undefined || rows.length > 0 ? [tableOf(rows)] : []),
    ];
    await show(
      values,
      [...(components?.data ?? []), ...tableRecords(catalogColumns, rows)],
      () => tables.join('\n\n'),
      () => [
        ...(components?.data ?? []).map(({ type, name }) => `${type}/${name}`),
        ...new Set(rows.map(({ reference }) => formatReference(reference))),
      ],
    );
    return undefined;
  },
});

async function listImages(values: Values<typeof options>, pattern: string | undefined): Promise<readonly CatalogRow[]> {
  let rows: readonly CatalogRow[] = [];
  await withRegistries(values, async (client, store) => {
    const [registry, name] = splitPattern(pattern);
    if (values.update === true) await updateCatalog(client, registry, store);
    const filter = { ...filterOf(values), ...(name === undefined ? {} : { name }) };
    if (values.remote === true) rows = await listFrom(client, store, pattern, filterOf(values));
    else rows = values.kraft === true ? await listKraftStore(new KraftStore(), filter) : await listStore(store, filter);
  });
  return rows;
}

/** One name is looked up; for all, or a pattern, the registry is asked for its catalogue. */
async function listFrom(
  client: RegistryClient,
  store: ImageStore,
  pattern: string | undefined,
  filter: ReturnType<typeof filterOf>,
): Promise<readonly CatalogRow[]> {
  const [registry, name] = splitPattern(pattern);
  if (name !== undefined && !/[*?]/.test(name)) return listRemote(client, [parseReference(name)], store, filter);
  return listRegistry(client, registry, store, { ...filter, ...(name === undefined ? {} : { name }) });
}

/** The registry that a pattern is about, and the pattern for names; `localhost:5000/` is all of a registry. */
function splitPattern(pattern: string | undefined): readonly [string, string | undefined] {
  const [, registry = 'unikraft.org', rest = pattern] = /^([^/]*[.:][^/]*|localhost)\/(.*)$/.exec(pattern ?? '') ?? [];
  return [registry, rest === '' ? `${registry}/*` : pattern];
}

function tableOf(rows: readonly CatalogRow[]): string {
  return formatTable(catalogColumns, rows, process.stdout.columns || Infinity);
}
