import { stat } from 'node:fs/promises';
import {
  ImageStore,
  KraftStore,
  OciFault,
  Repository,
  type Reference,
  type StoredImage,
  exportToContainerd,
  formatDetails,
  formatReference,
  importFromContainerd,
  inspectImage,
  listEntries,
  parseReference,
} from '@nx-kraft/oci';
import { pruneRunCache } from '../../tasks/run-cache.ts';
import { settleStrategy } from '../../tasks/strategy.ts';
import { cleanUpOnSignal } from '../clean-up-on-signal.ts';
import { command, jsonOption, print } from '../command.ts';
import { componentOptions, isAboutComponents, runComponentAction } from '../components.ts';
import { UsageFault } from '../usage-fault.ts';
import { outputOptions, registryOptions, show, withRegistries } from './options.ts';
import { strategyOption } from './transfer.ts';

export const info = command({
  arguments: 'NAME',
  options: {
    remote: { type: 'boolean', short: 'u', summary: 'asks the registry instead of the store' },
    ...componentOptions,
    ...registryOptions,
    ...outputOptions,
  },
  run: async ({ values, words: [name] }) => {
    if (isAboutComponents(values, [name])) return runComponentAction('info', values, [name]);
    const reference = parseReference(name);
    return withRegistries(values, async (client, store) => {
      const repository = new Repository(client, reference);
      const source = values.remote === true ? repository : store.layout;
      const root = await (values.remote === true
        ? repository.resolve(reference.digest ?? reference.tag ?? 'latest')
        : store.resolve(reference));
      const details = await inspectImage(source, root, reference);
      await show(
        values,
        details,
        () => formatDetails(details),
        () => details.manifests.map(({ digest }) => digest),
      );
    });
  },
});

export const rm = command({
  arguments: '[NAME…]',
  options: { all: { type: 'boolean', short: 'a', summary: 'all images of the store' }, ...jsonOption },
  run: async ({ values, words }) => {
    if ((words.length === 0) !== (values.all === true)) throw new UsageFault('rm needs either names or --all');
    const store = await ImageStore.open();
    const names = values.all === true ? (await store.images()).map(({ reference }) => reference) : words.map(read);
    for (const name of names) await store.remove(name);
    print(values, { removed: names.map(formatReference) }, () => '');
    return 0;
  },
});

export const tag = command({
  arguments: 'NAME OTHER',
  options: jsonOption,
  run: async ({ values, words: [name, other] }) => {
    const reference = read(other);
    await (await ImageStore.open()).tag(read(name), reference);
    print(values, { reference: formatReference(reference) }, () => '');
    return 0;
  },
});

/** How long (milliseconds) what was unpacked is let be: a run may be about to start from it. */
const unusedFor = 3600_000;

export const prune = command({
  options: jsonOption,
  notes:
    'Goes with what is in no image of the store: files that nx-kraft run has unpacked, where no machine needs them and\nnobody used them for an hour. A run that unpacks more removes what nobody has used for a week.',
  run: async ({ values }) => {
    const pruned = await (await ImageStore.open()).prune();
    const unpacked = await pruneRunCache(unusedFor);
    print(values, { ...pruned, unpacked }, () =>
      [
        `${pruned.blobs} blobs with ${pruned.bytes} bytes removed`,
        `${unpacked.entries} unpacked images and root file systems with ${unpacked.bytes} bytes removed`,
      ].join('\n'),
    );
    return 0;
  },
});

const elsewhereOptions = {
  kraft: { type: 'boolean', summary: 'the store of kraft, instead of a file' },
  containerd: { type: 'boolean', summary: 'containerd, by its own command, instead of a file' },
} as const;

export const exportImage = command({
  arguments: 'NAME [FILE]',
  options: { ...elsewhereOptions, ...jsonOption },
  run: async ({ values, words: [name, file] }) => {
    checkPlaces(values, file);
    const store = await ImageStore.open();
    const reference = read(name);
    if (values.kraft === true) {
      const root = await store.resolve(reference);
      await new KraftStore().add(store.layout, root, await listEntries(store.layout, root), reference);
    } else if (values.containerd === true) {
      await cleanUpOnSignal((signal) => exportToContainerd(store, reference, { signal }));
    } else await cleanUpOnSignal(() => store.exportArchive([reference], file ?? ''));
    print(values, { reference: formatReference(reference), ...(file === undefined ? {} : { file }) }, () => '');
    return 0;
  },
});

export const importImages = command({
  arguments: '[FILE] [NAME]',
  options: { ...elsewhereOptions, ...strategyOption, ...jsonOption },
  notes:
    'FILE is an .oci.tar or an image layout, such as the package task makes; --kraft and --containerd take a NAME.',
  run: async ({ values, words: [file, other] }) => {
    if (file === undefined) throw new UsageFault('import needs a file, or a name with --kraft or --containerd');
    const store = await ImageStore.open();
    const names = await importFrom(store, file, other === undefined ? undefined : read(other), values);
    print(values, names.map(formatReference), () => names.map(formatReference).join('\n'));
    return 0;
  },
});

interface ImportValues {
  readonly kraft?: boolean | undefined;
  readonly containerd?: boolean | undefined;
  readonly strategy?: Parameters<typeof settleStrategy>[0];
}

async function importFrom(
  store: ImageStore,
  file: string,
  other: Reference | undefined,
  { kraft, containerd, strategy }: ImportValues,
): Promise<readonly Reference[]> {
  const options = {
    ...(other === undefined ? {} : { reference: other }),
    strategy: (name: Reference, digest: string) =>
      settleStrategy(strategy, formatReference(name), async () => {
        const existing = await store.find(name);
        return existing !== undefined && existing.digest !== digest;
      }),
  };
  const namesOf = (images: readonly StoredImage[]) => images.map(({ reference }) => reference);
  if (containerd === true) {
    return namesOf(await cleanUpOnSignal((signal) => importFromContainerd(store, read(file), { ...options, signal })));
  }
  if (kraft === true) {
    const source = new KraftStore();
    const image = await source.find(read(file));
    if (image === undefined) throw missingInKraft(file, source.folder);
    return namesOf([await store.add(source, image, other ?? image.reference, options)]);
  }
  if (!(await stat(file)).isDirectory()) return namesOf(await store.importArchive(file, options));
  return namesOf([await store.addLayout(file, options)]);
}

function checkPlaces({ kraft, containerd }: ImportValues, file: string | undefined): void {
  const places = [kraft === true, containerd === true, file !== undefined].filter(Boolean);
  if (places.length !== 1) throw new UsageFault('it goes either to a file, or to --kraft or --containerd');
}

function missingInKraft(name: string, folder: string): OciFault {
  return new OciFault('IMAGE_MISSING', `${name} is not in the store of kraft`, {
    at: folder,
    hint: '"nx-kraft pkg ls --kraft --all" tells what there is.',
  });
}

function read(name: string): Reference {
  return parseReference(name);
}
