import { tmpdir } from 'node:os';
import { externalBuilders, prepareBuilder } from '@nx-kraft/rootfs';
import { buildkitHost } from '../../tasks/kraft-config.ts';
import type { Check, Finding, Surroundings } from '../check.ts';
import { probeLogins } from './logins.ts';
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
