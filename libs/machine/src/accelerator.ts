import { createHash } from 'node:crypto';
import { access, constants, mkdtemp, readFile, realpath, rm, stat, writeFile } from 'node:fs/promises';
import { arch, homedir, platform, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { hasErrorCode, ProgramFault, replaceAtomically, run } from '@nx-kraft/base';
import { MachineFault } from './fault.ts';
import type { Architecture } from './kernel-file.ts';
import { makeProbeKernel, probeExitStatus } from './probe-kernel.ts';

export type Accelerator = 'kvm' | 'tcg';

export interface AcceleratorChoice {
  readonly accelerator: Accelerator;
  /** Why it is not the hardware, in a sentence; undefined when it is, or when emulation was asked for. */
  readonly note?: string | undefined;
}

/** The names that Node gives the hosts on which the hardware can run an architecture. */
const nativeHosts: Readonly<Record<Architecture, string>> = { x86_64: 'x64', arm64: 'arm64', arm: 'arm' };
/** A machine that has not ended after this time (milliseconds) loops on something that the host cannot do. */
const probeLimit = 5000;

/**
 * Chooses between the hardware (KVM) and emulation (TCG). KVM is taken only after a machine has really booted with it:
 * /dev/kvm may be there and not work, for example under nested virtualisation. The answer is remembered in
 * `cacheFolder` until QEMU, the host's kernel or the device change.
 *
 * @param qemu  the path of QEMU for the architecture
 * @throws MachineFault MACHINE_NO_KVM when KVM was asked for and does not work
 */
export async function chooseAccelerator(
  wanted: Accelerator | 'auto',
  architecture: Architecture,
  qemu: string,
  cacheFolder: string = defaultCacheFolder(),
): Promise<AcceleratorChoice> {
  if (wanted === 'tcg') return { accelerator: 'tcg' };
  const obstacle = await findObstacle(architecture, qemu, cacheFolder);
  if (obstacle === undefined) return { accelerator: 'kvm' };
  if (wanted === 'auto') return { accelerator: 'tcg', note: `emulated, which is slower, since ${obstacle.why}` };
  throw new MachineFault('MACHINE_NO_KVM', obstacle.why, {
    at: obstacle.at,
    hint: `${obstacle.hint} Or let it be emulated (accelerator 'auto' or 'tcg').`,
  });
}

/** `nx-kraft` in the user's folder for caches. */
export function defaultCacheFolder(): string {
  return join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'nx-kraft');
}

interface Obstacle {
  readonly why: string;
  readonly at?: string;
  readonly hint: string;
}

async function findObstacle(architecture: Architecture, qemu: string, cache: string): Promise<Obstacle | undefined> {
  if (platform() !== 'linux') return { why: `KVM is not on ${platform()}`, hint: 'It is part of Linux.' };
  if (nativeHosts[architecture] !== arch()) {
    const host = (Object.keys(nativeHosts) as Architecture[]).find((name) => nativeHosts[name] === arch()) ?? arch();
    return { why: `the host is ${host} and the machine ${architecture}`, hint: `Use a host of that architecture.` };
  }
  const device = '/dev/kvm';
  try {
    await access(device, constants.R_OK | constants.W_OK);
  } catch (error) {
    return hasErrorCode(error, 'EACCES', 'EPERM')
      ? { why: 'you may not use /dev/kvm', at: device, hint: 'Become a member of the group kvm.' }
      : { why: 'there is no /dev/kvm', at: device, hint: 'Turn virtualisation on in the firmware or the cloud.' };
  }
  const failure = await recall(await probeKey(architecture, qemu, device), cache, () => probe(architecture, qemu));
  if (failure === '') return undefined;
  return {
    why: `/dev/kvm does not work (${failure})`,
    at: device,
    hint: 'Often the host is a virtual machine that does not virtualise fully.',
  };
}

/** What the answer depends on. */
async function probeKey(architecture: Architecture, qemu: string, device: string): Promise<string> {
  const path = await realpath(qemu);
  const [program, node] = await Promise.all([stat(path), stat(device)]);
  const parts = [architecture, path, program.size, program.mtimeMs, release(), node.rdev, node.ino];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32);
}

async function recall(key: string, folder: string, find: () => Promise<string>): Promise<string> {
  const path = join(folder, `kvm-${key}`);
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (!hasErrorCode(error, 'ENOENT')) throw error;
  }
  const answer = await find();
  try {
    await replaceAtomically(path, (temporary) => writeFile(temporary, answer));
  } catch (error) {
    // A home that cannot be written to only costs the memory of this answer.
    if (!hasErrorCode(error, 'EACCES', 'EROFS', 'EPERM', 'ENOTDIR', 'ENOSPC')) throw error;
  }
  return answer;
}

/** Boots the probe; gives what went wrong, or an empty text. */
async function probe(architecture: Architecture, qemu: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'nx-kraft-kvm-'));
  const common = ['-no-user-config', '-nodefaults', '-display', 'none', '-no-reboot', '-m', 'size=32M'];
  const kernel = join(folder, 'probe');
  // On Arm nothing as small ends QEMU; that a machine with its processor can be made is taken as the answer.
  const machine =
    architecture === 'x86_64'
      ? ['-machine', 'pc,accel=kvm', '-cpu', 'host,+x2apic,-pmu', '-device', 'isa-debug-exit', '-kernel', kernel]
      : ['-machine', 'virt,accel=kvm', '-cpu', 'host', '-S', '-qmp', 'stdio'];
  try {
    await writeFile(kernel, makeProbeKernel());
    const input = '{"execute":"qmp_capabilities"}{"execute":"quit"}\n';
    await run(qemu, [...common, ...machine], { input, signal: AbortSignal.timeout(probeLimit) });
    return architecture === 'x86_64' ? 'the test machine ended without an answer' : '';
  } catch (error) {
    if (!(error instanceof ProgramFault)) throw error;
    if (architecture === 'x86_64' && error.exitCode === probeExitStatus) return '';
    if (error.output === '') return 'the test machine hung';
    return (error.output.trim().split('\n')[0] ?? '').replace(/^\S*qemu-system-\w+: (?:error: )?/, '');
  } finally {
    await rm(folder, { recursive: true });
  }
}
