import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { KernelRun } from '@nx-kraft/machine';
import { buildRootfs } from '@nx-kraft/rootfs/build';
import { baseImages } from './base-images.ts';
import { initrdOf } from './initrd-mount.ts';
import { readConfig } from './plan-image.ts';
import type { SubjectOptions } from './plan-subject.ts';
import { commandOf, nothingSaid } from './run-defaults.ts';
import { keptFor, markUsed, pruneRunCache, runCacheFolder } from './run-cache.ts';
import { sourceDateEpoch } from './task.ts';

/**
 * The machine with a root file system of any source, made now, in place of the one that it has. What an image or Dockerfile
 * says of running it holds where nothing else does.
 *
 * @throws RootfsFault, OciFault, RegistryFault
 */
export async function withRootfs(run: KernelRun, source: string, options: SubjectOptions): Promise<KernelRun> {
  await mkdir(runCacheFolder(), { recursive: true });
  const temporary = join(runCacheFolder(), `.${randomUUID()}.cpio`);
  try {
    const request = {
      source,
      baseDirectory: resolve(),
      time: sourceDateEpoch(),
      images: await baseImages(undefined, options),
    };
    const { onLine = () => undefined } = options;
    const { config = nothingSaid } = await buildRootfs(
      { ...request, architecture: run.architecture, onLine },
      temporary,
    );
    const hash = createHash('sha256');
    await pipeline(createReadStream(temporary), hash);
    const initrd = join(dirname(temporary), `${hash.digest('hex')}.cpio`);
    await rename(temporary, initrd);
    await markUsed(initrd);
    await pruneRunCache(keptFor);
    const { args, env } = commandOf(config);
    return {
      ...run,
      ...initrdOf(initrd, await readConfig(run.kernel)),
      args: run.args === undefined || run.args.length === 0 ? args : run.args,
      env: { ...env, ...run.env },
    };
  } finally {
    await rm(temporary, { force: true });
  }
}
