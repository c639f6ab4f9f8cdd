import { nearestWord } from '@nx-kraft/base';
import { architectureAliases, architectures, platforms } from '@nx-kraft/kraftfile';
import { GeneratorFault } from './fault.ts';

/** What a new Kraftfile is built for. */
export const defaultTargets = ['qemu/x86_64', 'fc/x86_64'];

/** A platform and an architecture by kraft's words. */
export interface TargetWords {
  readonly platform: string;
  readonly architecture: string;
}

/**
 * Reads a target such as `qemu/x86_64`; words of other tools (`kvm`, `amd64`) are understood.
 *
 * @throws GeneratorFault BAD_NAME
 */
export function readTarget(given: string): TargetWords {
  const [platformWord = '', architectureWord = '', ...more] = given.split('/');
  const platform = platforms[platformWord];
  const architecture = architectureAliases[architectureWord] ?? architectureWord;
  if (platform !== undefined && architectures.includes(architecture as never) && more.length === 0) {
    return { platform, architecture };
  }
  const known = Object.values(platforms).flatMap((one) => architectures.map((other) => `${one}/${other}`));
  const better = nearestWord(given, known);
  throw new GeneratorFault('BAD_NAME', `'${given}' is no platform and architecture`, {
    hint: better === undefined ? 'Such as qemu/x86_64 or fc/arm64.' : `Did you mean ${better}?`,
  });
}
