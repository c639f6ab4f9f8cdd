import { readFileSync } from 'node:fs';
import { platform, release } from 'node:os';
import { hasErrorCode } from './fault.ts';

/** Systems by what installs packages on them; Red Hat's has other packages than Fedora. */
export type Family = 'apt' | 'dnf' | 'rhel' | 'pacman' | 'apk' | 'brew';

/** What this machine is. */
export interface System {
  /** As people call it: `Debian GNU/Linux 12 (bookworm)`. */
  readonly name: string;
  /** Undefined for systems whose packages are not known here. */
  readonly family: Family | undefined;
  /** Whether it is Linux inside Windows. */
  readonly wsl: boolean;
}

const families: Readonly<Record<string, Family>> = {
  debian: 'apt',
  ubuntu: 'apt',
  fedora: 'dnf',
  rhel: 'rhel',
  centos: 'rhel',
  arch: 'pacman',
  alpine: 'apk',
};

/** Finds out what this machine is. */
export function detectSystem(): System {
  if (platform() === 'darwin') return { name: `macOS (Darwin ${release()})`, family: 'brew', wsl: false };
  if (platform() !== 'linux') return { name: platform(), family: undefined, wsl: false };
  return describeLinux(readOsRelease(), release());
}

/**
 * @param osRelease  the text of `/etc/os-release`, see os-release(5)
 * @param kernel  the version of the kernel; that of WSL has Microsoft's name in it
 */
export function describeLinux(osRelease: string, kernel: string): System {
  const fields = new Map(
    osRelease.split('\n').map((line) => {
      const [name = '', value = ''] = line.split('=');
      return [name, value.replace(/^(["'])(.*)\1$/, '$2')];
    }),
  );
  const ids = [fields.get('ID') ?? '', ...(fields.get('ID_LIKE') ?? '').split(' ')];
  const wsl = /microsoft/i.test(kernel);
  const name = fields.get('PRETTY_NAME') ?? 'Linux';
  return { name: wsl ? `${name} in WSL` : name, family: ids.map((id) => families[id]).find(Boolean), wsl };
}

function readOsRelease(): string {
  try {
    return readFileSync('/etc/os-release', 'utf8');
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return '';
    throw error;
  }
}
