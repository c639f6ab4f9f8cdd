import { posix } from 'node:path';
import { parseEnv } from 'node:util';
import type { Tree } from '@nx/devkit';

/** What a Compose file's variables stand for: those of this process over those of the `.env` beside the file. */
export function readVariables(tree: Tree, folder: string): Readonly<Record<string, string | undefined>> {
  return { ...parseEnv(tree.read(posix.join(folder, '.env'), 'utf8') ?? ''), ...process.env };
}
