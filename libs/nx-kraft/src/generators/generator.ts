import { type GeneratorCallback, NX_VERSION, type Tree, formatFiles } from '@nx/devkit';
import { Fault, describeError } from '@nx-kraft/base';
import { GeneratorFault } from './fault.ts';

/** Options that all generators have. */
export interface CommonOptions {
  /** Leave files as they are written, whatever formatter the workspace has. */
  readonly skipFormat?: boolean;
}

/** What is to be done when the files are written. */
export type Afterwards = GeneratorCallback | void;

const oldestNx = 23;

/**
 * Makes a generator of work on the tree: with files formatted at its end, and faults told as sentences. The work itself
 * writes to nothing but the tree, so that `--dry-run` shows all of it.
 */
export function asGenerator<Options extends CommonOptions>(
  work: (tree: Tree, options: Options) => Afterwards | Promise<Afterwards>,
): (tree: Tree, options: Options) => Promise<Afterwards> {
  return async (tree, options) => {
    try {
      checkNx(NX_VERSION);
      const afterwards = await work(tree, options);
      if (options.skipFormat !== true) await formatFiles(tree);
      return afterwards;
    } catch (error) {
      throw error instanceof Fault ? sentence(describeError(error), error) : error;
    }
  };
}

/** An error that Nx tells as it is: of any it tells the message only, and asks to look at a stack trace where there is one. */
export function sentence(text: string, cause?: unknown): Error {
  return Object.assign(new Error(text, { cause }), { stack: '' });
}

/** @throws GeneratorFault OLD_NX for a version that the plugin is not made for */
export function checkNx(version: string): void {
  const major = Number.parseInt(version, 10);
  if (!(major < oldestNx)) return;
  throw new GeneratorFault('OLD_NX', `nx-kraft needs Nx ${oldestNx} or newer, and this workspace has ${version}`, {
    hint: 'Bring it up to date first: npx nx migrate latest',
  });
}

/** Tells people something when the files have been written; nothing of it is told by a dry run. */
export function tellAfterwards(...lines: readonly string[]): GeneratorCallback {
  return () => {
    process.stdout.write(`\n${lines.join('\n')}\n`);
  };
}
