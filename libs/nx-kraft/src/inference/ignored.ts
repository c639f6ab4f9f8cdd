import { join, posix } from 'node:path';
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
  /** For the path from the folder of the file. */
  readonly expression: RegExp;
}

/** The rules of one file. */
interface RuleFile {
  /** How much of a path lies before the file's folder, and the folder itself. */
  readonly from: number;
  readonly rules: readonly Rule[];
  /** For what any of them means, since most paths are meant by none. */
  readonly any: RegExp;
}

/** Tells files and folders that Nx passes over, so that its list of files has nothing of them. */
export class Ignored {
  readonly #disk: Disk;
  /** By folders, for each of the {@link ruleFiles} those that lie there and around. */
  readonly #rules = new Map<string, readonly (readonly RuleFile[])[]>();
  readonly #known = new Map<string, boolean>([['.', false]]);

  constructor(disk: Disk) {
    this.#disk = disk;
  }

  /** @param path  relative to the workspace, with `/`; what is not there counts as a folder */
  has(path: string): boolean {
    const known = this.#known.get(path);
    if (known !== undefined) return known;
    const folder = posix.dirname(path);
    // Below a folder that is ignored nothing is taken back.
    const isIgnored = this.has(folder) || this.#isMeant(folder, path);
    this.#known.set(path, isIgnored);
    return isIgnored;
  }

  #isMeant(folder: string, path: string): boolean {
    const last = this.#rulesAround(folder)
      .flat()
      .filter(({ any, from }) => any.test(path.slice(from)))
      .flatMap(({ rules, from }) => rules.filter(({ expression }) => expression.test(path.slice(from))))
      .findLast((rule) => !(rule.isForFolders && this.#isFile(path)));
    return last?.isException === false;
  }

  #rulesAround(folder: string): readonly (readonly RuleFile[])[] {
    const known = this.#rules.get(folder);
    if (known !== undefined) return known;
    const around = folder === '.' ? [] : this.#rulesAround(posix.dirname(folder));
    const from = folder === '.' ? 0 : folder.length + 1;
    const place = join(this.#disk.workspaceRoot, folder);
    const files = ruleFiles.map((name, index) => {
      const rules = this.#rulesIn(place, name);
      const outer = around[index] ?? [];
      if (rules.length === 0) return outer;
      const any = new RegExp(rules.map(({ expression }) => expression.source).join('|'), 's');
      return [...outer, { from, rules, any }];
    });
    this.#rules.set(folder, files);
    return files;
  }

  #isFile(path: string): boolean {
    return this.#disk.hasFile(join(this.#disk.workspaceRoot, path));
  }

  #rulesIn(folder: string, name: string): readonly Rule[] {
    // One that may not be read Nx passes over, too.
    const text = this.#disk.holdsFile(folder, name) ? this.#disk.read(join(folder, name)) : undefined;
    return text?.split('\n').flatMap(readRule) ?? [];
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
    return [{ isException, isForFolders: text.endsWith('/'), expression }];
  } catch (error) {
    // Brackets that mean nothing match nothing.
    if (error instanceof SyntaxError) return [];
    throw error;
  }
}
