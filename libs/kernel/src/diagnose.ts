import { installHint } from '@nx-kraft/base';
import { KernelFault } from './fault.ts';

/** The first line of a compiler, assembler or linker that tells an error, with where it is when it says so. */
interface FirstError {
  readonly kind: 'compile' | 'link';
  readonly place: string | undefined;
  readonly text: string;
}

const compilerError = /^(\S[^:]*:\d+(?::\d+)?): (?:fatal )?[Ee]rror: (.*)$/;
const linkerError =
  /^(?:\S*\bld(?:\.bfd)?: )?(.*\b(?:undefined reference to|multiple definition of|cannot find -l|region .* overflowed).*)$/;
/** As shells and make itself tell it: `/bin/sh: 1: m4: not found`, `make[1]: flex: No such file or directory`. */
const missingProgram =
  /^(?:\S*sh: (?:line )?\d+: (\S+): (?:command )?not found|make(?:\[\d+\])?: ([a-z][\w+-]*): No such file or directory)$/;
/** As the program tells it that fetches for make, which goes on without the file: `URL: … (COMPONENT_UNREACHABLE)`. */
const failedDownload = /^\S+: .* \(COMPONENT_[A-Z_]+\)$/;
const quietLine = /^ {2}[A-Z]{2,8}\s+(\S+):/;

/**
 * Finds in make's output the first error that a person has to mend, and which library's file it is in; make itself
 * only tells which of its rules failed.
 *
 * @param translate  gives the path on this machine for a path that make saw
 * @returns a fault with the first error, or one that shows make's last lines when none of the known kinds is there
 */
export async function diagnoseMakeOutput(output: string, translate: (path: string) => string): Promise<KernelFault> {
  const lines = output.split('\n').filter((line) => line !== '');
  // Whatever else fails then, fails because of this.
  if (lines.some((line) => line.includes('No space left on device'))) return noSpace();
  const download = findFailedDownload(lines);
  if (download !== undefined) {
    return new KernelFault('KERNEL_FETCH_FAILED', `the sources of a library cannot be fetched:\n  ${download}`);
  }
  const first = findFirstError(lines);
  if (first === undefined) {
    const missing = findMissingProgram(lines);
    if (missing !== undefined) {
      return new KernelFault('KERNEL_NO_PROGRAM', `the build needs ${missing}, which is not there`, {
        hint: await installHint(missing),
      });
    }
    const last = lines
      .slice(-10)
      .map((line) => line.replaceAll(/\/[^\s'",:;]+/g, (path) => translate(path)))
      .join('\n  ');
    return new KernelFault('KERNEL_BUILD_FAILED', `make failed; its last lines:\n  ${last}`, {
      hint: last.includes('No such file or directory') ? unseen : undefined,
    });
  }
  const library = findLibrary(lines, first.text);
  const inLibrary = library === undefined ? '' : ` (in ${library})`;
  return new KernelFault(
    first.kind === 'compile' ? 'KERNEL_COMPILE_FAILED' : 'KERNEL_LINK_FAILED',
    `${first.text}${inLibrary}`,
    {
      at: first.place === undefined ? undefined : translate(first.place),
      hint:
        first.kind === 'compile'
          ? 'This is the first error; those after it often follow from it.'
          : 'A symbol is missing or there twice: look for a library or a CONFIG_ option that provides it.',
    },
  );
}

const unseen =
  'Make sees an application, and around it only what its build files and sources name with ../ and is there: what a script ' +
  'takes from around must be named in Makefile.uk, as what a rule depends on.';

/** The fault of a build that ran out of disk space. */
export function noSpace(cause?: unknown): KernelFault {
  return new KernelFault('KERNEL_NO_SPACE', 'no space is left on the device', {
    hint: 'Free some and build again: `nx-kraft store prune` removes sources that no lock file needs.',
    cause,
  });
}

/** With what can be done about it, which stands in the line below. */
function findFailedDownload(lines: readonly string[]): string | undefined {
  const index = lines.findIndex((line) => failedDownload.test(line));
  if (index === -1) return undefined;
  const [line, below] = lines.slice(index);
  const hint = below?.startsWith('  ') === true && parseMakeStep(below) === undefined ? [below] : [];
  return [line, ...hint].join('\n');
}

function findFirstError(lines: readonly string[]): FirstError | undefined {
  for (const line of lines) {
    const compiler = compilerError.exec(line);
    if (compiler?.[2] !== undefined) return { kind: 'compile', place: compiler[1], text: compiler[2] };
    const linker = linkerError.exec(line);
    if (linker?.[1] !== undefined) {
      // With debug information the linker knows the line of the source.
      const [, place, text] = /^(\/\S+:\d+): (.*)$/.exec(linker[1]) ?? [];
      return { kind: 'link', place, text: text ?? linker[1] };
    }
  }
  return undefined;
}

/** The last one, for build files may look for others that they can do without. */
function findMissingProgram(lines: readonly string[]): string | undefined {
  const match = lines.map((line) => missingProgram.exec(line)).findLast((found) => found !== null);
  return match?.[1] ?? match?.[2];
}

/** With several jobs the lines mix; the last quiet line before the error is of its library in nearly all cases. */
function findLibrary(lines: readonly string[], text: string): string | undefined {
  const error = lines.findIndex((line) => line.includes(text));
  return lines
    .slice(0, error)
    .map((line) => quietLine.exec(line)?.[1])
    .findLast((library) => library !== undefined);
}

/**
 * A step that make told in one of its quiet lines, such as `  CC      libuklock: mutex.o`, or `  LD      libuklock.o` for
 * what is no longer of a single library's sources.
 */
export interface MakeStep {
  readonly tool: string;
  readonly library: string | undefined;
  readonly file: string;
}

/** Reads one line of make's output; undefined when it tells no step. */
export function parseMakeStep(line: string): MakeStep | undefined {
  const match = /^ {2}([A-Z]{2,8})\s+(?:(\S+): ?)?(\S.*)?$/.exec(line);
  if (match === null) return undefined;
  const [, tool = '', library, file = ''] = match;
  return { tool, library, file };
}
