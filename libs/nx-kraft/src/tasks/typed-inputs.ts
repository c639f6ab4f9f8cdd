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

/**
 * Part of the keys of tasks that take what other tasks make. Nx puts that into keys only where it runs those before, so that
 * nothing made without them is taken from a cache.
 */
export const leftOutVariable = 'NX_KRAFT_TYPED_EXCLUSION';

/**
 * Part of the keys of tasks that are not cached by what lies on the disk. Where Nx's daemon has planned one before that was
 * known, its result is kept, but never taken.
 */
export const renewedVariable = 'NX_KRAFT_RENEWED_GRAPH';

const deciding = /^--(context|platform|roms|build-?(args|contexts))([=.]|$)/i;
/** Nx keeps `--target` for itself but for what stands after `--`. */
const target = /^--target(=|$)/;

const exclusion = /^--exclude-?task-?dependencies(=|$)/i;

/** @param argv  as Nx was called */
export function typedInputs(argv: readonly string[]): Readonly<Record<string, string>> {
  const handedOn = argv.includes('--') ? argv.slice(argv.indexOf('--')) : [];
  const isTyped = argv.some((word) => deciding.test(word)) || handedOn.some((word) => target.test(word));
  const hasTarget = argv.some((word) => /^--for(=|$)/.test(word));
  const leavesOut = argv.some((word) => exclusion.test(word));
  return {
    [typedInputsVariable]: isTyped ? randomUUID() : '',
    [typedTargetVariable]: hasTarget ? randomUUID() : '',
    [leftOutVariable]: leavesOut ? randomUUID() : '',
  };
}
