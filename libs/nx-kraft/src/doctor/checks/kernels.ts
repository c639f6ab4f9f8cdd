import { arch } from 'node:os';
import type { PackagedProgram } from '@nx-kraft/base/packages';
import { crossCompilePrefix, hasCanonicalPlaces } from '@nx-kraft/kernel';
import type { Check } from '../check.ts';
import { probeProgram, programCheck } from './program.ts';

const subject = 'Kernels from source';
const hostArchitectures: Readonly<Record<string, string>> = { x64: 'x86_64', arm64: 'arm64' };

const crossCompilers = ['x86_64', 'arm64', 'arm'].flatMap((architecture): readonly Check[] => {
  const prefix = crossCompilePrefix(architecture);
  // The host's own compiler builds for this architecture.
  if (prefix === '') return [];
  const cost = `No kernels for ${architecture} can be built here.`;
  return [programCheck({ subject, program: `${prefix}gcc` as PackagedProgram, needed: false, cost })];
});

export const kernelChecks: readonly Check[] = [
  programCheck({
    subject,
    program: 'gcc',
    needed: true,
    cost: `No kernels for ${hostArchitectures[arch()] ?? arch()} can be built; those of a runtime need no compiler.`,
  }),
  ...crossCompilers,
  ...(['make', 'flex', 'bison', 'python3'] as const).map((program) =>
    programCheck({ subject, program, needed: true, cost: "Unikraft's build does not run without it." }),
  ),
  programCheck({ subject, program: 'git', needed: true, cost: 'Sources that are git repositories cannot be fetched.' }),
  {
    subject,
    name: 'mount namespaces',
    needed: false,
    program: 'unshare',
    cost: 'Kernels hold the paths of this machine: they differ from those of others, and no objects are shared.',
    probe: async () => {
      if (await hasCanonicalPlaces()) return { state: 'ok', detail: 'allowed: the same bits as on other machines' };
      const program = await probeProgram('unshare');
      if (program.state !== 'ok') return program;
      return {
        state: 'missing',
        detail: 'this system does not allow them',
        remedy:
          'Allow user namespaces: kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns.',
      };
    },
  },
];
