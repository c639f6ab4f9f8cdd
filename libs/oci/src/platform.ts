import { encodePlatform } from './encode.ts';
import type { Platform } from './model.ts';

/** The name under which packages carry a platform: `qemu` for `kvm`, `fc` for `firecracker`. */
export function canonicalPlatform(name: string): string {
  return platformAliases[name] ?? name;
}

/** Unikraft's name of an architecture: `x86_64` for `amd64`, `arm64` for `aarch64`. */
export function canonicalArchitecture(name: string): string {
  return architectureAliases[name] ?? name;
}

/**
 * KConfig as it stands in `os.features`: `CONFIG_X=value`, quotes taken off, sorted by byte, without the two symbols
 * that hold paths of the machine that built.
 *
 * @param kconfig  values by symbol, as in a finished `.config`; `n` and symbols that are not set are left out
 */
export function kconfigFeatures(kconfig: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(kconfig)
    .filter(([symbol, value]) => value !== 'n' && !machineSymbols.has(symbol))
    .map(([symbol, value]) => `${symbol}=${value.replace(/^"(.*)"$/, '$1')}`)
    .toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

/** Whether the kernel has its root filesystem linked into it, so that a separate one would never be used. */
export function embedsRootfs(features: readonly string[]): boolean {
  return features.some((feature) => embeddingFeatures.has(feature));
}

/** The platform alone, out of a configuration. */
export function platformOf(config: Platform): Platform {
  const { architecture, os, 'os.version': version, 'os.features': features, variant } = config;
  return {
    architecture,
    os,
    ...(version === undefined ? {} : { 'os.version': version }),
    ...(features === undefined ? {} : { 'os.features': features }),
    ...(variant === undefined ? {} : { variant }),
  };
}

/** Whether two platforms are the same in every member, KConfig included. */
export function samePlatform(a: Platform, b: Platform): boolean {
  return encodePlatform(a) === encodePlatform(b);
}

/** A platform for people: `qemu/x86_64`. */
export function platformName(platform: Platform): string {
  return `${platform.os}/${platform.architecture}`;
}

const platformAliases: Readonly<Record<string, string>> = { kvm: 'qemu', firecracker: 'fc' };
const architectureAliases: Readonly<Record<string, string>> = { amd64: 'x86_64', aarch64: 'arm64' };
const machineSymbols = new Set(['CONFIG_UK_APP', 'CONFIG_UK_BASE']);
const embeddingFeatures = new Set([
  'CONFIG_LIBVFSCORE_ROOTFS_EINITRD=y',
  'CONFIG_LIBVFSCORE_AUTOMOUNT_EINITRD=y',
  'CONFIG_LIBVFSCORE_AUTOMOUNT_CI_EINITRD=y',
]);
