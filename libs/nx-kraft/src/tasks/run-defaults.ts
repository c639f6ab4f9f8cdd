import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hasErrorCode, replaceAtomically } from '@nx-kraft/base';
import type { Kraftfile } from '@nx-kraft/kraftfile';
import { runDefaultsName } from '@nx-kraft/kraftfile/outputs';
import type { KernelRun } from '@nx-kraft/machine/run';
import type { RunDefaults } from '@nx-kraft/rootfs';
import { type Kraftproject, ProjectFault } from './kraftproject.ts';

/** What a unikernel runs, and with which environment. */
export interface Command {
  /** What the image of the root file system runs; undefined where it says nothing. */
  readonly rootfsArgs: readonly string[] | undefined;
  /** The Kraftfile's variables over those of the image. */
  readonly env: Readonly<Record<string, string>>;
}

/** What a root file system says of running it that is made from no image. */
export const nothingSaid: RunDefaults = { entrypoint: [], cmd: [], env: [] };

/** Keeps what an image or Dockerfile says of running it beside the root file system that came from it. */
export async function writeRunDefaults(
  folder: string,
  kraftfile: Kraftfile,
  architecture: string,
  { entrypoint, cmd, env }: RunDefaults = nothingSaid,
): Promise<void> {
  const text = `${JSON.stringify({ entrypoint, cmd, env })}\n`;
  await replaceAtomically(join(folder, runDefaultsName(kraftfile, architecture)), (path) => writeFile(path, text));
}

/**
 * What a Kraftfile and the image of its root file system say together.
 *
 * @throws ProjectFault KRAFTFILE_NOT_BUILT when there is no root file system yet
 */
export async function findCommand(project: Kraftproject, architecture: string): Promise<Command> {
  const { kraftfile } = project;
  if (kraftfile.rootfs === undefined) return { rootfsArgs: undefined, env: kraftfile.env };
  const text = await readRunDefaults(project, architecture);
  const { args, env } = commandOf(JSON.parse(text) as RunDefaults);
  return { rootfsArgs: args.length > 0 ? args : undefined, env: { ...env, ...kraftfile.env } };
}

/** What an image says of running it, in the words of machines. */
export function commandOf({ entrypoint, cmd, env }: RunDefaults): Required<Pick<KernelRun, 'args' | 'env'>> {
  const variables = env.map((item): [string, string] => {
    const [name = '', ...value] = item.split('=');
    return [name, value.join('=')];
  });
  return { args: [...entrypoint, ...cmd], env: Object.fromEntries(variables) };
}

async function readRunDefaults({ file, folder, kraftfile }: Kraftproject, architecture: string): Promise<string> {
  try {
    return await readFile(join(folder, runDefaultsName(kraftfile, architecture)), 'utf8');
  } catch (error) {
    if (!hasErrorCode(error, 'ENOENT')) throw error;
    throw new ProjectFault('KRAFTFILE_NOT_BUILT', `its root file system for ${architecture} has not been made`, {
      at: file,
      hint: 'Make it first, with the task rootfs.',
    });
  }
}
