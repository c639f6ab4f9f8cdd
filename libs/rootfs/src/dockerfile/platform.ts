import type { Dockerfile } from './parse.ts';
import type { Variables } from './words.ts';

/** Unikraft's and Node's names of architectures, as Docker writes them. */
const dockerNames: Readonly<Record<string, string>> = {
  x86_64: 'amd64',
  x64: 'amd64',
  aarch64: 'arm64',
  arm: 'arm/v7',
};

/** Docker's platform for an architecture, such as `linux/amd64` for `x86_64`; without one, this machine's. */
export function platformOf(architecture: string = process.arch): string {
  return `linux/${dockerNames[architecture] ?? architecture}`;
}

/**
 * TARGETPLATFORM, BUILDARCH and the like (Docker, "Automatic platform ARGs in the global scope"), and TARGETSTAGE.
 *
 * @param stage  what is to be built, as it was asked for
 */
export function automaticArgs(target: string, { instructions }: Dockerfile, stage: string | undefined): Variables {
  const lastName = /\sAS\s+(\S+)$/i.exec(instructions.findLast(({ keyword }) => keyword === 'FROM')?.rest ?? '')?.[1];
  const values = new Map([
    ...describe('TARGET', target),
    ...describe('BUILD', platformOf()),
    ['TARGETSTAGE', stage ?? lastName?.toLowerCase() ?? 'default'],
  ]);
  return (name) => values.get(name);
}

function describe(prefix: string, platform: string): [string, string][] {
  const [os = '', architecture = '', variant = ''] = platform.split('/');
  return [
    [`${prefix}PLATFORM`, platform],
    [`${prefix}OS`, os],
    [`${prefix}ARCH`, architecture],
    [`${prefix}VARIANT`, variant],
  ];
}
