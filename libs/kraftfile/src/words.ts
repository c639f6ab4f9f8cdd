/** The keys that each part of a Kraftfile knows, canonical words first. */
export const topKeys = [
  'spec',
  'name',
  'unikraft',
  'libraries',
  'template',
  'runtime',
  'rootfs',
  'roms',
  'volumes',
  'cmd',
  'env',
  'labels',
  'targets',
  'outdir',
  'kconfig',
  'specification',
] as const;

/** Keys that files before v0.5 use instead of `targets`. */
export const treeKeys = ['architectures', 'platforms'] as const;

export const componentKeys = ['source', 'version', 'kconfig'] as const;
export const templateKeys = ['name', 'source', 'version', 'kconfig'] as const;
export const targetKeys = ['name', 'platform', 'architecture', 'kconfig', 'plat', 'arch', 'kernel'] as const;
export const volumeKeys = ['source', 'destination', 'driver', 'mode', 'readonly', 'readOnly', 'type'] as const;
export const filesystemKeys = ['source', 'format', 'type'] as const;
export const filesystemSourceKeys = ['path', 'dockerfile', 'type'] as const;

/** Why some keys that people write at the top do nothing, and what does it instead. */
export const ignoredKeys: Readonly<Record<string, string>> = {
  memory: 'Memory is an option of running, not of the Kraftfile.',
  networks: 'Networks and ports are options of running, not of the Kraftfile.',
  ports: 'Networks and ports are options of running, not of the Kraftfile.',
  run: 'Memory, networks and volumes are options of running; put arguments into cmd and volumes into volumes.',
  services: 'A Kraftfile describes one unikernel; several belong into a compose file.',
  sources: "Sources of the application are listed in its Makefile.uk, with the library's name: APPNAME_SRCS-y.",
};

/** Platforms that Unikraft builds for, with the words that mean them. */
export const platforms: Readonly<Record<string, string>> = {
  qemu: 'qemu',
  fc: 'fc',
  xen: 'xen',
  kraftcloud: 'kraftcloud',
  linuxu: 'linuxu',
  kvm: 'qemu',
  firecracker: 'fc',
};

/** Architectures that Unikraft builds for. */
export const architectures = ['x86_64', 'arm64', 'arm'] as const;

/** Words of other tools for architectures, which kraft does not know. */
export const architectureAliases: Readonly<Record<string, string>> = {
  amd64: 'x86_64',
  x64: 'x86_64',
  'x86-64': 'x86_64',
  aarch64: 'arm64',
  armv7: 'arm',
  arm32: 'arm',
};

export const filesystemFormats = ['cpio', 'erofs'] as const;
export const filesystemSourceTypes = ['oci', 'dir', 'file', 'tarball', 'cpio', 'erofs', 'dockerfile'] as const;
