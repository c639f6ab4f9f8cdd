import { tmpdir } from 'node:os';
import { describeError, hasErrorCode } from '@nx-kraft/base';
import { RegistryFault, listLogins } from '@nx-kraft/oci';
import { externalBuilders, prepareBuilder } from '@nx-kraft/rootfs';
import { buildkitHost } from '../../tasks/kraft-config.ts';
import type { Check, Finding, Surroundings } from '../check.ts';
import { programCheck } from './program.ts';

const subject = 'Root file systems and images';

/** Builders are found as builds find them: one that answers counts, not one that is installed. */
async function probeBuilders({ env }: Surroundings): Promise<Finding> {
  const asked = externalBuilders.map(async (name) => {
    try {
      const builder = await prepareBuilder(name, { env, buildkitHost: buildkitHost(env), scratch: tmpdir() });
      builder.close();
      return { name, reason: undefined };
    } catch (error) {
      return { name, reason: error instanceof Error ? error.message : String(error) };
    }
  });
  const builders = await Promise.all(asked);
  const ready = builders.filter(({ reason }) => reason === undefined).map(({ name }) => name);
  if (ready.length > 0) return { state: 'ok', detail: `${ready.join(', ')}; the first is used` };
  return { state: 'missing', detail: builders.map(({ name, reason }) => `${name}: ${reason}`).join('; ') };
}

async function probeLogins({ env }: Surroundings): Promise<Finding> {
  try {
    const logins = await listLogins(env);
    if (logins.length > 0) {
      return { state: 'ok', detail: logins.map(({ registry, file }) => `${registry} (${file})`).join(', ') };
    }
    return {
      state: 'missing',
      detail: 'none',
      remedy: 'nx-kraft login REGISTRY --user USER; docker login counts, too.',
    };
  } catch (error) {
    if (error instanceof RegistryFault || hasErrorCode(error, 'EACCES')) {
      return {
        state: 'broken',
        detail: describeError(error).split('\n')[0] ?? '',
        remedy: 'Correct or remove the file.',
      };
    }
    throw error;
  }
}

export const imageChecks: readonly Check[] = [
  {
    subject,
    name: 'builder',
    needed: false,
    program: 'podman',
    cost: 'Dockerfiles that RUN something cannot be built; those that only copy need none.',
    probe: probeBuilders,
  },
  programCheck({ subject, program: 'mkfs.erofs', needed: false, cost: 'No root file systems in the format erofs.' }),
  {
    subject,
    name: 'registry log-ins',
    needed: false,
    cost: 'Only images that are public can be pulled, and none pushed.',
    probe: probeLogins,
  },
];
