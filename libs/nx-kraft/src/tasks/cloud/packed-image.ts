import { join } from 'node:path';
import type { ImageFacts, Settings, Token } from '@nx-kraft/cloud';
import { imageName } from '@nx-kraft/kraftfile';
import { Layout, type Root, isWanted, listEntries, parseReference, pushImage, readImage } from '@nx-kraft/oci';
import { type Kraftproject, ProjectFault } from '../kraftproject.ts';
import { openRegistries } from '../registry.ts';
import { cloudRegistry } from './connect.ts';

/** The packed image of a project, as it is deployed. */
export interface PackedImage {
  readonly facts: ImageFacts;
  /** Brings it to the registry, and gives its name there. What the registry has is not sent again. */
  push(): Promise<string>;
}

/** Platform and architecture of what runs on Unikraft Cloud. */
const wanted = { platform: 'kraftcloud', architecture: 'x86_64' } as const;

/** @throws ProjectFault KRAFTFILE_NOT_BUILT, KRAFTFILE_NO_TARGET when it was not built for the cloud */
export async function openPackedImage(
  { file, folder, kraftfile }: Kraftproject,
  { image, registry = cloudRegistry, plainHttp = false }: Settings,
  token: Token,
): Promise<PackedImage> {
  const layout = await Layout.open(join(folder, imageName(kraftfile)));
  const [descriptor] = await layout.roots();
  if (descriptor === undefined) {
    throw new ProjectFault('KRAFTFILE_NOT_BUILT', 'it has not been packed', {
      at: file,
      hint: 'Run its task package.',
    });
  }
  const root = { descriptor, bytes: await layout.readBlob(descriptor.digest) };
  const entry = (await listEntries(layout, root)).find(({ platform }) => isWanted(platform, wanted));
  if (entry === undefined) {
    const target = `${wanted.platform}/${wanted.architecture}`;
    throw new ProjectFault('KRAFTFILE_NO_TARGET', `it is not built for Unikraft Cloud: it has no target ${target}`, {
      at: file,
      hint: `Add it: nx-kraft target add ${file} ${target}`,
    });
  }
  const { manifest, config } = await readImage(layout, entry.digest);
  const { Cmd = [], Env = [], Labels = {} } = config.config;
  const name = image ?? `${token.account}/${kraftfile.name.toLowerCase()}`;
  return {
    facts: {
      reference: `${name.replace(/^official\//, '')}@${descriptor.digest}`,
      size: manifest.layers.reduce((sum, { size }) => sum + size, 0),
      args: Cmd,
      env: Object.fromEntries(Env.map((line) => [line.replace(/=.*/s, ''), line.replace(/^[^=]*=?/, '')])),
      labels: Labels,
    },
    push: () => push(layout, root, `${registry}/${name}:latest`, { registry, plainHttp, token }),
  };
}

async function push(
  layout: Layout,
  root: Root,
  name: string,
  { registry, plainHttp, token }: { registry: string; plainHttp: boolean; token: Token },
): Promise<string> {
  // The token is the log-in of the cloud's own registry, and of nobody else's.
  const isOwn = registry === cloudRegistry || registry.endsWith('.unikraft.cloud');
  const own = (host: string) => Promise.resolve(isOwn && host === registry ? token.login : undefined);
  const client = openRegistries({ plainHttp: plainHttp ? [registry] : [] }, own);
  try {
    const pushed = await pushImage(client, layout, root, parseReference(name));
    return `${pushed.reference}@${pushed.digest}`;
  } finally {
    client.close();
  }
}
