import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { MachineFault } from './fault.ts';
import { exists } from './files.ts';
import { spawnBound } from './programs.ts';
import type { Mount } from './volumes.ts';

/** The daemons of one machine, which end when its QEMU ends, or with this process. */
export interface Daemons {
  /** All volumes of the machine, with sockets in place of the folders that are shared by virtiofs. */
  readonly mounts: readonly Mount[];
  /** Ends them, for a machine that did not come about. */
  readonly stop: () => void;
  /** Takes their sockets out of the file system, once QEMU is connected. */
  readonly hide: () => Promise<void>;
}

/** Distributions install the daemon outside of PATH: the one in Rust, and the older one of QEMU. */
const places = ['/usr/libexec/virtiofsd', '/usr/lib/virtiofsd', '/usr/lib/qemu/virtiofsd', '/usr/bin/virtiofsd'];
/** How long (milliseconds) a daemon may take until it listens. */
const startLimit = 5000;

/**
 * Starts virtiofsd for each folder.
 *
 * @throws MachineFault MACHINE_NO_PROGRAM, MACHINE_BAD_VOLUME, MACHINE_START_FAILED with the daemon's words
 */
export async function startDaemons(mounts: readonly Mount[], folders: readonly Mount[]): Promise<Daemons> {
  const program = places.find((place) => existsSync(place));
  if (program === undefined) {
    throw new MachineFault('MACHINE_NO_PROGRAM', 'virtiofsd is not installed', {
      hint: 'Install it (apt-get install virtiofsd), or share the folder by 9p.',
    });
  }
  const readOnly = folders.find((mount) => mount.readOnly);
  if (readOnly !== undefined) {
    throw new MachineFault('MACHINE_BAD_VOLUME', `virtiofs cannot keep the guest from writing to ${readOnly.source}`, {
      hint: 'Share it by 9p, which can.',
    });
  }
  const place = await mkdtemp(join(tmpdir(), 'nx-kraft-fs-'));
  const children: ChildProcess[] = [];
  const stop = () => {
    for (const child of children) child.kill('SIGKILL');
  };
  const hide = () => rm(place, { recursive: true, force: true });
  try {
    const sockets = new Map(folders.map(({ tag }) => [tag, join(place, tag)]));
    for (const folder of folders) {
      // From within the folder, since the daemon splits its options at commas.
      const words = [`--socket-path=${sockets.get(folder.tag)}`, '-o', 'source=.'];
      const child = spawnBound(program, words, { cwd: folder.source, stdio: ['ignore', 'ignore', 'pipe'] });
      children.push(child);
      await untilListening(child, sockets.get(folder.tag) ?? '');
    }
    return {
      mounts: mounts.map((mount) => ({ ...mount, source: sockets.get(mount.tag) ?? mount.source })),
      stop,
      hide,
    };
  } catch (error) {
    stop();
    await hide();
    throw error;
  }
}

async function untilListening(child: ChildProcess, socket: string): Promise<void> {
  let words = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (words = (words + text).slice(-4096)));
  child.once('error', (error) => (words += error.message));
  for (const limit = Date.now() + startLimit; !(await exists(socket));) {
    if (child.exitCode !== null || child.signalCode !== null || Date.now() > limit) {
      throw new MachineFault('MACHINE_START_FAILED', `virtiofsd does not listen: ${words.trim().split('\n').at(-1)}`, {
        hint: 'It may need root. 9p needs no rights.',
      });
    }
    await sleep(5);
  }
}
