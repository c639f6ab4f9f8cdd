import { mkdirSync, rmSync } from 'node:fs';
import { dirname, isAbsolute, resolve } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Converted, copyCpio, type LargeFile } from '@nx-kraft/archive';
import { hasErrorCode, replaceAtomically } from '@nx-kraft/base';
import { type Detected, detectSource, type SourceKind, type SourceType } from './detect.ts';
import { buildFolder } from './build-folder.ts';
import { pathsBelow, readTree } from './directory.ts';
import { copyErofs } from './erofs.ts';
import type { DockerfileOptions, PassedOver } from './dockerfile/build.ts';
import type { BuilderName } from './dockerfile/builders.ts';
import { platformOf } from './dockerfile/platform.ts';
import { RootfsFault } from './fault.ts';
import { type ImageDefaults, type ImageSource, unpackImage } from './image.ts';
import { openLayoutImage } from './images.ts';
import type { Modes } from './modes.ts';
import { createOutput, type Output, type OutputOptions, type RootfsFormat } from './output.ts';
import { readTar } from './tar-file.ts';

export interface RootfsRequest extends OutputOptions, DockerfileOptions {
  /** A path, absolute or relative to `baseDirectory`, or an image reference: a Kraftfile's `rootfs` or `source`. */
  readonly source: string;
  /** What the source is, where it should not be guessed. */
  readonly type?: SourceType | undefined;
  /** Default `cpio`. */
  readonly format?: RootfsFormat | undefined;
  /** Absolute: usually the Kraftfile's directory. */
  readonly baseDirectory: string;
  /** With a directory as source of type `dockerfile`: the Dockerfile's path below it (default `Dockerfile`). */
  readonly dockerfile?: string | undefined;
  /** For files of this machine's disk (default `git`). */
  readonly modes?: Modes;
  /** Called for each line of progress. */
  readonly onLine?: (line: string) => void;
}

export interface Rootfs {
  /** Absolute path of the output. */
  readonly path: string;
  readonly format: RootfsFormat;
  /** `sha256:` and hex digits, if it was asked for. */
  readonly digest: string | undefined;
  /** Bytes. */
  readonly size: number;
  readonly entries: number;
  /** The ten largest files, largest first. */
  readonly largest: readonly LargeFile[];
  readonly kind: SourceKind;
  /** What people should know, as sentences. */
  readonly warnings: readonly string[];
  /** What the image says of running it; only of Dockerfiles and images. */
  readonly config?: RunDefaults;
  /** Who built the Dockerfile. */
  readonly builder?: BuilderName;
  /** The builders that were not used, and why. */
  readonly passedOver?: readonly PassedOver[];
  /** Files of the context that the builder was shown, relative to it; undefined when it does not tell. */
  readonly reads?: readonly string[] | undefined;
}

/** Empty lists where the image says nothing. */
export interface RunDefaults {
  readonly cmd: readonly string[];
  readonly entrypoint: readonly string[];
  /** `NAME=value` */
  readonly env: readonly string[];
}

/**
 * Makes a root file system: one CPIO newc archive or EROFS image at `output`, which appears whole or not at all. The
 * same tree gives the same bytes by every route and on every machine; a CPIO archive or EROFS image that is given is
 * checked and passed through. One that is stopped by its signal leaves nothing, and fails with whatever ended then.
 *
 * @param output  path, absolute or relative to `baseDirectory`
 * @throws RootfsFault, ArchiveFault, ProgramFault
 */
export async function buildRootfs(request: RootfsRequest, output: string): Promise<Rootfs> {
  const path = resolve(request.baseDirectory, output);
  const detected = detectSource(request.source, request.baseDirectory, request.type);
  const format = formatFor(detected, request.format);
  request.onLine?.(`${request.source}: ${detected.kind}, since ${detected.because}`);
  try {
    const write = async (temporary: string): Promise<Made> => {
      const made = await make(detected, request, path, temporary, format);
      await throwIfStopped(request.signal);
      return made;
    };
    const made = await replaceAtomically(path, write, { sweep: true });
    return { path, format, kind: detected.kind, ...made };
  } catch (error) {
    throw asFault(error, path);
  }
}

/** What was written in one go has heard of no signal of this process: those come one turn of the event loop later. */
async function throwIfStopped(signal: AbortSignal | undefined): Promise<void> {
  // The first turn may be the one that goes on now.
  for (let turn = 0; signal !== undefined && turn < 2; turn++) await nextTurn();
  signal?.throwIfAborted();
}

type Made = Omit<Rootfs, 'path' | 'format' | 'kind'>;

async function make(
  { kind, location, context }: Detected,
  request: RootfsRequest,
  path: string,
  temporary: string,
  format: RootfsFormat,
): Promise<Made> {
  const { digest = false } = request;
  const output = createOutput(temporary, format, request);
  const outputs = [path, temporary, resolve(request.baseDirectory, buildFolder)] as const;
  switch (kind) {
    case 'cpio':
      return copyCpio(location, temporary, { digest });
    case 'erofs':
      return { ...copyErofs(location, temporary, { digest }), warnings: [] };
    case 'tar':
      return withWarnings(await output.tar((take) => readTar(location, take), location));
    case 'directory':
      return withWarnings(await fromDirectory(location, request, output, outputs));
    case 'dockerfile':
      return fromDockerfile(location, { context, ...request }, output, outputs);
    case 'image':
      return fromImage(location, request, output, temporary);
  }
}

async function fromDockerfile(
  location: string,
  request: RootfsRequest,
  output: Output,
  outputs: readonly [path: string, temporary: string, ...others: string[]],
): Promise<Made> {
  return withScratch(outputs[1], async (scratch) => {
    const place = {
      path: request.dockerfile === undefined ? location : resolve(dirname(location), request.dockerfile),
      baseDirectory: request.baseDirectory,
      owners: request.owners ?? 'root',
      modes: request.modes ?? 'git',
      outputs: [...outputs, scratch],
      scratch,
      onLine: request.onLine ?? (() => undefined),
    };
    // Most file systems are made of other things, and it loads as much as all else.
    const { buildDockerfile } = await import('./dockerfile/build.ts');
    const { converted, config, ...build } = await buildDockerfile(place, request, output);
    const made = withWarnings(converted);
    return { ...made, ...build, config: configOf(config), warnings: [...made.warnings, ...build.warnings] };
  });
}

async function fromImage(reference: string, request: RootfsRequest, output: Output, temporary: string): Promise<Made> {
  const platform = request.platform ?? platformOf(request.architecture);
  const image = isAbsolute(reference)
    ? await openLayoutImage(reference, platform)
    : await imagesOf(request, reference).open(reference, platform);
  return withScratch(temporary, async (scratch) => {
    const { root, leftOut } = await unpackImage(image, reference, scratch, request.owners ?? 'root');
    return { ...withWarnings(await output.tree(root, leftOut)), config: configOf(image.config) };
  });
}

function imagesOf({ images }: RootfsRequest, reference: string): ImageSource {
  if (images !== undefined) return images;
  throw new RootfsFault('IMAGE_UNAVAILABLE', `nobody was named who could give the image ${reference}`, {
    at: reference,
    hint: 'If a file was meant, correct its path: there is none of that name.',
  });
}

async function withScratch<T>(temporary: string, work: (scratch: string) => Promise<T>): Promise<T> {
  const scratch = `${temporary}.scratch`;
  mkdirSync(scratch, { mode: 0o700 });
  try {
    return await work(scratch);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function configOf({ Cmd, Entrypoint, Env }: ImageDefaults): RunDefaults {
  return { cmd: Cmd ?? [], entrypoint: Entrypoint ?? [], env: Env ?? [] };
}

function withWarnings({ leftOut, ...made }: Converted): Made {
  return { ...made, warnings: leftOut.map(({ name, kind }) => `${name} is a ${kind}: it was left out.`) };
}

async function fromDirectory(
  location: string,
  request: RootfsRequest,
  output: Output,
  outputs: readonly string[],
): Promise<Converted> {
  const ours = pathsBelow(location, outputs);
  const { root, leftOut } = readTree(location, {
    ...request,
    exclude: (name) => name === buildFolder || ours.has(name),
  });
  return output.tree(root, leftOut);
}

function formatFor({ kind, location }: Detected, format: RootfsFormat | undefined): RootfsFormat {
  const given = kind === 'cpio' || kind === 'erofs' ? kind : undefined;
  if (given === undefined || format === undefined || given === format) return format ?? given ?? 'cpio';
  throw new RootfsFault('SOURCE_MISMATCH', `${location} is ${given} already and cannot become ${format}`, {
    at: location,
    hint: `Write "format: ${given}", or give the directory that it was made from.`,
  });
}

function asFault(error: unknown, path: string): unknown {
  if (!hasErrorCode(error, 'ENOSPC', 'EDQUOT')) return error;
  return new RootfsFault('DISK_FULL', `the disk is full; the root file system was not written`, {
    at: path,
    hint: `Make room on the disk that holds ${dirname(path)}.`,
    cause: error,
  });
}
