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
  /** Whether it means no files. */
  readonly isForFolders: boolean;
  /** By the path from the folder of the file. */
  readonly test: (path: string) => boolean;
}

/** Tells files and folders that Nx passes over, so that its list of files has nothing of them. */
export class Ignored {
  readonly #disk: Disk;
  readonly #rules = new Map<string, readonly Rule[]>();
  readonly #known = new Map<string, boolean>();

  constructor(disk: Disk) {
    this.#disk = disk;
  }

  /** @param path  relative to the workspace, with `/`; what is not there counts as a folder */
  has(path: string): boolean {
    const known = this.#known.get(path);
    if (known !== undefined) return known;
    const isIgnored = path !== '.' && this.#find(path);
    this.#known.set(path, isIgnored);
    return isIgnored;
  }

  /** Goes down to a path: below a folder that is ignored nothing is taken back. */
  #find(whole: string): boolean {
    const found = ruleFiles.map((): { readonly from: number; readonly rule: Rule }[] => []);
    let isThere = true;
    for (let from = 0, end = 0; end !== -1; from = end + 1) {
      const place = whole.slice(0, Math.max(0, from - 1));
      isThere &&= place === '' || this.#disk.has(join(this.#disk.workspaceRoot, place));
      for (const [index, name] of ruleFiles.entries()) {
        const rules = isThere ? this.#rulesIn(posix.join(place, name)) : [];
        found[index]?.push(...rules.map((rule) => ({ from, rule })));
      }
      end = whole.indexOf('/', from);
      const path = whole.slice(0, end === -1 ? undefined : end);
      const last = found
        .flat()
        .findLast(
          ({ from: start, rule }) => rule.test(path.slice(start)) && !(rule.isForFolders && this.#isFile(path)),
        );
      if (last?.rule.isException === false) return true;
    }
    return false;
  }

  #isFile(path: string): boolean {
    return this.#disk.hasFile(join(this.#disk.workspaceRoot, path));
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

/** A line as `gitignore(5)` has it. */
function readRule(line: string): readonly Rule[] {
  const text = line.trimEnd();
  if (text === '' || text.startsWith('#')) return [];
  const isException = text.startsWith('!');
  const pattern = text.replace(/^[!\\]/, '').replace(/\/$/, '');
  const glob = pattern.includes('/') ? pattern.replace(/^\//, '') : `**/${pattern}`;
  try {
    const expression = globExpression(glob.replaceAll('[!', '[^'));
    return [{ isException, isForFolders: text.endsWith('/'), test: (path) => expression.test(path) }];
  } catch (error) {
    // Brackets that mean nothing match nothing.
    if (error instanceof SyntaxError) return [];
    throw error;
  }
}
