import type { Filesystem, Kraftfile } from '@nx-kraft/kraftfile';
import type { InputsRequest } from '@nx-kraft/rootfs';
import type { RootfsTaskOptions } from './make-rootfs.ts';
import { optionsOfRom, type RomOptions } from './rom-options.ts';

export type AnyFilesystem = Filesystem & { readonly isRom: boolean };

/** The root file system of a Kraftfile, and its read-only images. */
export function filesystemsOf({ rootfs, roms }: Pick<Kraftfile, 'rootfs' | 'roms'>): readonly AnyFilesystem[] {
  return [
    ...(rootfs === undefined ? [] : [{ ...rootfs, isRom: false }]),
    ...roms.map((rom) => ({ ...rom, isRom: true })),
  ];
}

/**
 * All that the file systems of a Kraftfile may be made from: a Dockerfile may take something else for each architecture and
 * with each of the options that its task may get.
 *
 * @param targets  with their architectures
 * @param variants  options of the task that makes them, as somebody wrote them
 */
export function filesystemRequests(
  filesystems: readonly AnyFilesystem[],
  targets: readonly { readonly architecture: string }[],
  variants: readonly Readonly<Record<string, unknown>>[],
): readonly Omit<InputsRequest, 'baseDirectory'>[] {
  const architectures = targets.length === 0 ? [undefined] : [...new Set(targets.map((target) => target.architecture))];
  return filesystems.flatMap(({ isRom, ...filesystem }) =>
    variants
      .map(decidingOptions)
      .map((options) => (isRom ? optionsOfRom(options, filesystem.source) : options))
      .flatMap((options) => architectures.map((architecture) => ({ ...filesystem, architecture, ...options }))),
  );
}

/** The options that decide what is read, as far as they are of the form that the task's schema asks for: Nx tells of others. */
function decidingOptions(options: Readonly<Record<string, unknown>>): RootfsTaskOptions {
  const { context, target, platform, buildArgs, buildContexts, roms } = options;
  return {
    ...{ context: asText(context), target: asText(target), platform: asText(platform) },
    ...{ buildArgs: asTexts(buildArgs), buildContexts: asTexts(buildContexts) },
    roms: Object.fromEntries(
      entriesOf(roms).flatMap(([source, own]) => (isObject(own) ? [[source, romOptions(own)]] : [])),
    ),
  };
}

function romOptions({ context, target, buildArgs }: Readonly<Record<string, unknown>>): RomOptions {
  return { context: asText(context), target: asText(target), buildArgs: asTexts(buildArgs) };
}

function asText(value: unknown): string | undefined {
  return ['string', 'number', 'boolean'].includes(typeof value) ? String(value) : undefined;
}

function asTexts(value: unknown): Readonly<Record<string, string>> {
  return Object.fromEntries(
    entriesOf(value).flatMap(([name, item]) => {
      const text = asText(item);
      return text === undefined ? [] : [[name, text]];
    }),
  );
}

function entriesOf(value: unknown): readonly [string, unknown][] {
  return isObject(value) ? Object.entries(value) : [];
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
