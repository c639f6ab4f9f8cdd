import { describe, expect, it } from 'vitest';
import { codesOf, modelOf, read } from '../test/read.ts';

const families = [
  ['v0.5', "spec: '0.5'\n"],
  ['v0.6', 'spec: v0.6\n'],
  ['v0.7', 'spec: v0.7\n'],
] as const;

describe('spec', () => {
  it.each([
    ["specification: '0.4'", 'v0.4'],
    ['spec: v0.5', 'v0.5'],
    ["spec: '0.6'", 'v0.6'],
    ['specification: v0.6.0', 'v0.6'],
    ['spec: v0.7', 'v0.7'],
  ])('reads %s', (line, spec) => {
    expect(modelOf(`${line}\nruntime: base\n`).spec).toBe(spec);
  });

  it.each(['v0.3', 'v0.8', '0.12.0', 'latest', '6'])('refuses version %s and says which ones are read', (version) => {
    const { kraftfile, diagnostics } = read(`spec: '${version}'\nruntime: base\n`);
    expect(kraftfile).toBeUndefined();
    expect(diagnostics).toMatchObject([
      { severity: 'error', code: 'SPEC_UNSUPPORTED', line: 1, column: 7, expected: 'v0.4, v0.5, v0.6, v0.7' },
    ]);
  });

  it('misses the version, and reads the rest as v0.6', () => {
    const { kraftfile, diagnostics } = read('name: a\nruntime: base\n');
    expect(kraftfile).toMatchObject({ spec: 'v0.6', name: 'a' });
    expect(diagnostics).toMatchObject([{ severity: 'error', code: 'SPEC_MISSING', line: 1 }]);
  });

  it('warns of a number, which kraft refuses', () => {
    expect(codesOf('spec: 0.6\nruntime: base\n')).toEqual(['1:7 SPEC_NUMBER']);
  });

  it('takes specification before spec, and says so', () => {
    expect(modelOf("spec: v0.6\nspecification: '0.5'\nruntime: base\n").spec).toBe('v0.5');
    expect(codesOf("spec: v0.6\nspecification: '0.5'\nruntime: base\n")).toEqual(['1:1 SPEC_TWICE']);
  });
});

describe('name', () => {
  it('is as written, else the name of the folder', () => {
    expect(modelOf('spec: v0.6\nname: My App\nruntime: base\n').name).toBe('My App');
    expect(modelOf('spec: v0.6\nruntime: base\n').name).toBe('folder');
    expect(modelOf('spec: v0.6\nname: ""\nruntime: base\n').name).toBe('folder');
    expect(modelOf('spec: v0.6\nname: 7\nruntime: base\n').name).toBe('7');
  });
});

describe('unikraft', () => {
  it.each([
    ['stable', { version: 'stable' }],
    ['0.17', { version: '0.17' }],
    ['0.10', { version: '0.10' }],
    ['70bc0af', { version: '70bc0af' }],
    ['1234e56', { version: '1234e56' }],
    ['path/to/unikraft', { source: 'path/to/unikraft' }],
    ['../unikraft', { source: '../unikraft' }],
    ['https://example.com/unikraft.git', { source: 'https://example.com/unikraft.git' }],
    [
      'https://example.com/unikraft.git@feature/x',
      { source: 'https://example.com/unikraft.git', version: 'feature/x' },
    ],
    ['https://example.com/unikraft.git:stable', { source: 'https://example.com/unikraft.git', version: 'stable' }],
    ['"https://example.com/unikraft.git#a/b"', { source: 'https://example.com/unikraft.git', version: 'a/b' }],
    ['"https://example.com/unikraft#v1"', { source: 'https://example.com/unikraft', version: 'v1' }],
    ['https://example.com/unikraft@v1', { source: 'https://example.com/unikraft', version: 'v1' }],
    ['https://me@example.com/unikraft', { source: 'https://me@example.com/unikraft' }],
    ['"https://example.com/unikraft?branch=x"', { source: 'https://example.com/unikraft', version: 'x' }],
    ['git@example.com:unikraft/unikraft.git', { source: 'git@example.com:unikraft/unikraft.git' }],
    ['{source: ../unikraft, version: 0.5}', { source: '../unikraft', version: '0.5' }],
  ])('reads %s before v0.7', (value, expected) => {
    expect(modelOf(`spec: v0.6\nunikraft: ${value}\n`).unikraft).toEqual({
      name: 'unikraft',
      kconfig: {},
      ...expected,
    });
  });

  it('reads a text as a version in v0.7, unless it can be none', () => {
    expect(modelOf('spec: v0.7\nunikraft: feature/x\n').unikraft).toMatchObject({ version: 'feature/x' });
    expect(codesOf('spec: v0.7\nunikraft: feature/x\n')).toEqual([]);
    const url = 'spec: v0.7\nunikraft: https://example.com/unikraft.git@staging\n';
    expect(modelOf(url).unikraft).toMatchObject({ source: 'https://example.com/unikraft.git', version: 'staging' });
    expect(codesOf(url)).toEqual(['2:11 SOURCE_AS_VERSION']);
  });
});

describe.each(families)('%s libraries', (_, spec) => {
  it('reads short and long forms in their order', () => {
    const text = `${spec}unikraft: stable\nlibraries:\n  musl: stable\n  lwip:\n    version: 0.18\n    source: ../lwip\n    kconfig: {CONFIG_LWIP: y}\n  zlib:\n`;
    expect(modelOf(text).libraries).toEqual([
      { name: 'musl', version: 'stable', kconfig: {} },
      { name: 'lwip', source: '../lwip', version: '0.18', kconfig: { CONFIG_LWIP: 'y' } },
      { name: 'zlib', kconfig: {} },
    ]);
  });

  it('warns of a key without any, where kraft crashes', () => {
    expect(codesOf(`${spec}unikraft: stable\nlibraries:\ntargets:\n`)).toEqual(['3:1 EMPTY_VALUE', '4:1 EMPTY_VALUE']);
  });
});

describe('template', () => {
  it.each([
    ['https://example.com/app-elfloader.git', { name: 'elfloader', source: 'https://example.com/app-elfloader.git' }],
    ['app/elfloader:stable', { name: 'elfloader', version: 'stable' }],
    ['elfloader', { name: 'elfloader' }],
    ['./templates/web', { name: 'web', source: './templates/web' }],
    ['{name: elfloader, version: staging}', { name: 'elfloader', version: 'staging' }],
    [
      '{source: https://example.com/app-x.git, version: staging}',
      { name: 'x', source: 'https://example.com/app-x.git', version: 'staging' },
    ],
  ])('reads %s', (value, expected) => {
    expect(modelOf(`spec: v0.6\ntemplate: ${value}\n`).template).toEqual({ kconfig: {}, ...expected });
  });
});

describe('runtime', () => {
  it.each([
    ['base:latest', { reference: 'base:latest' }],
    ['oci://example.com:5000/base:1', { reference: 'example.com:5000/base:1' }],
    ['kernel://build/kernel', { kernel: 'build/kernel' }],
    ['{source: base}', { reference: 'base' }],
    ['{source: example.com/base, version: 1.25}', { reference: 'example.com/base:1.25' }],
    [`{source: base, version: "sha256:${'0'.repeat(64)}"}`, { reference: `base@sha256:${'0'.repeat(64)}` }],
  ])('reads %s', (value, expected) => {
    expect(modelOf(`spec: v0.6\nruntime: ${value}\n`).runtime).toEqual({ kconfig: {}, ...expected });
  });

  it('warns of one that names no image, and of one that is not used', () => {
    expect(codesOf('spec: v0.6\nruntime: {version: 1}\n')).toEqual(['2:1 NO_KERNEL']);
    expect(codesOf('spec: v0.6\nruntime: base\nunikraft: stable\n')).toEqual(['2:1 KERNEL_AND_RUNTIME']);
  });

  it('warns of a mapping in v0.7, which kraft refuses there', () => {
    expect(codesOf('spec: v0.7\nruntime: {source: base}\n')).toEqual(['2:1 NOT_READ_BY_KRAFT']);
  });
});

describe('rootfs and roms', () => {
  it.each([
    ['v0.6', './Dockerfile', { source: './Dockerfile' }],
    ['v0.6', '{source: ./rootfs, type: erofs}', { source: './rootfs', format: 'erofs' }],
    ['v0.6', '{source: ./rootfs, type: dir}', { source: './rootfs', type: 'dir' }],
    ['v0.7', '{source: ./rootfs, format: erofs}', { source: './rootfs', format: 'erofs' }],
    ['v0.7', '{source: a.erofs, type: erofs, format: erofs}', { source: 'a.erofs', type: 'erofs', format: 'erofs' }],
    [
      'v0.7',
      '{source: {path: web, dockerfile: docker/Dockerfile}, format: cpio}',
      { source: 'web', dockerfile: 'docker/Dockerfile', type: 'dockerfile', format: 'cpio' },
    ],
    ['v0.7', '{source: {path: a.tar, type: tarball}}', { source: 'a.tar', type: 'tarball' }],
  ])('%s reads rootfs: %s', (spec, value, expected) => {
    expect(modelOf(`spec: ${spec}\nruntime: base\nrootfs: ${value}\n`).rootfs).toEqual(expected);
    expect(modelOf(`spec: ${spec}\nruntime: base\nroms: [${value}, x]\n`).roms).toEqual([expected, { source: 'x' }]);
  });

  it('finds the nearest format', () => {
    expect(read('spec: v0.7\nruntime: base\nrootfs: {source: x, format: errofs}\n').diagnostics).toMatchObject([
      { code: 'WRONG_VALUE', severity: 'error', suggestion: 'erofs', expected: 'cpio or erofs' },
    ]);
  });

  it('warns of a Dockerfile that is not there', () => {
    const exists = (path: string): boolean => path === './there/Dockerfile';
    const text = (rootfs: string): string => `spec: v0.6\nruntime: base\nrootfs: ${rootfs}\n`;
    expect(codesOf(text('./Dockerfile.web'), { exists })).toEqual(['3:9 DOCKERFILE_MISSING']);
    expect(codesOf(text('./there/Dockerfile'), { exists })).toEqual([]);
    expect(codesOf(text('./rootfs'), { exists })).toEqual([]);
  });
});

describe('volumes', () => {
  it.each([
    ['./src:/dest', [{ source: './src', destination: '/dest', readOnly: false }]],
    ['./src', [{ source: './src', destination: '/', readOnly: false }]],
    ['["./a:/a:ro"]', [{ source: './a', destination: '/a', mode: 'ro', readOnly: true }]],
    [String.raw`['C:\data:/data']`, [{ source: String.raw`C:\data`, destination: '/data', readOnly: false }]],
    [
      '[{source: a, destination: /a, driver: 9pfs, readOnly: true}]',
      [{ source: 'a', destination: '/a', driver: '9pfs', readOnly: true }],
    ],
    ['{source: a, destination: /a}', [{ source: 'a', destination: '/a', readOnly: false }]],
    [
      '{fs0: {driver: 9pfs, source: ./fs0}, fs1: {driver: initrd}}',
      [
        { name: 'fs0', source: './fs0', destination: '/', driver: '9pfs', readOnly: false },
        { name: 'fs1', destination: '/', driver: 'initrd', readOnly: false },
      ],
    ],
  ])('reads %s', (value, expected) => {
    expect(modelOf(`spec: v0.6\nruntime: base\nvolumes: ${value}\n`).volumes).toEqual(expected);
  });

  it('warns in v0.7 of forms that its reader refuses', () => {
    expect(codesOf('spec: v0.7\nruntime: base\nvolumes: a:/b\n')).toEqual(['3:1 NOT_READ_BY_KRAFT']);
    expect(codesOf('spec: v0.7\nruntime: base\nvolumes: {a: {source: b}}\n')).toEqual(['3:1 NOT_READ_BY_KRAFT']);
  });
});

describe('cmd', () => {
  it.each([
    ['v0.6', '["-c", "/a b"]', ['-c', '/a b']],
    ['v0.6', '\n  - a\n  - --b=1', ['a', '--b=1']],
    ['v0.6', '"-c /etc/a"', ['-c /etc/a']],
    ['v0.7', `"-c '/a b' \\"x\\""`, ['-c', '/a b', 'x']],
    ['v0.6', '[8080]', ['8080']],
    ['v0.6', '[]', []],
  ])('%s reads cmd: %s', (spec, value, expected) => {
    expect(modelOf(`spec: ${spec}\nruntime: base\ncmd: ${value}\n`).cmd).toEqual(expected);
  });

  it('is absent when the file has none, so that the image decides', () => {
    expect(modelOf('spec: v0.6\nruntime: base\n')).not.toHaveProperty('cmd');
  });

  it('leaves spaces in kernel parameters and behind -c alone', () => {
    expect(codesOf('spec: v0.6\nruntime: base\ncmd: [\'env.vars=[ "HOME=/" ]\', "--", sh, "-c", "a && b"]\n')).toEqual(
      [],
    );
  });

  it('explains a string of v0.7 that no shell splits', () => {
    expect(codesOf('spec: v0.7\nruntime: base\ncmd: "a | b"\n')).toEqual(['3:6 CMD_SHELL_SYNTAX']);
  });
});

describe.each(['env', 'labels'] as const)('%s', (key) => {
  it('reads mappings and lists, and every scalar as a text', () => {
    const text = `spec: v0.6\nruntime: base\n${key}:\n  a/b.c: 1000\n  B: "on"\n  C: true\n  D:\n`;
    expect(modelOf(text)[key]).toEqual({ 'a/b.c': '1000', B: 'on', C: 'true', D: '' });
    expect(modelOf(`spec: v0.6\nruntime: base\n${key}: [A=1, B, C=a=b]\n`)[key]).toEqual({ A: '1', B: '', C: 'a=b' });
  });

  it('reads a bare boolean as kraft does, and warns', () => {
    const text = `spec: v0.6\nruntime: base\n${key}: {policy: on, port: 0o17}\n`;
    expect(modelOf(text)[key]).toEqual({ policy: 'true', port: '0o17' });
    expect(codesOf(text)).toEqual([`3:${key.length + 12} BARE_BOOLEAN`, `3:${key.length + 22} BARE_NUMBER`]);
  });
});

describe('kconfig', () => {
  it('reads mappings with every form of scalar', () => {
    const text = `spec: v0.6
unikraft:
  kconfig:
    CONFIG_A: y
    CONFIG_B: 'n'
    CONFIG_C: true
    CONFIG_D: off
    CONFIG_E: 128
    CONFIG_F: '0x1000'
    CONFIG_G: root
    CONFIG_H: '"PATH=/bin"'
    CONFIG_I: ''
    CONFIG_J: m
`;
    expect(modelOf(text).unikraft?.kconfig).toEqual({
      CONFIG_A: 'y',
      CONFIG_B: 'n',
      CONFIG_C: 'y',
      CONFIG_D: 'n',
      CONFIG_E: '128',
      CONFIG_F: '0x1000',
      CONFIG_G: 'root',
      CONFIG_H: 'PATH=/bin',
      CONFIG_I: '',
      CONFIG_J: 'm',
    });
    expect(codesOf(text)).toEqual([]);
  });

  it('reads lists', () => {
    const text =
      'spec: v0.6\nunikraft:\n  kconfig:\n  - CONFIG_A=y\n  - CONFIG_B="fs0" \n  - "CONFIG_C=a=b # c"\n  - CONFIG_D = 5\n';
    expect(modelOf(text).unikraft?.kconfig).toEqual({
      CONFIG_A: 'y',
      CONFIG_B: 'fs0',
      CONFIG_C: 'a=b # c',
      CONFIG_D: '5',
    });
  });

  it('keeps a bare hexadecimal number as written, and warns that kraft does not', () => {
    const text = 'spec: v0.6\nunikraft:\n  kconfig: {CONFIG_A: 0x1000}\n';
    expect(modelOf(text).unikraft?.kconfig).toEqual({ CONFIG_A: '0x1000' });
    expect(read(text).diagnostics).toMatchObject([{ code: 'BARE_NUMBER', suggestion: "'0x1000'" }]);
  });

  it('refuses what kraft refuses: no value, no =, lists in mappings', () => {
    const text =
      'spec: v0.6\nunikraft:\n  kconfig:\n    CONFIG_A:\n    CONFIG_B: [x]\nlibraries:\n  a: {kconfig: [CONFIG_C]}\n';
    expect(codesOf(text)).toEqual(['4:5 KCONFIG_VALUE', '5:15 WRONG_TYPE', '7:17 KCONFIG_ITEM']);
    expect(modelOf(text).unikraft?.kconfig).toEqual({});
  });

  it('warns of a list item without a value, which kraft refuses', () => {
    const text = 'spec: v0.6\nunikraft:\n  kconfig: [CONFIG_A=]\n';
    expect(modelOf(text).unikraft?.kconfig).toEqual({ CONFIG_A: '' });
    expect(codesOf(text)).toEqual(['3:13 EMPTY_VALUE']);
  });

  it('lets v0.7 leave out values', () => {
    expect(modelOf('spec: v0.7\nunikraft:\n  kconfig: [CONFIG_A]\n').unikraft?.kconfig).toEqual({ CONFIG_A: '' });
  });

  it('warns of symbols that KConfig ignores', () => {
    expect(read('spec: v0.6\nunikraft:\n  kconfig: {LIBVFSCORE: y}\n').diagnostics).toMatchObject([
      { code: 'KCONFIG_SYMBOL', suggestion: 'CONFIG_LIBVFSCORE' },
    ]);
  });

  it('reads one at the top, which kraft does not', () => {
    const text = 'spec: v0.6\nunikraft: stable\nkconfig: {CONFIG_A: y}\n';
    expect(modelOf(text).kconfig).toEqual({ CONFIG_A: 'y' });
    expect(codesOf(text)).toEqual(['3:1 NOT_READ_BY_KRAFT']);
  });
});

describe('targets', () => {
  const targetsOf = (value: string): unknown =>
    modelOf(`spec: v0.6\nname: app\nunikraft: stable\ntargets: ${value}\n`).targets.map(
      ({ id, name, platform, architecture }) => `${id} ${name} ${platform}/${architecture}`,
    );

  it.each([
    ['[qemu/x86_64, fc/arm64]', ['qemu-x86_64 app qemu/x86_64', 'fc-arm64 app fc/arm64']],
    ['[{platform: kvm, architecture: x86_64}]', ['qemu-x86_64 app qemu/x86_64']],
    ['[{plat: firecracker, arch: arm64, name: web}]', ['fc-arm64 web fc/arm64']],
    ['[{platform: xen/arm, kernel: k}]', ['xen-arm k xen/arm']],
    ['[qemu/amd64, {plat: qemu, arch: aarch64}]', ['qemu-x86_64 app qemu/x86_64', 'qemu-arm64 app qemu/arm64']],
    ['[hyperlight/x86_64]', ['hyperlight-x86_64 app hyperlight/x86_64']],
  ])('reads %s', (value, expected) => {
    expect(targetsOf(value)).toEqual(expected);
  });

  it('tells targets of one platform and architecture apart by their names, else by numbers', () => {
    const target = (more: string): string => `{plat: qemu, arch: x86_64, ${more}}`;
    expect(targetsOf(`[${target('name: a')}, ${target('name: b')}, fc/x86_64]`)).toEqual([
      'qemu-x86_64-a a qemu/x86_64',
      'qemu-x86_64-b b qemu/x86_64',
      'fc-x86_64 app fc/x86_64',
    ]);
    const unnamed = `[${target('kconfig: {CONFIG_A: y}')}, ${target('kconfig: {CONFIG_A: n}')}]`;
    expect(targetsOf(unnamed)).toEqual(['qemu-x86_64 app qemu/x86_64', 'qemu-x86_64-2 app qemu/x86_64']);
    expect(codesOf(`spec: v0.6\nunikraft: stable\ntargets: ${unnamed}\n`)).toEqual(['3:63 TARGET_AMBIGUOUS']);
  });

  it('builds a target that is listed twice once', () => {
    expect(targetsOf('[qemu/x86_64, kvm/x86_64]')).toEqual(['qemu-x86_64 app qemu/x86_64']);
    expect(codesOf('spec: v0.6\nunikraft: stable\ntargets: [qemu/x86_64, kvm/x86_64]\n')).toEqual([
      '3:24 TARGET_REPEATED',
    ]);
  });

  it.each([
    ['[qemu-x86_64]', 'TARGET_FORM', 'qemu/x86_64'],
    ['[qemu]', 'TARGET_FORM', 'qemu/x86_64'],
    ['[{architecture: x86_64}]', 'PLATFORM_MISSING', undefined],
    ['[{platform: qemu}]', 'ARCHITECTURE_MISSING', undefined],
    ['[firecraker/x86_64]', 'PLATFORM_UNKNOWN', 'firecracker'],
    ['[qemu/x86_46]', 'ARCHITECTURE_UNKNOWN', 'x86_64'],
    ['[qemu/amd64]', 'ARCHITECTURE_ALIAS', 'x86_64'],
  ])('explains %s', (value, code, suggestion) => {
    const [diagnostic] = read(`spec: v0.6\nunikraft: stable\ntargets: ${value}\n`).diagnostics;
    expect(diagnostic).toMatchObject({ code, ...(suggestion === undefined ? {} : { suggestion }) });
  });

  it('keeps hostile words out of ids', () => {
    expect(modelOf('spec: v0.6\nunikraft: stable\ntargets: ["../../x/../y z"]\n').targets[0]?.id).toMatch(/^[\w.-]+$/);
  });
});

describe('variables', () => {
  const cmdOf = (word: string, env: Record<string, string>): unknown =>
    modelOf(`spec: v0.6\nruntime: base\ncmd: ['${word}']\n`, { env }).cmd?.[0];

  it.each([
    ['$A/${A}', '1/1'],
    ['${B:-x}', 'x'],
    ['${E-x}|${E:-x}', '|x'],
    ['${A:+set}${B:+set}', 'set'],
    ['${B:-${A}}', '1'],
    ['$$A', '$A'],
    ['$B', ''],
  ])('%s becomes %s', (word, expected) => {
    expect(cmdOf(word, { A: '1', E: '' })).toBe(expected);
  });

  it('are told where they are missing or malformed', () => {
    expect(codesOf('spec: v0.6\nruntime: base\ncmd: ["$B", "${A:?needed}", "$5", "${"]\n')).toEqual([
      '3:7 VARIABLE_UNSET',
      '3:13 VARIABLE_UNSET',
      '3:29 VARIABLE_FORM',
      '3:35 VARIABLE_FORM',
    ]);
  });

  it('stay as they are in v0.7', () => {
    expect(modelOf('spec: v0.7\nruntime: base\ncmd: ["${A}", $$]\n', { env: { A: '1' } }).cmd).toEqual(['${A}', '$$']);
  });
});

describe('the rest', () => {
  it('keeps extensions, names unknown keys, and takes only build folders inside of its own', () => {
    const text = 'spec: v0.6\nruntime: base\nx-mine: {a: [1, null]}\nwhat: 1\noutdir: build//out/.\n';
    expect(modelOf(text)).toMatchObject({
      extensions: { 'x-mine': { a: [1, null] } },
      unknown: ['what'],
      outdir: 'build/out',
    });
    for (const outdir of ['../x', '/x', 'a/../../x', '~/x', 'C:\\x', '\\x']) {
      const hostile = `spec: v0.6\nruntime: base\noutdir: '${outdir}'\n`;
      expect(modelOf(hostile)).not.toHaveProperty('outdir');
      expect(codesOf(hostile)).toEqual(['3:9 OUTDIR_OUTSIDE']);
    }
  });

  it('keeps the order of the file, and cannot be changed', () => {
    const text = 'spec: v0.6\nunikraft: {kconfig: {CONFIG_B: y, CONFIG_A: y, CONFIG_B: n}}\nenv: {Z: 1, A: 2}\n';
    const { unikraft, env } = modelOf(text);
    expect(Object.entries(unikraft?.kconfig ?? {})).toEqual([
      ['CONFIG_B', 'n'],
      ['CONFIG_A', 'y'],
    ]);
    expect(Object.keys(env)).toEqual(['Z', 'A']);
    expect(Object.isFrozen(modelOf(text))).toBe(true);
    expect(Object.isFrozen(unikraft?.kconfig)).toBe(true);
  });

  it('reads anchors, aliases and merge keys', () => {
    const text =
      'spec: v0.6\nx-common: &common\n  CONFIG_A: y\n  CONFIG_B: 1\nunikraft:\n  kconfig:\n    <<: *common\n    CONFIG_B: 2\nlibraries:\n  musl: &v stable\n  lwip: *v\n';
    expect(modelOf(text).unikraft?.kconfig).toEqual({ CONFIG_A: 'y', CONFIG_B: '2' });
    expect(modelOf(text).libraries.map(({ version }) => version)).toEqual(['stable', 'stable']);
    expect(codesOf('spec: v0.6\nruntime: *nothing\n')).toEqual(['2:10 YAML_SYNTAX']);
  });

  it('knows where each part of the model stands', () => {
    const { positionOf } = read(
      'spec: v0.6\nunikraft: stable\nlibraries:\n  lwip:\n    kconfig:\n    - CONFIG_A=y\ntargets:\n- qemu/x86_64\n- plat: fc\n  arch: arm64\n  kconfig:\n    CONFIG_B: y\n',
    );
    expect(positionOf(['unikraft', 'version'])).toEqual({ line: 2, column: 11 });
    expect(positionOf(['libraries', 0, 'kconfig', 'CONFIG_A'])).toEqual({ line: 6, column: 7 });
    expect(positionOf(['targets', 1, 'kconfig', 'CONFIG_B'])).toEqual({ line: 12, column: 5 });
    expect(positionOf(['targets', 1, 'kconfig', 'CONFIG_UNKNOWN'])).toEqual({ line: 9, column: 3 });
    expect(positionOf(['nothing'])).toEqual({ line: 1, column: 1 });
  });

  it('tells all problems in one go and reads what they do not touch', () => {
    const { kraftfile, diagnostics } = read(
      'spec: v0.6\nname: [a]\nruntime: 5\nrootfs: {format: cpio}\ncmd: {a: b}\ntargets: [5, qemu/x86_64]\nenv: x\n',
    );
    expect(diagnostics.map(({ line, code }) => `${line} ${code}`)).toEqual([
      '2 WRONG_TYPE',
      '3 WRONG_VALUE',
      '4 WRONG_TYPE',
      '5 WRONG_TYPE',
      '6 TARGET_FORM',
      '7 WRONG_VALUE',
    ]);
    expect(kraftfile?.targets.map(({ id }) => id)).toEqual(['qemu-x86_64']);
  });
});
