import { detectSystem, type Family } from './system.ts';

export { detectSystem, type Family, type System } from './system.ts';

/** The packages that have a program; none where a system has none, or none that is known for certain. */
type Packages = Readonly<Partial<Record<Family, string>> & { apt: string }>;

/** The same name on all Linux systems. */
const onLinux = (name: string): Packages => ({ apt: name, dnf: name, rhel: name, pacman: name, apk: name });

/** Which package has each program that is called. */
const packages = {
  // Elsewhere the headers of the C library, which make's own programs need, come with the compiler.
  gcc: { ...onLinux('gcc'), apk: 'gcc musl-dev' },
  'x86_64-linux-gnu-gcc': { apt: 'gcc-x86-64-linux-gnu', dnf: 'gcc-x86_64-linux-gnu' },
  'aarch64-linux-gnu-gcc': {
    apt: 'gcc-aarch64-linux-gnu',
    dnf: 'gcc-aarch64-linux-gnu',
    pacman: 'aarch64-linux-gnu-gcc',
  },
  'arm-linux-gnueabihf-gcc': { apt: 'gcc-arm-linux-gnueabihf' },
  make: onLinux('make'),
  flex: onLinux('flex'),
  lex: onLinux('flex'),
  bison: onLinux('bison'),
  yacc: onLinux('bison'),
  m4: onLinux('m4'),
  bc: onLinux('bc'),
  patch: onLinux('patch'),
  python3: { ...onLinux('python3'), pacman: 'python' },
  git: { ...onLinux('git'), brew: 'git' },
  unshare: { ...onLinux('util-linux'), apk: 'util-linux-misc' },
  setpriv: { ...onLinux('util-linux'), apk: 'setpriv' },
  ip: { apt: 'iproute2', dnf: 'iproute', rhel: 'iproute', pacman: 'iproute2', apk: 'iproute2' },
  gdb: { ...onLinux('gdb'), brew: 'gdb' },
  // Red Hat's QEMU is no program of these names, and knows only its own machines.
  'qemu-system-x86_64': {
    apt: 'qemu-system-x86',
    dnf: 'qemu-system-x86-core',
    pacman: 'qemu-system-x86',
    apk: 'qemu-system-x86_64',
    brew: 'qemu',
  },
  'qemu-system-aarch64': {
    apt: 'qemu-system-arm',
    dnf: 'qemu-system-aarch64-core',
    pacman: 'qemu-system-aarch64',
    apk: 'qemu-system-aarch64',
    brew: 'qemu',
  },
  'qemu-system-arm': {
    apt: 'qemu-system-arm',
    dnf: 'qemu-system-arm-core',
    pacman: 'qemu-system-arm',
    apk: 'qemu-system-arm',
    brew: 'qemu',
  },
  virtiofsd: onLinux('virtiofsd'),
  podman: { ...onLinux('podman'), brew: 'podman' },
  buildah: onLinux('buildah'),
  docker: { apt: 'docker.io', dnf: 'moby-engine', pacman: 'docker', apk: 'docker', brew: 'colima docker' },
  'mkfs.erofs': {
    apt: 'erofs-utils',
    dnf: 'erofs-utils',
    pacman: 'erofs-utils',
    apk: 'erofs-utils',
    brew: 'erofs-utils',
  },
  bzip2: { ...onLinux('bzip2'), brew: 'bzip2' },
  unzip: { ...onLinux('unzip'), brew: 'unzip' },
  xz: { ...onLinux('xz'), apt: 'xz-utils', brew: 'xz' },
} as const satisfies Readonly<Record<string, Packages>>;

/** A program whose package is known, on Debian at least. */
export type PackagedProgram = keyof typeof packages;

/** All of them. */
export const packagedPrograms = Object.keys(packages) as readonly PackagedProgram[];

const installers: Readonly<Record<Family, string>> = {
  apt: 'sudo apt-get install --yes',
  dnf: 'sudo dnf install --assumeyes',
  rhel: 'sudo dnf install --assumeyes',
  pacman: 'sudo pacman -S --needed',
  // Few of these systems have sudo.
  apk: 'apk add',
  brew: 'brew install',
};

/** The command that installs programs on a system; undefined where it has no package for any of them. */
export function installLine(family: Family, programs: readonly PackagedProgram[]): string | undefined {
  const names = programs.map((program) => (packages[program] as Packages)[family] ?? '');
  const wanted = [...new Set(names.flatMap((name) => name.split(' ')))].filter((name) => name !== '');
  return wanted.length === 0 ? undefined : `${installers[family]} ${wanted.join(' ')}`;
}

/**
 * What to do on a system when `program` is missing, as a sentence: the line that installs it, else what Debian's package is
 * called, which helps to find another one.
 */
export function hintFor(program: string, { family } = detectSystem()): string {
  const known = packagedPrograms.find((name) => name === program);
  if (known === undefined) return `Install ${program} and make sure that it is in PATH.`;
  const line = family === undefined ? undefined : installLine(family, [known]);
  if (line !== undefined) return `Install it: ${line}`;
  if (family === 'brew') return 'Not on macOS: use a Linux virtual machine or container for it.';
  return `Install this system's package for ${program}; Debian's is ${packages[known].apt}.`;
}
