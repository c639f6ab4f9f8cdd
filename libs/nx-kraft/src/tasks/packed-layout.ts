import { join } from 'node:path';
import { hasErrorCode } from '@nx-kraft/base';
import { imageName } from '@nx-kraft/kraftfile/outputs';
import { type Descriptor, Layout, type Reference, type Root, annotationKeys, parseReference } from '@nx-kraft/oci';
import { type Kraftproject, ProjectFault } from './kraftproject.ts';

/** What the package task has left. */
export interface PackedLayout {
  readonly layout: Layout;
  readonly root: Root;
  /** All names that it was packed under. */
  readonly names: readonly [Reference, ...(readonly Reference[])];
}

/** Opens what was packed for a Kraftfile. @throws ProjectFault KRAFTFILE_NOT_BUILT */
export async function openPackedLayout({ file, folder, kraftfile }: Kraftproject): Promise<PackedLayout> {
  const layout = await openLayout(join(folder, imageName(kraftfile)));
  const roots = (await layout?.roots()) ?? [];
  const [first, ...others] = roots.flatMap((descriptor) => {
    const name = nameOf(descriptor);
    return name === undefined ? [] : [{ descriptor, name }];
  });
  if (layout === undefined || first === undefined) {
    throw new ProjectFault('KRAFTFILE_NOT_BUILT', 'it has not been packed', {
      at: file,
      hint: 'Run its task package.',
    });
  }
  const { descriptor } = first;
  const root = { descriptor, bytes: await layout.readBlob(descriptor.digest) };
  return { layout, root, names: [first.name, ...others.map(({ name }) => name)] };
}

function nameOf({ annotations }: Descriptor): Reference | undefined {
  const name = annotations?.[annotationKeys.containerdName];
  return name === undefined ? undefined : parseReference(name);
}

async function openLayout(folder: string): Promise<Layout | undefined> {
  try {
    return await Layout.open(folder);
  } catch (error) {
    if (hasErrorCode(error, 'LAYOUT_INVALID')) return undefined;
    throw error;
  }
}
