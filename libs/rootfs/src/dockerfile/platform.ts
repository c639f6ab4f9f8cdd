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

/** TARGETPLATFORM, BUILDARCH and the like (Docker, "Automatic platform ARGs in the global scope"). */
export function platformArgs(target: string): Variables {
  const values = new Map([...describe('TARGET', target), ...describe('BUILD', platformOf())]);
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
