import { randomUUID } from 'node:crypto';

/**
 * Part of the keys of root file systems that come of Dockerfiles. Inputs follow from options that are written down; those on
 * the command line may let a Dockerfile read something else, so that a result of theirs is never taken from a cache.
 */
export const typedInputsVariable = 'NX_KRAFT_TYPED_INPUTS';

/**
 * Part of the keys of tests: a target that is typed is booted as it was built the last time, since no task can depend on what
 * is typed, so that its result is never taken from a cache.
 */
export const typedTargetVariable = 'NX_KRAFT_TYPED_TARGET';

const deciding = /^--(context|platform|roms|build-?(args|contexts))([=.]|$)/i;
/** Nx keeps `--target` for itself but for what stands after `--`. */
const target = /^--target(=|$)/;

/** @param argv  as Nx was called */
export function typedInputs(argv: readonly string[]): Readonly<Record<string, string>> {
  const handedOn = argv.includes('--') ? argv.slice(argv.indexOf('--')) : [];
  const isTyped = argv.some((word) => deciding.test(word)) || handedOn.some((word) => target.test(word));
  const hasTarget = argv.some((word) => /^--for(=|$)/.test(word));
  return {
    [typedInputsVariable]: isTyped ? randomUUID() : '',
    [typedTargetVariable]: hasTarget ? randomUUID() : '',
  };
}
