import type { Family } from './system.ts';

/** The packages that have a program; `undefined` where a system has none. */
export type Packages = Readonly<Partial<Record<Family, string>>>;

/** The same name on all Linux systems. */
const onLinux = (name: string): Packages => ({ apt: name, dnf: name, pacman: name });

/** Which package has each program that a machine may lack. */
export const packages = {
  gcc: onLinux('gcc'),
  'x86_64-linux-gnu-gcc': { apt: 'gcc-x86-64-linux-gnu', dnf: 'gcc-x86_64-linux-gnu' },
  'aarch64-linux-gnu-gcc': {
    apt: 'gcc-aarch64-linux-gnu',
    dnf: 'gcc-aarch64-linux-gnu',
    pacman: 'aarch64-linux-gnu-gcc',
  },
  'arm-linux-gnueabihf-gcc': { apt: 'gcc-arm-linux-gnueabihf' },
  make: onLinux('make'),
  flex: onLinux('flex'),
  bison: onLinux('bison'),
  python3: { apt: 'python3', dnf: 'python3', pacman: 'python' },
  git: { ...onLinux('git'), brew: 'git' },
  unshare: onLinux('util-linux'),
  setpriv: onLinux('util-linux'),
  gdb: { ...onLinux('gdb'), brew: 'gdb' },
  'qemu-system-x86_64': {
    apt: 'qemu-system-x86',
    dnf: 'qemu-system-x86-core',
    pacman: 'qemu-system-x86',
    brew: 'qemu',
  },
  'qemu-system-aarch64': {
    apt: 'qemu-system-arm',
    dnf: 'qemu-system-aarch64-core',
    pacman: 'qemu-system-aarch64',
    brew: 'qemu',
  },
  podman: { ...onLinux('podman'), brew: 'podman' },
  docker: { apt: 'docker.io', dnf: 'moby-engine', pacman: 'docker', brew: 'colima docker' },
  'mkfs.erofs': { ...onLinux('erofs-utils'), brew: 'erofs-utils' },
} as const satisfies Readonly<Record<string, Packages>>;

export type Program = keyof typeof packages;

const installers: Readonly<Record<Family, string>> = {
  apt: 'sudo apt-get install --yes',
  dnf: 'sudo dnf install --assumeyes',
  pacman: 'sudo pacman -S --needed',
  brew: 'brew install',
};

/** The command that installs programs on a system; undefined where it has no package for any of them. */
export function installLine(family: Family, programs: readonly Program[]): string | undefined {
  const names = programs.map((program) => (packages[program] as Packages)[family] ?? '');
  const wanted = [...new Set(names.flatMap((name) => name.split(' ')))].filter((name) => name !== '');
  return wanted.length === 0 ? undefined : `${installers[family]} ${wanted.join(' ')}`;
}
