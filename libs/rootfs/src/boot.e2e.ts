import { execFile } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Workspace } from '../test/workspace.ts';

const execute = promisify(execFile);
const core = process.env.NX_KRAFT_TEST_CORE ?? '';

let workspace: Workspace;
let kernel: string;
beforeAll(async () => {
  workspace = new Workspace();
  kernel = await buildProbe(workspace.path('kernel'));
});
afterAll(() => workspace.remove());

/** A kernel whose program prints what its arguments ask for. */
async function buildProbe(folder: string): Promise<string> {
  const symbols =
    'ARCH_X86_64 PLAT_KVM KVM_VMM_QEMU LIBVFSCORE LIBRAMFS LIBVFSCORE_AUTOMOUNT_CI LIBVFSCORE_AUTOMOUNT_CI_INITRD';
  mkdirSync(folder);
  writeFileSync(
    join(folder, 'fragment'),
    symbols
      .split(' ')
      .map((symbol) => `CONFIG_${symbol}=y\n`)
      .join(''),
  );
  const variables = [
    `A=${core}/probe`,
    'L=',
    `O=${folder}`,
    `C=${folder}/.config`,
    'N=probe',
    `UK_DEFCONFIG=${folder}/fragment`,
  ];
  await execute('make', ['-C', core, '-j2', ...variables, 'defconfig']);
  await execute('make', ['-C', core, '-j2', ...variables]);
  return join(folder, 'probe_qemu-x86_64');
}

async function boot(initrd: string, ...words: string[]): Promise<string> {
  const machine = ['-accel', 'tcg', '-m', '64', '-nographic', '-nodefaults', '-serial', 'stdio', '-no-reboot'];
  const append = words.join(' ');
  const { stdout } = await execute(
    'qemu-system-x86_64',
    [...machine, '-kernel', kernel, '-initrd', initrd, '-append', append],
    {
      timeout: 100_000,
    },
  );
  return stdout.replaceAll('\r', '');
}

describe('a guest reads back what went in', () => {
  test.each([
    ['a directory', 'root'],
    ['a Dockerfile', 'Dockerfile'],
  ])('from %s', async (_, source) => {
    workspace.put('root/etc/conf.d/first.conf', 'the first file\n');
    workspace.put('root/etc.conf', 'sorted after the directory\n');
    workspace.put(`root/${'deep/'.repeat(12)}file`, 'far down\n');
    workspace.put('root/Grüße.txt', 'unicode\n');
    workspace.put('root/empty', '');
    workspace.put('root/big', `${'x'.repeat(300_000)}the end of the big file\n`);
    mkdirSync(workspace.path('root/folder'), { recursive: true });
    if (source === 'root') symlinkSync('etc/conf.d/first.conf', workspace.path('root/link'));
    workspace.put('Dockerfile', 'FROM scratch\nCOPY root /\n');
    const { path, entries } = await workspace.build(source, { builder: 'embedded' }, `${source}.cpio`);
    const names = [
      '/etc/conf.d/first.conf',
      '/etc.conf',
      `/${'deep/'.repeat(12)}file`,
      '/Grüße.txt',
      '/link',
      '/empty',
      '/big',
    ];
    const console = await boot(path, ...names.flatMap((name) => ['cat', name]), 'list', '/', 'say', 'done');
    expect(entries).toBe(22);
    for (const text of [
      'the first file\nsorted after the directory\nfar down\nunicode\nthe first file\nx',
      'xthe end of the big file\n',
      'done',
    ]) {
      expect(console).toContain(text);
    }
    const listing = console.slice(console.indexOf('the end of the big file\n')).split('\n');
    for (const name of ['big', 'deep/', 'empty', 'etc/', 'etc.conf', 'folder/', 'link', 'Grüße.txt']) {
      expect(listing).toContain(name);
    }
  });
});
