import { arch } from 'node:os';

/** Unikraft's names for the architectures of hosts, by Node's. */
const architectures: Readonly<Record<string, string>> = { x64: 'x86_64', arm64: 'arm64', arm: 'arm' };

/** Platforms from the one that runs on most hosts to the one that runs on the fewest. */
export const platforms = ['qemu', 'fc', 'kraftcloud', 'xen', 'linuxu'];

/**
 * The target that this host runs best: QEMU's before all others, since it needs no rights and emulates where it must;
 * among equals one of the host's own architecture; among those the first.
 */
export function hostTarget<T extends { readonly platform: string; readonly architecture: string }>(
  targets: readonly T[],
): T | undefined {
  const rank = ({ platform, architecture }: T): number => {
    const place = platforms.indexOf(platform);
    return (place === -1 ? platforms.length : place) * 2 + (architecture === architectures[arch()] ? 0 : 1);
  };
  return targets.length < 2 ? targets[0] : targets.toSorted((a, b) => rank(a) - rank(b))[0];
}
