import type { Kraftfile, Plain, Target } from './model.ts';
import { outputDirectory } from './outputs.ts';
import { setOwn } from './set-own.ts';

/** Kinds of tasks whose results depend on a Kraftfile. */
export type TaskKind = 'kernel' | 'rootfs' | 'rom' | 'package' | 'run' | 'test';

type Field = keyof Kraftfile | 'target';

/**
 * Which field of the model can change the result of which task. Nothing else of the file reaches a task's key; a new
 * field of the model does not compile until it stands here. What a field's files hold, what a kernel embeds and what
 * a version stands for today come in through other inputs of the task.
 */
const users: Readonly<Record<Field, readonly TaskKind[]>> = {
  spec: ['rootfs', 'rom'],
  name: ['package'],
  variant: ['kernel', 'rootfs', 'rom', 'package'],
  unikraft: ['kernel'],
  libraries: ['kernel'],
  template: ['kernel'],
  kconfig: ['kernel'],
  target: ['kernel', 'run', 'test'],
  runtime: ['package', 'run', 'test'],
  rootfs: ['rootfs'],
  roms: ['rom'],
  volumes: ['run', 'test'],
  cmd: ['package', 'run', 'test'],
  env: ['package', 'run', 'test'],
  labels: ['package'],
  targets: ['package'],
  outdir: ['kernel', 'rootfs', 'rom', 'package'],
  extensions: [],
  unknown: [],
};

const allFields = Object.keys(users) as Field[];

type Fields = Partial<Record<Field, unknown>>;

/** The fields that change a target's kernel. Where {@link embedsRootfs}, the rootfs task's result is an input too. */
export function kernelFingerprint(kraftfile: Kraftfile, target: Target): Plain {
  return canonical(pick('kernel', kraftfile, { target, libraries: byName(kraftfile.libraries) }));
}

/** The fields that change the root filesystem for an architecture. */
export function rootfsFingerprint(kraftfile: Kraftfile, architecture: string): Plain {
  return canonical({ ...pick('rootfs', kraftfile), architecture });
}

/** The fields that change one of the read-only images for an architecture. */
export function romFingerprint(kraftfile: Kraftfile, index: number, architecture: string): Plain {
  return canonical({ ...pick('rom', kraftfile), roms: kraftfile.roms[index], index, architecture });
}

/** The fields that change the package of all targets, beside the kernels and file systems that go into it. */
export function packageFingerprint(kraftfile: Kraftfile): Plain {
  const targets = kraftfile.targets.map(({ id, name, platform, architecture }) => ({
    id,
    name,
    platform,
    architecture,
  }));
  const images = { hasRootfs: kraftfile.rootfs !== undefined, roms: kraftfile.roms.length };
  return canonical({ ...pick('package', kraftfile), targets, ...images });
}

/** The fields that change what a run of a target does, beside what it runs. */
export function runFingerprint(kraftfile: Kraftfile, target: Target): Plain {
  return canonical(pick('run', kraftfile, { target: machineOf(target) }));
}

/** The fields that change what a test of a target finds, beside what it boots. */
export function testFingerprint(kraftfile: Kraftfile, target: Target): Plain {
  return canonical(pick('test', kraftfile, { target: machineOf(target) }));
}

/**
 * Whether a target's kernel holds the root filesystem inside of itself, as far as the Kraftfile says: only then does
 * the kernel depend on it. A kernel that is told to take an archive from elsewhere does not.
 */
export function embedsRootfs(kraftfile: Kraftfile, target: Target): boolean {
  const layers = [
    kraftfile.template?.kconfig,
    kraftfile.unikraft?.kconfig,
    ...kraftfile.libraries.map((library) => library.kconfig),
    kraftfile.kconfig,
    target.kconfig,
  ];
  const kconfig: Readonly<Record<string, string>> = Object.assign({}, ...layers) as Readonly<Record<string, string>>;
  if (!embeddingSymbols.some((symbol) => kconfig[symbol] === 'y')) return false;
  const path = kconfig.CONFIG_LIBVFSCORE_AUTOMOUNT_EINITRD_PATH?.replace(/^\.\//, '') ?? '';
  return path === '' || path.startsWith(`${outputDirectory(kraftfile)}/`);
}

const embeddingSymbols = [
  'CONFIG_LIBVFSCORE_AUTOMOUNT_EINITRD',
  'CONFIG_LIBVFSCORE_AUTOMOUNT_CI_EINITRD',
  'CONFIG_LIBVFSCORE_ROOTFS_EINITRD',
] as const;

/** What of a target matters to a machine that runs it: its configuration is in the kernel already. */
function machineOf({ id, platform, architecture }: Target): Pick<Target, 'id' | 'platform' | 'architecture'> {
  return { id, platform, architecture };
}

function byName<T extends { readonly name: string }>(items: readonly T[]): readonly T[] {
  return items.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** The fields of a kind of task, with other values for some of them. */
function pick(kind: TaskKind, kraftfile: Kraftfile, others: Fields = {}): Fields {
  const own: Fields = kraftfile;
  const picked: Fields = {};
  for (const field of allFields) {
    if (users[field].includes(kind)) picked[field] = Object.hasOwn(others, field) ? others[field] : own[field];
  }
  return picked;
}

/** The same value with the keys of all mappings sorted and without absent ones. */
function canonical(value: unknown): Plain {
  if (typeof value !== 'object' || value === null) return value as Plain;
  if (Array.isArray(value)) return value.map((item) => canonical(item));
  const sorted: Record<string, Plain> = {};
  for (const key of Object.keys(value).sort()) {
    const content = (value as Record<string, unknown>)[key];
    if (content !== undefined) setOwn(sorted, key, canonical(content));
  }
  return sorted;
}
