import { expect, test } from 'vitest';
import { hintFor, installLine, packagedPrograms } from './packages.ts';
import { describeLinux, type Family, type System } from './system.ts';

const linux = (osRelease: string, kernel = '6.1.0'): System => describeLinux(osRelease, kernel);

test('systems are told apart by what installs packages on them', () => {
  expect(linux('PRETTY_NAME="Ubuntu 24.04 LTS"\nID=ubuntu\nID_LIKE=debian\n')).toEqual({
    name: 'Ubuntu 24.04 LTS',
    family: 'apt',
    wsl: false,
  });
  expect(linux('ID=fedora\n').family).toBe('dnf');
  expect(linux('ID=endeavouros\nID_LIKE="arch"\n').family).toBe('pacman');
  expect(linux('ID="rocky"\nID_LIKE="rhel centos fedora"\n').family).toBe('rhel');
  expect(linux("ID='postmarketos'\nID_LIKE='alpine'\n").family).toBe('apk');
  expect(linux('ID=nixos\n').family).toBeUndefined();
  expect(linux('ID=debian\n', '5.15.153.1-microsoft-standard-WSL2')).toMatchObject({ family: 'apt', wsl: true });
});

test('each system has a line with its own names, each package once', () => {
  const all: readonly Family[] = ['apt', 'dnf', 'rhel', 'pacman', 'apk', 'brew'];
  expect(all.map((family) => installLine(family, ['qemu-system-x86_64', 'python3', 'unshare', 'setpriv']))).toEqual([
    'sudo apt-get install --yes qemu-system-x86 python3 util-linux',
    'sudo dnf install --assumeyes qemu-system-x86-core python3 util-linux',
    'sudo dnf install --assumeyes python3 util-linux',
    'sudo pacman -S --needed qemu-system-x86 python util-linux',
    'apk add qemu-system-x86_64 python3 util-linux-misc setpriv',
    'brew install qemu',
  ]);
  expect(installLine('pacman', ['arm-linux-gnueabihf-gcc'])).toBeUndefined();
  for (const program of packagedPrograms) expect(installLine('apt', [program])).toMatch(/--yes \S/);
});

test('what to do about a missing program is said for the system, and never with the line of another one', () => {
  expect(hintFor('flex', linux('ID=fedora\n'))).toBe('Install it: sudo dnf install --assumeyes flex');
  expect(hintFor('qemu-system-x86_64', linux('ID=rhel\n'))).toBe(
    "Install this system's package for qemu-system-x86_64; Debian's is qemu-system-x86.",
  );
  expect(hintFor('flex', linux('ID=nixos\n'))).toBe("Install this system's package for flex; Debian's is flex.");
  expect(hintFor('gcc', { name: 'macOS', family: 'brew', wsl: false })).toContain('Not on macOS');
  expect(hintFor('something', linux('ID=debian\n'))).toBe('Install something and make sure that it is in PATH.');
});
