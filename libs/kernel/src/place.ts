import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ProgramFault, hasErrorCode, run } from '@nx-kraft/base';

/**
 * Folders by the name that they have in a canonical place, such as `core` or `lib/musl`; or a folder and the path in it
 * that is meant, where what lies around that must be seen too.
 */
export type Folders = Readonly<Record<string, string | { readonly folder: string; readonly inside: string }>>;

const script = join(import.meta.dirname, 'canonical-place.sh');

/** Where make runs: how it is started, and at which path it sees each folder. */
export interface Place {
  readonly canonical: boolean;
  /** The path of a folder, or of what is meant inside it. */
  readonly path: (name: string) => string;
  /** The path of a folder with all that lies around what is meant inside it. */
  readonly whole: (name: string) => string;
  readonly command: (program: string, args: readonly string[]) => readonly [string, readonly string[]];
}

/**
 * A place where each folder lies at `/mnt/<name>`, whatever its path on this machine: debug information,
 * configuration headers and `__FILE__` then hold the same paths on every machine, which makes images bit-identical and
 * objects shareable. It is a mount namespace of Linux; where the system allows none, make sees the folders' own paths.
 *
 * @param stage  an empty folder for making the mounts
 */
export async function choosePlace(folders: Folders, stage: string): Promise<Place> {
  const entry = await namespaceEntry();
  if (entry === undefined) return ordinaryPlace(folders);
  await mkdir(stage, { recursive: true });
  const mounts = Object.keys(folders).flatMap((name) => [split(folders, name).folder, name]);
  return {
    canonical: true,
    path: (name) => join('/mnt', name, split(folders, name).inside),
    whole: (name) => join('/mnt', name),
    command: (program, args) => ['unshare', [...entry, '/bin/sh', script, stage, ...mounts, '--', program, ...args]],
  };
}

function ordinaryPlace(folders: Folders): Place {
  return {
    canonical: false,
    path: (name) => {
      const { folder, inside } = split(folders, name);
      return join(folder, inside);
    },
    whole: (name) => split(folders, name).folder,
    command: (program, args) => [program, args],
  };
}

function split(folders: Folders, name: string): { readonly folder: string; readonly inside: string } {
  const folder = folders[name];
  if (folder === undefined) throw new Error(`no folder is named ${name}`);
  return typeof folder === 'string' ? { folder, inside: '' } : folder;
}

/** Whether kernels can be built at paths that are the same on every machine: whether mount namespaces are allowed. */
export async function hasCanonicalPlaces(): Promise<boolean> {
  return (await namespaceEntry()) !== undefined;
}

/** What Linux decides by whether a process may have a mount namespace. */
const deciding = [
  'self/status',
  'self/attr/current',
  // Tells containers apart, whose other names may be given again.
  'self/mountinfo',
  'sys/kernel/random/boot_id',
  'sys/kernel/unprivileged_userns_clone',
  'sys/kernel/apparmor_restrict_unprivileged_userns',
  'sys/user/max_user_namespaces',
  'sys/user/max_mnt_namespaces',
];

/** The lines of `/proc/self/status` about rights; the others differ from process to process. */
const rights = /^(Uid|Gid|Groups|Cap\w+|NoNewPrivs|Seccomp):.*$/gm;

/**
 * A text that is another one whenever the answer of {@link hasCanonicalPlaces} may be, as long as `unshare` is the same
 * file: whoever keeps both need not make a namespace to know.
 */
export function surroundings(): string {
  const texts = deciding.map((name) => {
    const text = readIfThere(join('/proc', name));
    return name === 'self/status' ? (text.match(rights) ?? []).join('\n') : text;
  });
  const digest = createHash('sha256').update([tmpdir(), ...texts].join('\0'));
  return digest.digest('base64url');
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    // Systems without a file of these, and those that let nobody read it, decide without it.
    if (hasErrorCode(error, 'ENOENT', 'EACCES', 'EINVAL', 'EPERM')) return '';
    throw error;
  }
}

let knownEntry: Promise<readonly string[] | undefined> | undefined;

/** The options with which `unshare` may make a place here, found by making one once per process. */
function namespaceEntry(): Promise<readonly string[] | undefined> {
  knownEntry ??= findEntry();
  return knownEntry;
}

async function findEntry(): Promise<readonly string[] | undefined> {
  const stage = await mkdtemp(join(tmpdir(), 'nx-kraft-place-'));
  const mounts = ['--mount', '--propagation', 'private'];
  try {
    for (const options of [mounts, ['--user', '--map-root-user', ...mounts]]) {
      try {
        await run('unshare', [...options, '/bin/sh', script, stage, import.meta.dirname, 'probe', '--', 'true']);
        return options;
      } catch (error) {
        if (!(error instanceof ProgramFault)) throw error;
      }
    }
    return undefined;
  } finally {
    await rmdir(stage);
  }
}
