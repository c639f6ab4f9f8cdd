import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  openSync,
  readFileSync,
  readSync,
  realpathSync,
  statSync,
} from 'node:fs';
import { basename, delimiter, join } from 'node:path';
import { hasErrorCode } from '@nx-kraft/base';
import { askVersion } from '@nx-kraft/kernel/toolchain';
import { dataFile, writeWhole } from '../inference/workspace-data.ts';

/** What was found by means of a program, such as its version, and which file that was. */
interface Known {
  readonly identity: string;
  readonly version: string;
}

/**
 * The versions of programs, remembered from command to command: to ask a dozen of them takes longer than all else that
 * happens before the first task. A program is asked again when its file is another one. Scripts are asked each time,
 * and so are files of another name (`gcc` that is a link to `ccache`): what they start may change without them.
 */
export class ProgramVersions {
  readonly #file: string;
  readonly #known: Map<string, Known>;
  #isChanged = false;

  constructor(workspaceRoot: string) {
    this.#file = dataFile(workspaceRoot, 'nx-kraft-versions.json');
    this.#known = readKnown(this.#file);
  }

  /** The first line of what a program says of its version; `missing` for one that is not there. */
  readonly ask = async (program: string): Promise<string> =>
    findProgram(program) === undefined ? 'missing' : this.recall(program, program, () => askVersion(program));

  /**
   * What was found the last time by means of a program, or is found now.
   *
   * @param surroundings  what else the finding depends on
   */
  readonly recall = async (
    name: string,
    program: string,
    find: () => Promise<string>,
    surroundings = '',
  ): Promise<string> => {
    const file = findProgram(program);
    const itself = file === undefined ? undefined : identify(program, file);
    if (itself === undefined) return find();
    const identity = `${itself} ${surroundings}`.trim();
    const known = this.#known.get(name);
    if (known?.identity === identity) return known.version;
    const version = await find();
    this.#known.set(name, { identity, version });
    this.#isChanged = true;
    return version;
  };

  /** Keeps what was asked for the next command. */
  save(): void {
    if (this.#isChanged) writeWhole(this.#file, JSON.stringify([...this.#known]));
  }
}

/** The file that a program is when it is called by its name; undefined when there is none. */
function findProgram(program: string): string | undefined {
  for (const folder of (process.env.PATH ?? '').split(delimiter).filter((it) => it !== '')) {
    const path = join(folder, program);
    // Most folders do not have it, and to catch an error takes longer than to look.
    if (!existsSync(path)) continue;
    try {
      const file = realpathSync(path);
      accessSync(file, constants.X_OK);
      if (statSync(file).isFile()) return file;
    } catch (error) {
      if (!hasErrorCode(error, 'ENOENT', 'ENOTDIR', 'EACCES')) throw error;
    }
  }
  return undefined;
}

/** What tells a file from any other: where it lies, its size, its number and the time of its last change. */
function identify(program: string, file: string): string | undefined {
  if (!basename(file).includes(program) || !isBinary(file)) return undefined;
  const { size, ino, mtimeNs } = statSync(file, { bigint: true });
  return [file, size, ino, mtimeNs].join(' ');
}

/** Whether a file starts as programs of Linux (ELF) or macOS (Mach-O) do. */
function isBinary(file: string): boolean {
  const start = Buffer.alloc(4);
  const descriptor = openSync(file, 'r');
  try {
    readSync(descriptor, start, 0, 4, 0);
  } finally {
    closeSync(descriptor);
  }
  return ['7f454c46', 'cffaedfe', 'cafebabe'].includes(start.toString('hex'));
}

/** A memory that cannot be read, for whatever reason, is one that is empty. */
function readKnown(file: string): Map<string, Known> {
  try {
    return new Map(JSON.parse(readFileSync(file, 'utf8')) as [string, Known][]);
  } catch {
    return new Map();
  }
}
