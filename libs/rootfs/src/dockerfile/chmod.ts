/** Gives the mode that a file or directory of COPY gets, from the one that its source has. */
export type ModeChange = (mode: number, isDirectory: boolean) => number;

export interface Chmod {
  readonly change: ModeChange;
  /** Mode of the directories that COPY makes on the way; undefined where they have their usual one. */
  readonly onTheWay: number | undefined;
}

/**
 * The value of `--chmod`: octal digits up to 7777, or symbolic as POSIX has it for chmod, without a umask.
 *
 * @returns undefined for anything else, odd orders of symbols among it, of which only BuildKit knows what they mean
 */
export function readChmod(text: string): Chmod | undefined {
  if (/^[0-7]+$/.test(text)) {
    const mode = parseInt(text, 8);
    return mode > 0o7777 ? undefined : { change: () => mode, onTheWay: mode & 0o777 };
  }
  const clauses = text.split(',').map((clause) => symbolic.exec(clause));
  if (clauses.includes(null)) return undefined;
  const steps = clauses.flatMap((clause) => stepsOf(clause?.[1] ?? '', clause?.[2] ?? ''));
  return {
    change: (mode, isDirectory) => {
      const isRunnable = isDirectory || (mode & 0o111) !== 0;
      return steps.reduce((result, step) => step(result, isRunnable), mode);
    },
    onTheWay: undefined,
  };
}

// Without a class, BuildKit takes `t` beside other letters to mean nothing but `t`.
const symbolic = /^(?=[ugoa]|[^t]*$|[-+]t$)([ugoa]*)((?:[-+=](?:[ugo]|[rwxXst]*))+)$/;

type Step = (mode: number, isRunnable: boolean) => number;

/** @param who  of `ugoa`; '' means all */
function stepsOf(who: string, actions: string): Step[] {
  const classes = [...(who === '' || who.includes('a') ? 'ugo' : who)];
  return [...actions.matchAll(/([-+=])([ugo]|[rwxXst]*)/g)].map(
    ([, operator = '', what = '']) =>
      (mode, isRunnable) => {
        const isCopy = /^[ugo]$/.test(what);
        const bits = isCopy
          ? spread(mode >> (shifts[what] ?? 0), classes)
          : bitsOf(what, classes, isRunnable || operator === '-');
        if (operator === '-') return mode & ~bits;
        const owned = spread(0o7, classes) | (isCopy ? 0 : setId(classes));
        return (operator === '+' ? mode : mode & ~owned) | bits;
      },
  );
}

function bitsOf(what: string, classes: readonly string[], isRunnable: boolean): number {
  const has = (letter: string, bits: number): number => (what.includes(letter) ? bits : 0);
  const plain = has('r', 4) | has('w', 2) | has('x', 1) | has('X', isRunnable ? 1 : 0);
  const sticky = classes.every((letter) => letter === 'o') ? 0 : 0o1000;
  return spread(plain, classes) | has('s', setId(classes)) | has('t', sticky);
}

const shifts: Readonly<Record<string, number>> = { u: 6, g: 3, o: 0 };

function spread(bits: number, classes: readonly string[]): number {
  return classes.reduce((all, letter) => all | ((bits & 0o7) << (shifts[letter] ?? 0)), 0);
}

function setId(classes: readonly string[]): number {
  return (classes.includes('u') ? 0o4000 : 0) | (classes.includes('g') ? 0o2000 : 0);
}
