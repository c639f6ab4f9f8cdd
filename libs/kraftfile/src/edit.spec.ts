import { describe, expect, it } from 'vitest';
import { modelOf } from '../test/read.ts';
import { setLabel } from './edit-labels.ts';
import { addLibrary, addTarget, removeLibrary, removeTarget, setKconfig, unsetKconfig } from './edit.ts';
import { upgradeKraftfile } from './upgrade.ts';

/** A file with comments, odd order and mixed quotes, all of which have to stay. */
const file = `# my app
spec: v0.6 # keep
targets:
  # the first one
  - qemu/x86_64   # here

  - fc/x86_64


libraries:
  musl: stable # short
  lwip:
    version: "stable"
    kconfig:
      - CONFIG_LWIP=y   # list
      # last words
unikraft:
  kconfig:
    # numbers
    CONFIG_A: 128
    CONFIG_B: 'y'
cmd: [ "/app",   '-v' ]
# the end
`;

/** The lines that one text has and the other has not. */
function difference(before: string, after: string): { gone: readonly string[]; new: readonly string[] } {
  const lines = (text: string): string[] => text.split('\n');
  const without = (all: readonly string[], taken: readonly string[]): readonly string[] => {
    const left = [...taken];
    return all.filter((line) => {
      const index = left.indexOf(line);
      if (index !== -1) left.splice(index, 1);
      return index === -1;
    });
  };
  return {
    gone: without(lines(before), lines(after)).toSorted(),
    new: without(lines(after), lines(before)).toSorted(),
  };
}

describe('targets', () => {
  it('are added at the end of the list, as the others are written', () => {
    const after = addTarget(file, { platform: 'xen', architecture: 'arm64' });
    expect(difference(file, after)).toEqual({ gone: [], new: ['  - xen/arm64'] });
    expect(after).toContain('  - fc/x86_64\n  - xen/arm64\n\n\nlibraries:');
  });

  it.each([
    ['targets:\n- plat: qemu\n  arch: arm64\n', 'targets:\n- plat: qemu\n  arch: arm64\n- plat: fc\n  arch: arm64\n'],
    [
      'targets:\n  - architecture: arm64\n    platform: qemu\n',
      'targets:\n  - architecture: arm64\n    platform: qemu\n  - architecture: arm64\n    platform: fc\n',
    ],
    ['targets: [qemu/arm64]\n', 'targets: [qemu/arm64, fc/arm64]\n'],
    ['targets: [\n  qemu/arm64, # one\n]\n', 'targets: [\n  qemu/arm64, # one\n  fc/arm64,\n]\n'],
    ['targets: [\n  qemu/arm64 # one\n]\n', 'targets: [\n  qemu/arm64, # one\n  fc/arm64\n]\n'],
    ['targets: []\n', 'targets: [fc/arm64]\n'],
    ['targets:\nname: a\n', 'targets:\n  - fc/arm64\nname: a\n'],
    ['name: a', 'name: a\ntargets:\n  - fc/arm64'],
    ['name: a\r\n', 'name: a\r\ntargets:\r\n  - fc/arm64\r\n'],
  ])('are added to %j', (before, after) => {
    const start = before.includes('\r') ? 'spec: v0.6\r\n' : 'spec: v0.6\n';
    expect(addTarget(start + before, { platform: 'fc', architecture: 'arm64' })).toBe(start + after);
  });

  it('are added to a file that is JSON', () => {
    expect(addTarget('{"spec": "v0.6", "unikraft": "stable"}', { platform: 'fc', architecture: 'arm64' })).toBe(
      '{"spec": "v0.6", "unikraft": "stable", targets: [fc/arm64]}',
    );
  });

  it('are removed with their line, and with the last one the list', () => {
    const one = removeTarget(file, 'qemu-x86_64');
    expect(difference(file, one)).toEqual({ gone: ['  - qemu/x86_64   # here'], new: [] });
    expect(difference(one, removeTarget(one, 'fc-x86_64')).gone).toContain('targets:');
    expect(removeTarget('spec: v0.6\ntargets: [qemu/x86_64, fc/x86_64]\n', 'fc-x86_64')).toBe(
      'spec: v0.6\ntargets: [qemu/x86_64]\n',
    );
    expect(removeTarget('spec: v0.6\ntargets: [qemu/x86_64, fc/x86_64]\n', 'qemu-x86_64')).toBe(
      'spec: v0.6\ntargets: [fc/x86_64]\n',
    );
  });

  it('have a name of their own, whatever that is, where others have that of the folder', () => {
    const target = { platform: 'qemu', architecture: 'x86_64' };
    const unnamed = 'spec: v0.6\nruntime: base\ntargets: [qemu/x86_64]\n';
    const named = 'spec: v0.6\nruntime: base\ntargets:\n  - name: app\n    plat: qemu\n    arch: x86_64\n';
    expect(addTarget(unnamed, { ...target, name: 'app' })).toContain('name: app');
    expect(addTarget(named, { platform: 'qemu', architecture: 'x86_64' })).not.toBe(named);
    const again = (): string => addTarget(unnamed, target);
    expect(again).toThrow(expect.objectContaining({ code: 'EDIT_EXISTS' }));
  });

  it('are refused when they are there already, and known ones are named when one is not there', () => {
    const known = (): string => addTarget(file, { platform: 'fc', architecture: 'x86_64' });
    expect(known).toThrow(expect.objectContaining({ name: 'KraftfileFault', code: 'EDIT_EXISTS' }));
    const unknown = (): string => removeTarget(file, 'xen-arm64');
    expect(unknown).toThrow(
      expect.objectContaining({ code: 'EDIT_NOT_FOUND', hint: 'It has: qemu-x86_64, fc-x86_64.' }),
    );
  });
});

describe('libraries', () => {
  it('are added and removed, short where the others are short', () => {
    expect(difference(file, addLibrary(file, { name: 'zlib', version: '0.17' })).new).toEqual(["  zlib: '0.17'"]);
    expect(difference(file, addLibrary(file, { name: 'zlib', source: '../zlib', version: 'stable' })).new).toEqual([
      '    source: ../zlib',
      '    version: stable',
      '  zlib:',
    ]);
    expect(difference(file, removeLibrary(file, 'musl'))).toEqual({ gone: ['  musl: stable # short'], new: [] });
    const long = 'spec: v0.6\nlibraries:\n  a:\n    version: stable\n';
    expect(addLibrary(long, { name: 'b', version: 'x' })).toBe(`${long}  b:\n    version: x\n`);
    expect(addLibrary('spec: v0.6\n', { name: 'b', version: 'x' })).toBe('spec: v0.6\nlibraries:\n  b: x\n');
    expect(removeLibrary('spec: v0.6\nlibraries:\n  b: x\n', 'b')).toBe('spec: v0.6\n');
  });
});

describe('kconfig', () => {
  it.each([
    ['unikraft', 'CONFIG_A', '5', ['    CONFIG_A: 128'], ["    CONFIG_A: '5'"]],
    ['unikraft', 'CONFIG_B', 'n', ["    CONFIG_B: 'y'"], ["    CONFIG_B: 'n'"]],
    ['unikraft', 'CONFIG_C', "it's $5", [], ["    CONFIG_C: 'it''s $$5'"]],
    [{ library: 'lwip' }, 'CONFIG_LWIP', 'n', ['      - CONFIG_LWIP=y   # list'], ['      - CONFIG_LWIP=n   # list']],
    [{ library: 'lwip' }, 'CONFIG_X', 'a: b', [], ["      - 'CONFIG_X=a: b'"]],
    [
      { library: 'musl' },
      'CONFIG_X',
      'y',
      ['  musl: stable # short'],
      ['  musl: # short', '    version: stable', '    kconfig:', "      CONFIG_X: 'y'"],
    ],
    [
      { target: 'fc-x86_64' },
      'CONFIG_X',
      'y',
      ['  - fc/x86_64'],
      ['  - platform: fc', '    architecture: x86_64', '    kconfig:', "      CONFIG_X: 'y'"],
    ],
    [
      { target: 'qemu-x86_64' },
      'CONFIG_X',
      'y',
      ['  - qemu/x86_64   # here'],
      ['  - platform: qemu   # here', '    architecture: x86_64', '    kconfig:', "      CONFIG_X: 'y'"],
    ],
  ] as const)('of %j gets %s = %s', (place, symbol, value, gone, added) => {
    expect(difference(file, setKconfig(file, place, symbol, value))).toEqual({
      gone: gone.toSorted(),
      new: added.toSorted(),
    });
  });

  it.each([
    ['unikraft: stable\n', "unikraft:\n  version: stable\n  kconfig:\n    CONFIG_X: 'y'\n"],
    ['unikraft: {version: stable}\n', "unikraft: {version: stable, kconfig: {CONFIG_X: 'y'}}\n"],
    ['unikraft:\n    kconfig:\n', "unikraft:\n    kconfig:\n        CONFIG_X: 'y'\n"],
    ['unikraft:\n  kconfig: {}\n', "unikraft:\n  kconfig: {CONFIG_X: 'y'}\n"],
    ['unikraft:\n  kconfig: [CONFIG_A=y]\n', 'unikraft:\n  kconfig: [CONFIG_A=y, CONFIG_X=y]\n'],
    ['unikraft:\n  kconfig:\n    CONFIG_A: y', 'unikraft:\n  kconfig:\n    CONFIG_A: y\n    CONFIG_X: y'],
    ['unikraft: ../uk@v1\n', "unikraft:\n  source: ../uk\n  version: v1\n  kconfig:\n    CONFIG_X: 'y'\n"],
  ])('is written into %j', (before, after) => {
    const start = 'spec: v0.6\n';
    expect(setKconfig(start + before, 'unikraft', 'CONFIG_X', 'y')).toBe(start + after);
  });

  it('is taken out, all repeats of it too', () => {
    expect(difference(file, unsetKconfig(file, 'unikraft', 'CONFIG_A'))).toEqual({
      gone: ['    CONFIG_A: 128'],
      new: [],
    });
    const repeated = 'spec: v0.6\nunikraft:\n  kconfig:\n    A: 1\n    B: 2\n    A: 3\n';
    expect(unsetKconfig(repeated, 'unikraft', 'A')).toBe('spec: v0.6\nunikraft:\n  kconfig:\n    B: 2\n');
    expect(unsetKconfig(file, { library: 'lwip' }, 'CONFIG_LWIP')).toContain('    kconfig: {}');
  });

  it('says what is not there, and what it cannot change', () => {
    expect(() => unsetKconfig(file, 'unikraft', 'CONFIG_Z')).toThrow(
      expect.objectContaining({ code: 'EDIT_NOT_FOUND' }),
    );
    expect(() => setKconfig('spec: v0.6\nruntime: a\n', 'unikraft', 'CONFIG_Z', 'y')).toThrow(
      expect.objectContaining({ code: 'EDIT_NOT_FOUND' }),
    );
    const shared = 'spec: v0.6\nx-k: &k {CONFIG_A: y}\nunikraft: {kconfig: *k}\n';
    expect(() => setKconfig(shared, 'unikraft', 'CONFIG_B', 'y')).toThrow(
      expect.objectContaining({ code: 'EDIT_FORM' }),
    );
    expect(() => setKconfig('spec: [', 'unikraft', 'CONFIG_B', 'y')).toThrow(
      expect.objectContaining({ code: 'KRAFTFILE_BROKEN', at: 'Kraftfile:1:8' }),
    );
  });

  it('calls the file by its name', () => {
    const name = 'apps/web/Kraftfile.yaml';
    const told = (code: string, at = name) => expect.objectContaining({ code, at }) as Error;
    expect(() => unsetKconfig(file, 'unikraft', 'CONFIG_Z', name)).toThrow(told('EDIT_NOT_FOUND'));
    expect(() => removeTarget(file, 'none', name)).toThrow(told('EDIT_NOT_FOUND'));
    expect(() => addLibrary(file, { name: 'musl' }, name)).toThrow(told('EDIT_EXISTS'));
    const shared = 'spec: v0.6\nx-k: &k {CONFIG_A: y}\nunikraft: {kconfig: *k}\n';
    expect(() => setKconfig(shared, 'unikraft', 'CONFIG_B', 'y', name)).toThrow(told('EDIT_FORM'));
    expect(() => setLabel('spec: [', 'a', 'b', name)).toThrow(told('KRAFTFILE_BROKEN', `${name}:1:8`));
    expect(() => upgradeKraftfile('spec: [', 'v0.7', name)).toThrow(told('KRAFTFILE_BROKEN', `${name}:1:8`));
  });

  it('holds any value', () => {
    for (const value of [
      '',
      '"',
      "'",
      '\\',
      '$',
      '${A}',
      '#',
      ': ',
      '- a',
      '\t',
      'ä💥',
      'null',
      '0x1F',
      '1e5',
      '~',
      '&a',
    ]) {
      for (const base of [file, 'spec: v0.7\nunikraft:\n  kconfig: {CONFIG_Q: "q"}\n']) {
        expect(modelOf(setKconfig(base, 'unikraft', 'CONFIG_V', value)).unikraft?.kconfig.CONFIG_V).toBe(value);
      }
    }
  });
});

describe('setting labels', () => {
  it.each([
    ['spec: v0.6\nruntime: a\n', "spec: v0.6\nruntime: a\nlabels:\n  app.version: '1.0'\n"],
    ['spec: v0.6\nruntime: a\nlabels:\n', "spec: v0.6\nruntime: a\nlabels:\n  app.version: '1.0'\n"],
    [
      "spec: v0.6\nlabels:\n  app.version: '0.9' # ours\n  b: c\nruntime: a\n",
      "spec: v0.6\nlabels:\n  app.version: '1.0' # ours\n  b: c\nruntime: a\n",
    ],
    ['spec: v0.6\nruntime: a\nlabels: { b: c }\n', "spec: v0.6\nruntime: a\nlabels: { b: c, app.version: '1.0' }\n"],
  ])('%j', (before, after) => {
    expect(setLabel(before, 'app.version', '1.0')).toBe(after);
    expect(setLabel(after, 'app.version', '1.0')).toBe(after);
  });

  it('refuses labels that are a list', () => {
    expect(() => setLabel('spec: v0.6\nruntime: a\nlabels: [a=b]\n', 'c', 'd')).toThrow(
      'cannot be changed by a program',
    );
  });
});
