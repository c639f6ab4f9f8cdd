import { dirname, relative, resolve } from 'node:path';
import { Fault } from '@nx-kraft/base';
import type { Diagnostic, Kraftfile, PositionOf, Target } from '@nx-kraft/kraftfile';

/** A Kraftfile that a task cannot use, or something that it does not have. */
export class ProjectFault extends Fault<
  | 'KRAFTFILE_BROKEN'
  | 'KRAFTFILE_NO_CORE'
  | 'KRAFTFILE_NO_REPORT'
  | 'KRAFTFILE_NO_ROOTFS'
  | 'KRAFTFILE_NO_SCENARIO'
  | 'KRAFTFILE_NO_SETTINGS'
  | 'KRAFTFILE_OFFLINE'
  | 'KRAFTFILE_NO_TARGET'
  | 'KRAFTFILE_NO_VERSION'
  | 'KRAFTFILE_NOT_BUILT'
  | 'KRAFTFILE_OPTIONS_DROPPED'
  | 'NO_TERMINAL'
  | 'OPTION_INVALID'
  | 'SOURCE_CHANGED'
> {
  override readonly name = 'ProjectFault';
}

/** A Kraftfile as tasks use it. */
export interface Kraftproject {
  /** The file as people know it: relative to the current folder, which is mostly the workspace's. */
  readonly file: string;
  /** The absolute path of its folder. */
  readonly folder: string;
  readonly kraftfile: Kraftfile;
}

/** A Kraftfile that was just read, for those who point into it. */
export interface ReadKraftproject extends Kraftproject {
  readonly positionOf: PositionOf;
}

/**
 * Reads a Kraftfile for a task.
 *
 * @param path  relative to the workspace
 * @throws ProjectFault KRAFTFILE_BROKEN with all its errors
 */
export async function loadKraftproject(workspaceRoot: string, path: string): Promise<ReadKraftproject> {
  const { file, folder } = placeOf(resolve(workspaceRoot, path));
  // Loaded only now: a run that knows the file from before does without.
  const { loadKraftfile } = await import('@nx-kraft/kraftfile/load');
  const { kraftfile, diagnostics, positionOf } = await loadKraftfile(file, process.env);
  const errors = diagnostics.filter(({ severity }) => severity === 'error');
  if (kraftfile === undefined || errors.length > 0) {
    throw new ProjectFault('KRAFTFILE_BROKEN', errors.map(describeBriefly).join('\n'), {
      hint: `nx-kraft lint ${file} explains it.`,
    });
  }
  return { file, folder, kraftfile, positionOf };
}

/** @param path  absolute */
export function placeOf(path: string): Pick<Kraftproject, 'file' | 'folder'> {
  return { file: relative('', path), folder: dirname(path) };
}

/**
 * The targets to build for. A Kraftfile with a runtime mostly names none; it then stands for QEMU on x86_64, whatever
 * the host, so that a workspace has the same tasks on every machine.
 */
export function plannedTargets({ name, targets, runtime }: Kraftfile): readonly Target[] {
  if (targets.length > 0 || runtime === undefined) return targets;
  return [{ id: 'qemu-x86_64', name, platform: 'qemu', architecture: 'x86_64', kconfig: {} }];
}

/** One line for a diagnostic, where a whole explanation would be too much. */
export function describeBriefly({ file, line, column, message }: Diagnostic): string {
  return `${file}:${line}:${column}: ${message}`;
}

/** @throws ProjectFault KRAFTFILE_NO_TARGET with the targets that there are */
export function findTarget({ file, kraftfile }: Kraftproject, id: string): Target {
  const targets = plannedTargets(kraftfile);
  const target = targets.find((candidate) => candidate.id === id);
  if (target !== undefined) return target;
  throw new ProjectFault('KRAFTFILE_NO_TARGET', `there is no target ${id}`, {
    at: file,
    hint: `Its targets: ${targets.map((candidate) => candidate.id).join(', ') || 'none'}.`,
  });
}
