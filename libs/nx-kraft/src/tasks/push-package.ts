import { join } from 'node:path';
import { imageName } from '@nx-kraft/kraftfile';
import {
  BlobSources,
  ImageStore,
  Layout,
  RegistryClient,
  annotationKeys,
  parseReference,
  pushImage,
} from '@nx-kraft/oci';
import { ProjectFault, loadKraftproject } from './kraftproject.ts';
import { tell } from './task.ts';

export interface PushOptions {
  /** The Kraftfile, relative to the workspace. */
  readonly kraftfile: string;
  /** Where the image goes; default: the name that it was packed under. */
  readonly name?: string;
  readonly plainHttp?: readonly string[];
  readonly insecure?: readonly string[];
}

/** Pushes what was packed for a Kraftfile; what the registry has already is not sent again. */
export async function pushPackage(workspaceRoot: string, options: PushOptions): Promise<void> {
  const { file, folder, kraftfile } = await loadKraftproject(workspaceRoot, options.kraftfile);
  const layout = await Layout.open(join(folder, imageName(kraftfile)));
  const [descriptor] = await layout.roots();
  const name = options.name ?? descriptor?.annotations?.[annotationKeys.containerdName];
  if (descriptor === undefined || name === undefined) {
    throw new ProjectFault('KRAFTFILE_NOT_BUILT', 'it has not been packed', {
      at: file,
      hint: 'Run its task package.',
    });
  }
  const client = new RegistryClient({ plainHttp: options.plainHttp ?? [], insecure: options.insecure ?? [] });
  try {
    const root = { descriptor, bytes: await layout.readBlob(descriptor.digest) };
    let sent = 0;
    const pushed = await pushImage(client, layout, root, parseReference(name), {
      sources: new BlobSources(await ImageStore.open()),
      onBlob: (_blob, outcome) => (sent += outcome === 'sent' ? 1 : 0),
    });
    tell(`${pushed.reference}@${pushed.digest}`);
    tell(pushed.wasThere ? 'it was there already' : `${sent} ${sent === 1 ? 'blob' : 'blobs'} sent`);
  } finally {
    client.close();
  }
}
