import { readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { unlessNowhere } from '@nx-kraft/base';
import { globExpression } from '@nx-kraft/rootfs/globs';
import type { Disk } from './disk.ts';

/** The files that say what Nx passes over; what the later one says counts more. */
const ruleFiles = ['.gitignore', '.nxignore'];

/** A line of such a file. */
interface Rule {
  /** Whether it takes back what one before it says. */
  readonly isException: boolean;
  /** By the path from the folder of the file. */
  readonly test: (path: string) => boolean;
}

/** Tells folders that Nx passes over as a whole, so that its list of files has nothing of them. */
export class IgnoredFolders {
  readonly #disk: Disk;
  readonly #rules = new Map<string, readonly Rule[]>();
  readonly #known = new Map<string, boolean>();

  constructor(disk: Disk) {
    this.#disk = disk;
  }

  /** @param folder  relative to the workspace, with `/` */
  has(folder: string): boolean {
    const known = this.#known.get(folder);
    if (known !== undefined) return known;
    const isIgnored = folder !== '.' && this.#find(folder);
    this.#known.set(folder, isIgnored);
    return isIgnored;
  }

  /** Goes down to a folder: below one that is ignored nothing is taken back. */
  #find(folder: string): boolean {
    const found = ruleFiles.map((): { readonly from: number; readonly rule: Rule }[] => []);
    let isThere = true;
    for (let from = 0, end = 0; end !== -1; from = end + 1) {
      const place = folder.slice(0, Math.max(0, from - 1));
      isThere &&= place === '' || this.#disk.has(join(this.#disk.workspaceRoot, place));
      for (const [index, name] of ruleFiles.entries()) {
        const rules = isThere ? this.#rulesIn(posix.join(place, name)) : [];
        found[index]?.push(...rules.map((rule) => ({ from, rule })));
      }
      end = folder.indexOf('/', from);
      const path = folder.slice(0, end === -1 ? undefined : end);
      const last = found.flat().findLast((one) => one.rule.test(path.slice(one.from)));
      if (last?.rule.isException === false) return true;
    }
    return false;
  }

  #rulesIn(file: string): readonly Rule[] {
    const known = this.#rules.get(file);
    if (known !== undefined) return known;
    const path = join(this.#disk.workspaceRoot, file);
    // One that may not be read Nx passes over, too.
    const text = this.#disk.hasFile(path) ? unlessNowhere(() => readFileSync(path, 'utf8')) : undefined;
    const rules = text?.split('\n').flatMap(readRule) ?? [];
    this.#rules.set(file, rules);
    return rules;
  }
}

/** A line as `gitignore(5)` has it, as far as it can mean a folder. */
function readRule(line: string): readonly Rule[] {
  const text = line.trimEnd();
  if (text === '' || text.startsWith('#')) return [];
  const isException = text.startsWith('!');
  const pattern = text.replace(/^[!\\]/, '').replace(/\/$/, '');
  const glob = pattern.includes('/') ? pattern.replace(/^\//, '') : `**/${pattern}`;
  try {
    const expression = globExpression(glob.replaceAll('[!', '[^'));
    return [{ isException, test: (path) => expression.test(path) }];
  } catch (error) {
    // Brackets that mean nothing match nothing.
    if (error instanceof SyntaxError) return [];
    throw error;
  }
}
