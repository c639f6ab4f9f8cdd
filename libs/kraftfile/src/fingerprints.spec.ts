import { describe, expect, it } from 'vitest';
import { modelOf } from '../test/read.ts';
import {
  embedsRootfs,
  kernelFingerprint,
  packageFingerprint,
  romFingerprint,
  rootfsFingerprint,
  runFingerprint,
  testFingerprint,
} from './fingerprints.ts';

const base = `spec: v0.7
name: app
unikraft: {version: stable, kconfig: {CONFIG_A: y}}
libraries: {musl: stable, lwip: {version: stable, kconfig: {CONFIG_L: y, CONFIG_M: 1}}}
rootfs: ./rootfs
roms: [./rom]
volumes: ["./a:/a"]
cmd: [/app]
env: {HOME: /, A: b}
labels: {x: y}
x-note: {a: 1}
targets:
- {plat: qemu, arch: x86_64, kconfig: {CONFIG_T: y, CONFIG_U: n}}
- {plat: fc, arch: arm64}
`;

/** Which tasks are other ones after a change of the text. */
function changedBy(change: readonly [string | RegExp, string]): readonly string[] {
  const fingerprints = (text: string): Record<string, string> => {
    const kraftfile = modelOf(text);
    const tasks: Record<string, unknown> = {
      rootfs: rootfsFingerprint(kraftfile, 'x86_64'),
      rom: romFingerprint(kraftfile, 0, 'x86_64'),
      package: packageFingerprint(kraftfile),
    };
    for (const target of kraftfile.targets) {
      tasks[`kernel ${target.id}`] = kernelFingerprint(kraftfile, target);
      tasks[`run ${target.id}`] = runFingerprint(kraftfile, target);
      tasks[`test ${target.id}`] = testFingerprint(kraftfile, target);
    }
    return Object.fromEntries(Object.entries(tasks).map(([task, value]) => [task, JSON.stringify(value)]));
  };
  const [before, after] = [fingerprints(base), fingerprints(base.replace(...change))];
  return Object.keys(before)
    .filter((task) => before[task] !== after[task])
    .toSorted();
}

const kernels = ['kernel fc-arm64', 'kernel qemu-x86_64'];
const runs = ['run fc-arm64', 'run qemu-x86_64', 'test fc-arm64', 'test qemu-x86_64'];

describe('fingerprints', () => {
  it.each<[string, [string | RegExp, string], readonly string[]]>([
    ['a comment', ['name: app', '# hello\nname: app # app'], []],
    ['the order of keys', ['CONFIG_T: y, CONFIG_U: n', 'CONFIG_U: n, CONFIG_T: y'], []],
    [
      'the order of libraries',
      [/libraries:.*/, 'libraries: {lwip: {kconfig: {CONFIG_M: 1, CONFIG_L: y}, version: stable}, musl: stable}'],
      [],
    ],
    ['the order of variables', ['HOME: /, A: b', 'A: b, HOME: /'], []],
    ['another form of the same', ['{plat: fc, arch: arm64}', 'firecracker/arm64'], []],
    ['an extension', ['a: 1', 'a: 2'], []],
    ['an unknown key', ['x-note', 'whatever: 1\nx-note'], []],
    ['cmd', ['[/app]', '[/app, -v]'], ['package', ...runs]],
    ['env', ['A: b', 'A: c'], ['package', ...runs]],
    ['labels', ['x: y', 'x: z'], ['package']],
    ['volumes', ['./a:/a', './b:/a'], runs],
    ['rootfs', ['./rootfs', './Dockerfile'], ['rootfs']],
    ['roms', ['./rom]', './rom2]'], ['rom']],
    ['kconfig of unikraft', ['CONFIG_A: y', 'CONFIG_A: n'], kernels],
    ['the version of a library', ['musl: stable', 'musl: staging'], kernels],
    ['kconfig of one target', ['CONFIG_T: y', 'CONFIG_T: n'], ['kernel qemu-x86_64']],
    [
      'the architecture of one target',
      ['arch: arm64', 'arch: arm'],
      [...kernels.slice(0, 1), 'package', 'run fc-arm64', 'test fc-arm64'],
    ],
    ['one more target', ['- {plat: fc', '- xen/x86_64\n- {plat: fc'], ['package']],
  ])('%s changes just what it can change', (_, change, expected) => {
    expect(changedBy(change)).toEqual([...expected].toSorted());
  });

  it('are plain JSON', () => {
    const kraftfile = modelOf(base);
    const [target] = kraftfile.targets;
    const value = target && kernelFingerprint(kraftfile, target);
    expect(JSON.parse(JSON.stringify(value))).toEqual(value);
  });

  it('say when a kernel holds the root filesystem', () => {
    const embeds = (kconfig: string): boolean => {
      const kraftfile = modelOf(`spec: v0.6\nunikraft: {kconfig: {${kconfig}}}\ntargets: [qemu/x86_64]\n`);
      return kraftfile.targets.every((target) => embedsRootfs(kraftfile, target));
    };
    expect(embeds('CONFIG_LIBVFSCORE_AUTOMOUNT_CI_EINITRD: y')).toBe(true);
    expect(embeds('CONFIG_LIBVFSCORE_AUTOMOUNT_CI_EINITRD: n')).toBe(false);
    expect(embeds('CONFIG_LIBVFSCORE_AUTOMOUNT_CI_INITRD: y')).toBe(false);
    const path = (text: string): string =>
      `CONFIG_LIBVFSCORE_AUTOMOUNT_EINITRD: y, CONFIG_LIBVFSCORE_AUTOMOUNT_EINITRD_PATH: ${text}`;
    expect(embeds(path('/srv/my.cpio'))).toBe(false);
    expect(embeds(path('./.unikraft/build/initramfs.cpio'))).toBe(true);
  });
});
