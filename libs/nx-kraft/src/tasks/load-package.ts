import {
  ImageStore,
  KraftStore,
  type Reference,
  exportToContainerd,
  formatReference,
  listEntries,
  parseReference,
} from '@nx-kraft/oci';
import { loadKraftproject } from './kraftproject.ts';
import { openPackedLayout } from './packed-layout.ts';
import { type AskedStrategy, settleStrategy } from './strategy.ts';
import { tell } from './task.ts';

export interface LoadOptions {
  /** The Kraftfile, relative to the workspace. */
  readonly kraftfile: string;
  /** The image's name there; default: all names that it was packed under. */
  readonly name?: string;
  readonly to?: 'store' | 'kraft' | 'containerd';
  readonly strategy?: AskedStrategy;
}

/** Takes what was packed for a Kraftfile into the images of this machine, and from there to kraft or containerd. */
export async function loadPackage(workspaceRoot: string, options: LoadOptions): Promise<void> {
  const packed = await openPackedLayout(await loadKraftproject(workspaceRoot, options.kraftfile));
  const names = options.name === undefined ? packed.names : [parseReference(options.name)];
  const store = await ImageStore.open();
  for (const reference of names) {
    const name = formatReference(reference);
    const strategy = await settleStrategy(options.strategy, name, async () => {
      const existing = await store.find(reference);
      return existing !== undefined && existing.digest !== packed.root.descriptor.digest;
    });
    const { descriptor } = await store.addLayout(packed.layout.folder, { reference, strategy });
    await handOn(store, reference, options.to);
    tell(`${name}@${descriptor.digest}`);
  }
}

async function handOn(store: ImageStore, reference: Reference, to: LoadOptions['to']): Promise<void> {
  if (to === 'containerd') return exportToContainerd(store, reference);
  if (to !== 'kraft') return;
  const root = await store.resolve(reference);
  await new KraftStore().add(store.layout, root, await listEntries(store.layout, root), reference);
}
