import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { replaceAtomically } from '@nx-kraft/base';
import type { Kraftfile } from '@nx-kraft/kraftfile';
import { runDefaultsName } from '@nx-kraft/kraftfile/outputs';
import type { RunDefaults } from '@nx-kraft/rootfs';

/** What a unikernel runs, and with which environment. */
export interface Command {
  /** What the image of the root file system runs; undefined where it says nothing. */
  readonly rootfsArgs: readonly string[] | undefined;
  /** The Kraftfile's variables over those of the image. */
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

/** What a Kraftfile and the image of its root file system say together. */
export async function findCommand(folder: string, kraftfile: Kraftfile, architecture: string): Promise<Command> {
  if (kraftfile.rootfs === undefined) return { rootfsArgs: undefined, env: kraftfile.env };
  const text = await readFile(join(folder, runDefaultsName(kraftfile, architecture)), 'utf8');
  const { entrypoint, cmd, env } = JSON.parse(text) as RunDefaults;
  const args = [...entrypoint, ...cmd];
  const imageEnv = env.map((item): [string, string] => {
    const [name = '', ...value] = item.split('=');
    return [name, value.join('=')];
  });
  return {
    rootfsArgs: args.length > 0 ? args : undefined,
    env: { ...Object.fromEntries(imageEnv), ...kraftfile.env },
  };
}
