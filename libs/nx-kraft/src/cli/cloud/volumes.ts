import { rm, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type CloudVolume, importVolume, parseMebibytes } from '@nx-kraft/cloud';
import type { Column } from '@nx-kraft/oci';
import { buildRootfs } from '@nx-kraft/rootfs/build';
import { connectCloud } from '../../tasks/cloud/connect.ts';
import { imagesWhenNeeded } from '../../tasks/images-when-needed.ts';
import { cleanUpOnSignal } from '../clean-up-on-signal.ts';
import { type Group, command, print } from '../command.ts';
import { collectionCommands, tellNames } from './collection.ts';
import { cloudOptions, wholeNumber } from './options.ts';

const columns: readonly Column<CloudVolume>[] = [
  { heading: 'NAME', value: ({ name }) => name, canShrink: true },
  { heading: 'CREATED AT', value: ({ created_at: at }) => at ?? '' },
  { heading: 'SIZE', value: ({ size_mb: size }) => `${size ?? 0} MiB` },
  { heading: 'ATTACHED TO', value: ({ attached_to: to }) => namesOf(to), canShrink: true },
  { heading: 'MOUNTED BY', value: ({ mounted_by: by }) => namesOf(by), canShrink: true },
  { heading: 'STATE', value: ({ state }) => state ?? '' },
  { heading: 'PERSISTENT', value: ({ persistent }) => String(persistent ?? true) },
];

function isFree({ attached_to: to }: CloudVolume): boolean {
  return (to ?? []).length === 0;
}

function namesOf(instances: CloudVolume['attached_to']): string {
  return (instances ?? []).map(({ name, uuid }) => name ?? uuid ?? '').join(', ');
}

const create = command({
  options: {
    ...cloudOptions,
    name: { type: 'string', short: 'n', value: 'NAME', summary: 'default: the metro chooses one' },
    size: { type: 'string', short: 's', value: 'AMOUNT', required: true, summary: '512Mi, 1Gi, or a number of MiB' },
  },
  run: async ({ values }) => {
    const { volumes } = await connectCloud(values.metro);
    const created = await volumes.create(parseMebibytes(values.size ?? ''), values.name);
    tellNames(values, created);
    return 0;
  },
});

const attach = command({
  arguments: 'VOLUME',
  options: {
    ...cloudOptions,
    to: { type: 'string', value: 'INSTANCE', required: true, summary: 'a stopped instance' },
    at: { type: 'string', value: '/PATH', required: true, summary: 'where it is mounted' },
    'read-only': { type: 'boolean', short: 'r', summary: 'nothing is written' },
  },
  run: async ({ values, words: [volume] }) => {
    const { volumes } = await connectCloud(values.metro);
    const { to = '', at = '' } = values;
    const changed = await volumes.attach(volume, to, at, values['read-only'] === true);
    print(values, changed, () => `${volume} is attached to ${to} at ${at}`);
    return 0;
  },
});

const detach = command({
  arguments: 'VOLUME',
  options: {
    ...cloudOptions,
    from: { type: 'string', value: 'INSTANCE', summary: 'default: all that it is attached to' },
  },
  run: async ({ values, words: [volume] }) => {
    const changed = await (await connectCloud(values.metro)).volumes.detach(volume, values.from);
    print(values, changed, () => `${volume} is detached`);
    return 0;
  },
});

const bring = command({
  options: {
    ...cloudOptions,
    volume: { type: 'string', short: 'v', value: 'VOLUME', required: true, summary: 'which volume' },
    source: {
      type: 'string',
      short: 's',
      value: 'SOURCE',
      summary: 'a folder (default: this one), archive, Dockerfile or image',
    },
    force: { type: 'boolean', short: 'f', summary: 'tries although there seems to be too little room' },
    image: { type: 'string', value: 'IMAGE', summary: 'what writes the volume' },
    timeout: { type: 'string', short: 't', value: 'SECONDS', summary: 'after which that gives up (10)' },
  },
  notes: 'An instance is started for it, and removed again.',
  run: async ({ values }) => {
    const { volume = '', source = '.', image, timeout } = values;
    const cloud = await connectCloud(values.metro);
    // Asked before anything is packed: that may take a while.
    await cloud.volumes.list([volume]);
    const folder = await mkdtemp(join(tmpdir(), 'nx-kraft-import-'));
    return cleanUpOnSignal(async (signal) => {
      try {
        const archive = join(folder, 'files.cpio');
        const images = imagesWhenNeeded(undefined, {}, {}, signal);
        await buildRootfs({ source, baseDirectory: resolve('.'), images, signal }, archive);
        const room = await importVolume(cloud, volume, archive, {
          signal,
          force: values.force === true,
          ...(image === undefined ? {} : { image }),
          ...(timeout === undefined ? {} : { timeout: wholeNumber('timeout', timeout) }),
          onProgress: process.stderr.isTTY ? showProgress : () => undefined,
        });
        const figures = { volume, free: Number(room.free), total: Number(room.total) };
        print(values, figures, () => `${volume}: ${toMebibytes(room.free)} of ${toMebibytes(room.total)} MiB are free`);
        return 0;
      } finally {
        await rm(folder, { recursive: true });
      }
    });
  },
});

function showProgress(sent: number, total: number): void {
  process.stderr.write(`\r${Math.floor((100 * sent) / total)} % of ${Math.ceil(total / 2 ** 20)} MiB sent`);
  if (sent >= total) process.stderr.write('\n');
}

function toMebibytes(bytes: bigint): bigint {
  return bytes >> 20n;
}

export const volume: Group = {
  commands: {
    ...collectionCommands('VOLUME', {
      columns,
      of: (cloud) => cloud.volumes,
      removable: { test: isFree, summary: 'all that are attached to nothing' },
    }),
    create: { summary: 'Creates one.', aliases: ['new'], load: () => create },
    attach: { summary: 'Attaches one to an instance.', load: () => attach },
    detach: { summary: 'Detaches one.', load: () => detach },
    import: { summary: 'Copies files from this machine onto one.', load: () => bring },
  },
  default: 'list',
};
