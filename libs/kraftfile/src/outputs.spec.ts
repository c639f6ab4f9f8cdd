import { posix } from 'node:path';
import { describe, expect, it } from 'vitest';
import { modelOf } from '../test/read.ts';
import { imageName, outputNames, romName, rootfsName } from './outputs.ts';

const names = (text: string, file = 'Kraftfile'): readonly string[] => {
  const kraftfile = modelOf(text, { file });
  return kraftfile.targets.map((target) => outputNames(kraftfile, target).kernel);
};

describe('output names', () => {
  it('are those of kraft', () => {
    const kraftfile = modelOf('spec: v0.6\nname: app\nunikraft: stable\ntargets: [kvm/x86_64]\n');
    const [target] = kraftfile.targets;
    expect(target && outputNames(kraftfile, target)).toMatchObject({
      kernel: '.unikraft/build/app_qemu-x86_64',
      kernelDebug: '.unikraft/build/app_qemu-x86_64.dbg',
      config: '.unikraft/build/app_qemu-x86_64.config',
    });
    expect(rootfsName(kraftfile, 'x86_64')).toBe('.unikraft/build/initramfs-x86_64.cpio');
    expect(rootfsName(kraftfile, 'x86_64', 'erofs')).toBe('.unikraft/build/initramfs-x86_64.erofs');
  });

  it('follow outdir, the names of targets, and the name of the file', () => {
    const text = 'spec: v0.6\nname: app\noutdir: ./out\ntargets: [{plat: qemu, arch: arm64, name: web}]\n';
    expect(names(text)).toEqual(['out/web_qemu-arm64']);
    expect(names(text, 'some/Kraftfile.cloud')).toEqual(['out/cloud/web_qemu-arm64']);
    expect(names(text, 'kraft.cloud.yaml')).toEqual(['out/cloud/web_qemu-arm64']);
    expect(names(text, 'kraft.yaml')).toEqual(['out/web_qemu-arm64']);
  });

  it('differ for targets that kraft would write to one file', () => {
    const target = (name: string): string => `{plat: qemu, arch: arm64, kconfig: {CONFIG_A: ${name}}}`;
    expect(names(`spec: v0.6\nname: a\ntargets: [${target('x')}, ${target('y')}]\n`)).toEqual([
      '.unikraft/build/a_qemu-arm64',
      '.unikraft/build/a_qemu-arm64-2',
    ]);
    const sameButCase = 'spec: v0.6\ntargets: [{plat: qemu, arch: arm, name: A}, {plat: qemu, arch: arm, name: a}]\n';
    expect(new Set(names(sameButCase).map((name) => name.toLowerCase())).size).toBe(2);
  });

  it.each([
    '../../etc',
    '/etc/passwd',
    '..',
    '.',
    '...',
    'a/../../b',
    'C:\\x',
    '\\\\host\\x',
    '\0',
    '-rf',
    ' ',
    '~',
    '💥',
  ])('never leave the folder of the Kraftfile: %j', (hostile) => {
    const quoted = JSON.stringify(hostile);
    const text = `spec: v0.6\nname: ${quoted}\noutdir: ${quoted}\ntargets: [{plat: ${quoted}, arch: ${quoted}, name: ${quoted}}, {plat: qemu, arch: arm64}]\n`;
    const kraftfile = modelOf(text, { file: `Kraftfile.${hostile}`, directoryName: hostile });
    const outputs = kraftfile.targets.map((target) => outputNames(kraftfile, target));
    const all: readonly string[] = [
      ...outputs.flatMap(({ kernel, kernelDebug, config, image }) => [kernel, kernelDebug, config, image]),
      ...kraftfile.targets.map(({ id }) => id),
      rootfsName(kraftfile, hostile),
      romName(kraftfile, 0, hostile),
      imageName(kraftfile),
    ];
    for (const path of all) {
      expect(path).toBe(posix.normalize(path));
      expect(path).not.toMatch(/^[/~-]|(^|\/)\.\.(\/|$)|\\|\0|:/);
    }
  });
});
