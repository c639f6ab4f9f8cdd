import { statSync } from 'node:fs';
import { join, posix } from 'node:path';
import { unlessNowhere } from '@nx-kraft/base';
import { leadsOut } from './climbs.ts';
import { readSource } from './source-list.ts';

/** The files around a folder that sources name in what they include. */
export interface Included {
  readonly found: readonly string[];
  /** Where there is none. */
  readonly missing: readonly string[];
}

/**
 * The files around a folder that its sources include from where they lie, as with `#include "../../common/x.h"`, and what
 * these include in turn. What is found by a folder with headers alone is not told: build files name that folder.
 *
 * @param sources  in the folder and around it; relative to the folder, and so is what is found
 * @param isRead  whether a file around the folder is read, too
 */
export function includedAround(
  folder: string,
  sources: readonly string[],
  isRead: (path: string) => boolean,
): Included {
  const known = new Set(sources);
  const found = new Set<string>();
  const missing = new Set<string>();
  const read = (file: string): void => {
    for (const name of includesOf(join(folder, file), leadsOut(file) ? '' : '../')) {
      const path = posix.join(posix.dirname(file), name);
      if (!leadsOut(path) || known.has(path)) continue;
      if (!isFile(join(folder, path))) {
        missing.add(path);
        continue;
      }
      known.add(path);
      found.add(path);
      if (isRead(path)) read(path);
    }
  };
  sources.forEach(read);
  return { found: [...found], missing: [...missing] };
}

const include = /^[ \t]*#[ \t]*(?:include|include_next|import|embed)[ \t]*"([^"\n]+)"/gm;

/** The names in quotes that a source includes. Most sources have none with a given part, and cost no more than to be read. */
function includesOf(file: string, part: string): readonly string[] {
  const source = readSource(file);
  if (!source.includes(part)) return [];
  return [...source.toString().matchAll(include)].flatMap(([, name = '']) => (name.includes(part) ? [name] : []));
}

function isFile(path: string): boolean {
  return unlessNowhere(() => statSync(path))?.isFile() === true;
}
