import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { TestWorkspace } from '../test/workspace.ts';

let workspace: TestWorkspace;
let original: string;

const file = 'apps/hello/Kraftfile';
const kraftfile = (): Promise<string> => readFile(workspace.path(file), 'utf8');

beforeAll(async () => {
  workspace = await TestWorkspace.create('apps/hello', 'tools/test-kernel');
  original = await kraftfile();
});
afterAll(() => workspace.remove());
beforeEach(() => workspace.write(file, original));

test('config shows the whole configuration, the one of another target, or what differs', async () => {
  const own = await workspace.nx('run', 'hello:config');
  expect(own.output).toContain('\nCONFIG_KVM_VMM_QEMU=y\n');
  const other = await workspace.nx('run', 'hello:config', '--for=fc-x86_64', '--json');
  expect(other.output).toContain('"CONFIG_KVM_VMM_FIRECRACKER": "y"');
  const difference = await workspace.nx('run', 'hello:config', '--compare=fc-x86_64');
  expect(difference.output).toContain('\n- CONFIG_KVM_VMM_FIRECRACKER=y\n');
  expect(difference.output).toContain('\n+ CONFIG_KVM_VMM_QEMU=y\n');
  expect(difference.output).not.toContain('CONFIG_LIBVFSCORE=');
  const missing = await workspace.nx('run', 'hello:config', '--for=xen-x86_64');
  expect(missing.exitCode).not.toBe(0);
  expect(missing.output).toContain('fc-x86_64');
});

test('set and unset write to the Kraftfile, at the place that is said, and tell it', async () => {
  const set = await workspace.nx('run', 'hello:set', 'CONFIG_OPTIMIZE_SIZE=y');
  expect(set.output).toContain('apps/hello/Kraftfile: CONFIG_OPTIMIZE_SIZE=y in the kconfig of unikraft\n');
  expect(await kraftfile()).toContain("    CONFIG_OPTIMIZE_SIZE: 'y'\n");
  await workspace.nx('run', 'hello:set', 'CONFIG_LIBUKBOOT_MAXNBARGS=9', '--for', 'fc-x86_64');
  const compared = await workspace.nx('run', 'hello:config', '--compare=fc-x86_64');
  expect(compared.output).toContain('- CONFIG_LIBUKBOOT_MAXNBARGS=9\n+ CONFIG_LIBUKBOOT_MAXNBARGS=60\n');
  await workspace.nx('run', 'hello:unset', 'CONFIG_OPTIMIZE_SIZE');
  expect(await kraftfile()).not.toContain('CONFIG_OPTIMIZE_SIZE');
});

test('menuconfig writes what was changed in the menus to the Kraftfile, and needs a terminal', async () => {
  const change = 'CONFIG_LIBUKBOOT_MAXNBARGS=33\nCONFIG_LIBPOSIX_ENVIRON=n\n\u0004';
  const shown = await workspace.nxOnTerminal('CONFIG_DEBUG_SYMBOLS_LVL3', change, 'run', 'hello:menuconfig');
  expect(shown).toContain('CONFIG_LIBUKBOOT_MAXNBARGS=33');
  expect(await kraftfile()).toContain("    CONFIG_LIBUKBOOT_MAXNBARGS: '33'\n");
  expect(await kraftfile()).toContain("    CONFIG_LIBPOSIX_ENVIRON: 'n'\n");
  const blind = await workspace.nx('run', 'hello:menuconfig');
  expect(blind.exitCode).not.toBe(0);
  expect(blind.output).toContain('menus need a terminal');
});

test('a build without an option that the Kraftfile asks for fails, and tells where it stands and why', async () => {
  await workspace.edit(file, "    CONFIG_LIBRAMFS: 'y'\n", "    CONFIG_LIBRAMFS: 'y'\n    CONFIG_LIB9PFS: 'y'\n");
  const place =
    'apps/hello/Kraftfile:12:5: CONFIG_LIB9PFS=y did not stick, the configuration does not have it: ' +
    'it depends on CONFIG_LIBVFSCORE_AUTOMOUNT_UP';
  const usual = await workspace.nx('run', 'hello:build:qemu-x86_64');
  expect(usual.exitCode).not.toBe(0);
  expect(usual.output).toContain(`error: ${place}`);
  expect(usual.output).toContain('KConfig did not take CONFIG_LIB9PFS (KRAFTFILE_OPTIONS_DROPPED)');

  // As the docs say it, for all kernels of a workspace.
  const defaults = { 'nx-kraft:build': { options: { strict: false } } };
  const settings = JSON.parse(await readFile(workspace.path('nx.json'), 'utf8')) as object;
  await workspace.write('nx.json', JSON.stringify({ ...settings, targetDefaults: defaults }));
  const lenient = await workspace
    .nx('run', 'hello:build:qemu-x86_64')
    .finally(() => workspace.write('nx.json', JSON.stringify(settings)));
  expect(lenient.exitCode).toBe(0);
  expect(lenient.output).toContain(`warning: ${place}`);
  expect(lenient.output).toMatch(/\d+ KiB in memory; largest: lib/);
  const sizes = await readFile(workspace.path('apps/hello/.unikraft/build/hello_qemu-x86_64.sizes.json'), 'utf8');
  expect(JSON.parse(sizes)).toMatchObject({ total: { text: expect.any(Number) as number } });
});

test('verify-reproducible builds all targets twice and tells their digests', async () => {
  const { output, exitCode } = await workspace.nx('run', 'hello:verify-reproducible');
  expect(exitCode).toBe(0);
  expect(output).toMatch(/hello_qemu-x86_64 is reproducible: sha256:/);
  expect(output).toMatch(/hello_fc-x86_64 is reproducible: sha256:/);
});
