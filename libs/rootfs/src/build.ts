import { realpathSync } from 'node:fs';
import { basename, dirname, relative, resolve } from 'node:path';
import { type ByteName, type Converted, copyCpio, type LargeFile, toByteName } from '@nx-kraft/archive';
import { hasErrorCode, replaceAtomically } from '@nx-kraft/base';
import { type Detected, detectSource, type SourceKind, type SourceType } from './detect.ts';
import { readTree } from './directory.ts';
import { copyErofs } from './erofs.ts';
import { RootfsFault } from './fault.ts';
import type { Modes } from './modes.ts';
import { createOutput, type Output, type OutputOptions, type RootfsFormat } from './output.ts';
import { readTar } from './tar-file.ts';

export interface RootfsRequest extends OutputOptions {
  /** A path, absolute or relative to `baseDirectory`, or an image reference: a Kraftfile's `rootfs` or `source`. */
  readonly source: string;
  /** What the source is, where it should not be guessed. */
  readonly type?: SourceType | undefined;
  /** Default `cpio`. */
  readonly format?: RootfsFormat | undefined;
  /** Absolute: usually the Kraftfile's directory. */
  readonly baseDirectory: string;
  /** For files of this machine's disk (default `git`). */
  readonly modes?: Modes;
  /** Called for each line of progress. */
  readonly onLine?: (line: string) => void;
}

export interface Rootfs {
  /** Absolute path of the output. */
  readonly path: string;
  readonly format: RootfsFormat;
  /** `sha256:` and hex digits. */
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
  readonly entries: number;
  /** The ten largest files, largest first. */
  readonly largest: readonly LargeFile[];
  readonly kind: SourceKind;
  /** What people should know, as sentences. */
  readonly warnings: readonly string[];
}

/**
 * Makes a root file system: one CPIO newc archive or EROFS image at `output`, which appears whole or not at all. The
 * same tree gives the same bytes by every route and on every machine; a CPIO archive or EROFS image that is given is
 * checked and passed through.
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
    const made = await replaceAtomically(path, (temporary) => make(detected, request, path, temporary, format));
    return { path, format, kind: detected.kind, ...made };
  } catch (error) {
    throw asFault(error, path);
  }
}

type Made = Omit<Rootfs, 'path' | 'format' | 'kind'>;

async function make(
  { kind, location }: Detected,
  request: RootfsRequest,
  path: string,
  temporary: string,
  format: RootfsFormat,
): Promise<Made> {
  const output = createOutput(temporary, format, request);
  switch (kind) {
    case 'cpio':
      return copyCpio(location, temporary);
    case 'erofs':
      return { ...copyErofs(location, temporary), warnings: [] };
    case 'tar':
      return withWarnings(await output.tar((take) => readTar(location, take), location));
    case 'directory':
      return withWarnings(await fromDirectory(location, request, output, [path, temporary]));
    case 'dockerfile':
    case 'image':
      throw new RootfsFault('BUILDER_MISSING', `cannot build a root file system from a ${kind} yet`);
  }
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
  // As given, or where links lead: either may lie below the directory that is read.
  const ours = new Set(outputs.flatMap((path) => namesBelow(location, path)));
  const { root, leftOut } = readTree(location, {
    ...request,
    exclude: (name) => name === buildFolder || ours.has(name),
  });
  return output.tree(root, leftOut);
}

/** What KraftKit and Unikraft's make put beside a Kraftfile. */
const buildFolder = '.unikraft';

function namesBelow(directory: string, path: string): ByteName[] {
  const real = resolve(realpathSync(dirname(path)), basename(path));
  return [relative(directory, path), relative(realpathSync(directory), real)].map(toByteName);
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
