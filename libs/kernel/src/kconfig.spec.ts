import { expect, test } from 'vitest';
import { findDroppedOptions, formatFragment, mergeKconfig, parseConfig, targetSymbols } from './kconfig.ts';

test('later layers win', () => {
  expect(mergeKconfig({ CONFIG_A: 'y', CONFIG_B: '1' }, { CONFIG_A: 'n' })).toEqual({ CONFIG_A: 'n', CONFIG_B: '1' });
});

test('a target stands for symbols; an unknown one is refused with the known ones', () => {
  expect(targetSymbols('x86_64', 'fc')).toEqual({
    CONFIG_ARCH_X86_64: 'y',
    CONFIG_PLAT_KVM: 'y',
    CONFIG_KVM_VMM_FIRECRACKER: 'y',
  });
  expect(() => targetSymbols('x86_64', 'vmware')).toThrow(
    expect.objectContaining({
      code: 'KERNEL_BAD_TARGET',
      hint: expect.stringContaining('qemu, fc') as string,
    }) as Error,
  );
});

test('a fragment is sorted, and only strings are quoted', () => {
  const values = {
    CONFIG_S: 'a "b" \\c',
    CONFIG_N: 'n',
    CONFIG_X: '0x1F',
    CONFIG_I: '-4',
    CONFIG_E: '',
    CONFIG_Y: 'y',
  };
  expect(formatFragment(values)).toBe(
    [
      'CONFIG_E=""',
      'CONFIG_I=-4',
      '# CONFIG_N is not set',
      'CONFIG_S="a \\"b\\" \\\\c"',
      'CONFIG_X=0x1F',
      'CONFIG_Y=y',
      '',
    ].join('\n'),
  );
});

test('the value of a string stays one when it looks like something else', () => {
  const values = { CONFIG_I: '80', CONFIG_S: '80', CONFIG_T: 'n' };
  expect(formatFragment(values, new Set(['CONFIG_S', 'CONFIG_T']))).toBe('CONFIG_I=80\nCONFIG_S="80"\nCONFIG_T="n"\n');
});

test('what is written is read back', () => {
  const values = { CONFIG_A: 'with "quotes" and \\', CONFIG_B: 'n', CONFIG_C: '12', CONFIG_D: 'y' };
  expect(parseConfig(formatFragment(values))).toEqual(values);
});

test('options that KConfig did not take are found, equal numbers and absent n are not', () => {
  const asked = { CONFIG_A: 'y', CONFIG_B: 'n', CONFIG_C: '0x10', CONFIG_D: 'text', CONFIG_E: 'y' };
  const finished = { CONFIG_A: 'y', CONFIG_C: '16', CONFIG_D: 'other', CONFIG_F: 'y' };
  expect(findDroppedOptions(asked, finished)).toEqual([
    { symbol: 'CONFIG_D', asked: 'text', got: 'other' },
    { symbol: 'CONFIG_E', asked: 'y', got: undefined },
  ]);
});
