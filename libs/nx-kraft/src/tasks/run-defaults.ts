import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { replaceAtomically } from '@nx-kraft/base';
import { type Kraftfile, runDefaultsName } from '@nx-kraft/kraftfile';
import type { RunDefaults } from '@nx-kraft/rootfs';

/** The command and the environment of a unikernel. */
export interface Command {
  /** Undefined where nobody says what to run. */
  readonly args: readonly string[] | undefined;
  readonly env: Readonly<Record<string, string>>;
}

/** Keeps what an image or Dockerfile says of running it beside the root file system that came from it. */
export async function writeRunDefaults(
  folder: string,
  kraftfile: Kraftfile,
  architecture: string,
  { entrypoint, cmd, env }: RunDefaults = { entrypoint: [], cmd: [], env: [] },
): Promise<void> {
  const text = `${JSON.stringify({ entrypoint, cmd, env })}\n`;
  await replaceAtomically(join(folder, runDefaultsName(kraftfile, architecture)), (path) => writeFile(path, text));
}

/** What a unikernel runs: as its Kraftfile says, and where it says nothing as the image of its root file system does. */
export async function findCommand(folder: string, kraftfile: Kraftfile, architecture: string): Promise<Command> {
  if (kraftfile.rootfs === undefined) return { args: kraftfile.cmd, env: kraftfile.env };
  const text = await readFile(join(folder, runDefaultsName(kraftfile, architecture)), 'utf8');
  const { entrypoint, cmd, env } = JSON.parse(text) as RunDefaults;
  const imageArgs = [...entrypoint, ...cmd];
  const imageEnv = env.map((item): [string, string] => {
    const [name = '', ...value] = item.split('=');
    return [name, value.join('=')];
  });
  return {
    args: kraftfile.cmd ?? (imageArgs.length > 0 ? imageArgs : undefined),
    env: { ...Object.fromEntries(imageEnv), ...kraftfile.env },
  };
}
