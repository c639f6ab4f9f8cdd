import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { installHint } from '@nx-kraft/base';
import { MachineFault } from './fault.ts';
import { exists } from './files.ts';
import { spawnBound } from './programs.ts';
import type { Mount } from './volumes.ts';

/** The daemons of one machine, which end when its QEMU ends, or with this process. */
export interface Daemons {
  /** All volumes of the machine, with sockets in place of the folders that are shared by virtiofs. */
  readonly mounts: readonly Mount[];
  /** Ends them, for a machine that did not come about, and gives why, where it was they who did not go on. */
  readonly stop: (error: unknown) => Promise<unknown>;
  /** Takes their sockets out of the file system, once QEMU is connected. */
  readonly hide: () => Promise<void>;
}

/** Distributions install the daemon outside of PATH: the one in Rust, and the older one of QEMU. */
const places = ['/usr/libexec/virtiofsd', '/usr/lib/virtiofsd', '/usr/lib/qemu/virtiofsd', '/usr/bin/virtiofsd'];
/** How long (milliseconds) a daemon may take until it listens. */
const startLimit = 5000;
/** How long (milliseconds) one may take to say why it ends. */
const saying = 50;

/**
 * Starts virtiofsd for each folder.
 *
 * @throws MachineFault MACHINE_NO_PROGRAM, MACHINE_BAD_VOLUME, MACHINE_START_FAILED with the daemon's words
 */
export async function startDaemons(mounts: readonly Mount[], folders: readonly Mount[]): Promise<Daemons> {
  const program = places.find((place) => existsSync(place));
  if (program === undefined) {
    throw new MachineFault('MACHINE_NO_PROGRAM', 'virtiofsd is not installed', {
      hint: `9p shares the folder without it. ${await installHint('virtiofsd')}`,
    });
  }
  const comma = folders.find(({ source }) => source.includes(','));
  if (comma !== undefined) {
    throw new MachineFault('MACHINE_BAD_VOLUME', `virtiofsd takes no path with a comma: ${comma.source}`, {
      hint: 'Share it by 9p.',
    });
  }
  const readOnly = folders.find((mount) => mount.readOnly);
  if (readOnly !== undefined) {
    throw new MachineFault('MACHINE_BAD_VOLUME', `virtiofs cannot keep the guest from writing to ${readOnly.source}`, {
      hint: 'Share it by 9p, which can.',
    });
  }
  const place = await mkdtemp(join(tmpdir(), 'nx-kraft-fs-'));
  const daemons: Daemon[] = [];
  const stop = async (error: unknown) => {
    // One that ended by itself, which is why QEMU could not use it, has said why.
    await sleep(saying);
    const failed = daemons.find(({ child }) => child.exitCode !== null);
    for (const { child } of daemons) child.kill('SIGKILL');
    return failed === undefined ? error : failure(failed, error);
  };
  const hide = () => rm(place, { recursive: true, force: true });
  try {
    const sockets = new Map(folders.map(({ tag }) => [tag, join(place, tag)]));
    for (const folder of folders) {
      const socket = sockets.get(folder.tag) ?? '';
      const daemon = startDaemon(program, socket, folder.source);
      daemons.push(daemon);
      await untilListening(daemon, socket);
    }
    return {
      mounts: mounts.map((mount) => ({ ...mount, source: sockets.get(mount.tag) ?? mount.source })),
      stop,
      hide,
    };
  } catch (error) {
    await stop(error);
    await hide();
    throw error;
  }
}

interface Daemon {
  readonly child: ChildProcess;
  /** The last that it said. */
  readonly words: () => string;
}

function startDaemon(program: string, socket: string, folder: string): Daemon {
  const args = [`--socket-path=${socket}`, '-o', `source=${folder}`];
  const child = spawnBound(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-4096)));
  child.once('error', (error) => (said += error.message));
  return { child, words: () => said.trim().split('\n').at(-1) ?? '' };
}

function failure({ words }: Daemon, cause?: unknown): MachineFault {
  return new MachineFault('MACHINE_START_FAILED', `virtiofsd: ${words()}`, {
    hint: 'It needs root and its own name spaces. Sharing by 9p needs neither.',
    cause,
  });
}

async function untilListening(daemon: Daemon, socket: string): Promise<void> {
  for (const limit = Date.now() + startLimit; !(await exists(socket));) {
    const { exitCode, signalCode } = daemon.child;
    if (exitCode !== null || signalCode !== null || Date.now() > limit) throw failure(daemon);
    await sleep(5);
  }
}
