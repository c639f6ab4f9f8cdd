import { readlinkSync } from 'node:fs';
import { join, posix } from 'node:path';
import { globOf, globTest, splitGlob } from '@nx-kraft/rootfs/globs';
import type { Disk } from './disk.ts';

/**
 * The globs of what a pattern of COPY reads: builders follow links within the context, and take an absolute one, or one that
 * leads out of it, for a path below it.
 *
 * @param root  absolute path of the context, behind all links
 * @param glob  relative to it
 */
export function globsInContext(disk: Disk, root: string, glob: string): readonly string[] {
  return [...new Set(follow({ disk, root, links: 0 }, [], glob.split('/')))];
}

interface Walk {
  readonly disk: Disk;
  readonly root: string;
  /** How many were followed so far. */
  readonly links: number;
}

/** As many as file systems follow. */
const mostLinks = 40;

/**
 * @param before  names of folders that were passed, none of which is a link
 * @param after  parts of the glob from there on
 */
function follow(walk: Walk, before: readonly string[], after: readonly string[]): readonly string[] {
  const [part, ...rest] = after;
  const here = before.map(globOf);
  if (part === undefined) return [here.join('/')];
  if (part === '**') return [[...here, ...after].join('/')];
  const folder = before.length === 0 ? walk.root : join(walk.root, ...before);
  // Most parts are plain names.
  const { path: name, rest: signs } = /[*?[]/.test(part) ? splitGlob(part) : { path: part, rest: '' };
  if (signs === '') {
    const path = [...before, name];
    if (!walk.disk.isLink(folder, name)) return follow(walk, path, rest);
    // Where the link itself leads counts, too; below it is nothing.
    return [`${path.map(globOf).join('/')}/`, ...behind(walk, before, name, rest)];
  }
  const found = walk.disk.names(folder).filter(globTest(part));
  return [[...here, ...after].join('/'), ...found.flatMap((one) => linked(walk, before, one, rest))];
}

/** The globs of what is read behind links at or below a name that a pattern with signs matches. */
function linked(walk: Walk, before: readonly string[], name: string, rest: readonly string[]): readonly string[] {
  const path = [...before, name];
  if (walk.disk.isLink(join(walk.root, ...before), name)) return behind(walk, before, name, rest);
  const direct = [...path.map(globOf), ...rest].join('/');
  return follow(walk, path, rest).filter((glob) => glob !== direct);
}

function behind(walk: Walk, before: readonly string[], link: string, rest: readonly string[]): readonly string[] {
  if (walk.links === mostLinks) return [];
  const target = readlinkSync(join(walk.root, ...before, link));
  const path = posix.join('/', ...(target.startsWith('/') ? [] : before), target);
  const parts = path.split('/').filter((name) => name !== '');
  return follow({ ...walk, links: walk.links + 1 }, [], [...parts.map(globOf), ...rest]);
}
