import { describe, expect, it } from 'vitest';
import { codesOf, modelOf, read } from '../test/read.ts';
import { isKraftfile } from './names.ts';

/** The oddities that real Kraftfiles have, one test each; the texts are made up. */
describe('odd structure', () => {
  it('finds a variable that fell out of env for want of indentation', () => {
    const text = 'spec: v0.6\nruntime: base\nenv:\nPORT: "8080"\n';
    expect(read(text).diagnostics).toMatchObject([
      { severity: 'warning', code: 'NOT_INDENTED', line: 4, column: 1, hint: "Indent it below 'env'." },
    ]);
    expect(modelOf(text)).toMatchObject({ env: {}, unknown: ['PORT'] });
  });

  it('passes over invented keys and says what does their job', () => {
    const text =
      'spec: v0.6\nruntime: base\nservices: {}\nmemory: 2G\nvolumes:\n- {name: a, source: b, destination: /c}\n';
    expect(codesOf(text)).toEqual(['3:1 UNKNOWN_KEY', '4:1 UNKNOWN_KEY', '6:4 UNKNOWN_KEY']);
    expect(read(text).diagnostics[1]?.hint).toContain('option of running');
    expect(modelOf(text).volumes).toMatchObject([{ source: 'b', destination: '/c' }]);
  });

  it('takes a file with both runtime and unikraft, and an invented run', () => {
    const text = 'spec: v0.6\nruntime: base\nrun: {memory: 1G}\nunikraft: {kconfig: {CONFIG_A: y}}\n';
    expect(codesOf(text)).toEqual(['2:1 KERNEL_AND_RUNTIME', '3:1 UNKNOWN_KEY']);
    expect(modelOf(text)).toMatchObject({ runtime: { reference: 'base' }, unikraft: { kconfig: { CONFIG_A: 'y' } } });
  });

  it('knows a Kubernetes manifest, whose spec is a mapping, for what it is', () => {
    const text = 'apiVersion: v1\nkind: Application\nspec:\n  platform: qemu\n';
    expect(isKraftfile(text)).toBe(false);
    expect(read(text).kraftfile).toBeUndefined();
    expect(read(text).diagnostics).toContainEqual(expect.objectContaining({ code: 'SPEC_UNSUPPORTED', line: 4 }));
  });

  it.each(['', '\n\n', '# nothing\n', '---\n'])('tells of an empty file: %j', (text) => {
    expect(read(text)).toMatchObject({ kraftfile: undefined, diagnostics: [{ severity: 'error', code: 'EMPTY' }] });
  });

  it('tells that config beside kconfig is not read', () => {
    const text = 'spec: v0.6\nunikraft:\n  config: {CONFIG_A: y}\n  kconfig:\n  - CONFIG_B=y\n';
    expect(read(text).diagnostics).toMatchObject([{ code: 'UNKNOWN_KEY', line: 3, suggestion: 'kconfig' }]);
    expect(modelOf(text).unikraft?.kconfig).toEqual({ CONFIG_B: 'y' });
  });

  it('finds options that fell out of a kconfig to the top', () => {
    const text = 'spec: v0.6\nunikraft:\n  kconfig:\n    CONFIG_A: y\ntargets: [qemu/x86_64]\nCONFIG_STACK: 5\n';
    expect(codesOf(text)).toEqual(['6:1 NOT_INDENTED']);
    expect(modelOf(text).unikraft?.kconfig).toEqual({ CONFIG_A: 'y' });
  });

  it('shows the line that is indented wrongly', () => {
    const { kraftfile, diagnostics } = read(
      "spec: '0.5'\nunikraft:\n  version: '0.4'\n    kconfig:\n    - CONFIG_A=y\n",
    );
    expect(kraftfile).toBeUndefined();
    expect(diagnostics).toMatchObject([{ code: 'YAML_SYNTAX', line: 4, column: 5, source: '    kconfig:' }]);
  });

  it('says that volume is called volumes', () => {
    expect(read('spec: v0.6\nruntime: base\nvolume: a:/b\n').diagnostics).toMatchObject([
      { code: 'UNKNOWN_KEY', suggestion: 'volumes' },
    ]);
  });

  it('says what is wrong with runtime: {path: .} and with sources', () => {
    const text = 'spec: v0.6\nunikraft: stable\nruntime:\n  path: .\nsources: [main.c]\n';
    expect(codesOf(text)).toEqual(['3:1 NO_KERNEL', '4:3 UNKNOWN_KEY', '5:1 UNKNOWN_KEY']);
    expect(modelOf(text)).not.toHaveProperty('runtime');
  });

  it('reads a template that is a URL, a block of cmd, and a version with three numbers', () => {
    const text =
      'spec: v0.6\nunikraft:\n  version: 0.17.0\ntemplate: https://example.com/app-elf.git\ncmd:\n- /app\n- -listen=:80\n';
    expect(modelOf(text)).toMatchObject({
      unikraft: { version: '0.17.0' },
      template: { name: 'elf', source: 'https://example.com/app-elf.git' },
      cmd: ['/app', '-listen=:80'],
    });
    expect(codesOf(text)).toEqual([]);
  });

  it('reads v0.4 with bare numbers for versions and trees for targets', () => {
    const text = `specification: '0.4'
unikraft: 0.4
architectures:
  x86_64:
    kconfig: [CONFIG_X=y]
  arm64: false
platforms:
  linuxu: true
  kvm:
    kconfig:
    - CONFIG_P=1
libraries:
  lwip: 0.10
`;
    expect(modelOf(text)).toMatchObject({
      unikraft: { version: '0.4' },
      libraries: [{ name: 'lwip', version: '0.10' }],
      targets: [
        { id: 'linuxu-x86_64', kconfig: { CONFIG_X: 'y' } },
        { id: 'qemu-x86_64', kconfig: { CONFIG_X: 'y', CONFIG_P: '1' } },
      ],
    });
    expect(read(text).diagnostics).toMatchObject([{ code: 'NOT_READ_BY_KRAFT', line: 7, expected: 'targets' }]);
  });

  it('takes the last of several keys of one name, as kraft does, and points at it', () => {
    const text =
      'spec: v0.6\nunikraft: stable\nunikraft:\n  kconfig:\n    CONFIG_A: y\n    CONFIG_B: y\n    CONFIG_A: n\n';
    expect(modelOf(text).unikraft?.kconfig).toEqual({ CONFIG_A: 'n', CONFIG_B: 'y' });
    expect(codesOf(text)).toEqual(['3:1 DUPLICATE_KEY', '7:5 DUPLICATE_KEY']);
  });

  it('reads the first of several documents', () => {
    const text = 'spec: v0.6\nruntime: base\n---\nspec: v0.7\n';
    expect(modelOf(text).spec).toBe('v0.6');
    expect(codesOf(text)).toEqual(['3:1 SEVERAL_DOCUMENTS']);
  });
});

describe('odd values', () => {
  it('reads integers and quoted on and off in labels', () => {
    const text = 'spec: v0.6\nruntime: base\nlabels:\n  a/scale.policy: "on"\n  a/scale.cooldown_time_ms: 1000\n';
    expect(modelOf(text).labels).toEqual({ 'a/scale.policy': 'on', 'a/scale.cooldown_time_ms': '1000' });
    expect(codesOf(text)).toEqual([]);
  });

  it('warns of a program and its argument in one item of cmd', () => {
    expect(read('spec: v0.6\nruntime: base\ncmd: ["/usr/bin/php /server.php"]\n').diagnostics).toMatchObject([
      { code: 'CMD_WORDS', suggestion: '"/usr/bin/php", "/server.php"' },
    ]);
  });

  it('leaves a script for sh -c in one piece', () => {
    const text = 'spec: v0.6\nruntime: base\ncmd: ["sh", "-c", "a && b"]\n';
    expect(modelOf(text).cmd).toEqual(['sh', '-c', 'a && b']);
    expect(codesOf(text)).toEqual([]);
  });

  it('keeps a cmd that is a string with quotes and & as one argument', () => {
    const text = `spec: v0.6\nruntime: base\ncmd: "sh -c 'a & b \\"c\\"'"\n`;
    expect(modelOf(text).cmd).toEqual([`sh -c 'a & b "c"'`]);
    expect(codesOf(text)).toEqual(['3:6 CMD_STRING']);
  });

  it('puts nothing in the place of ${VAR:-} before v0.7 and leaves it alone in v0.7', () => {
    const text = (spec: string): string =>
      `spec: ${spec}\nruntime: base\nenv:\n  HOST: \${HOST:-}\n  PORT: \${PORT:-80}\n`;
    expect(modelOf(text('v0.6')).env).toEqual({ HOST: '', PORT: '80' });
    expect(codesOf(text('v0.6'))).toEqual([]);
    expect(modelOf(text('v0.7')).env).toEqual({ HOST: '${HOST:-}', PORT: '${PORT:-80}' });
  });

  it('reads bare y, and fc and kvm beside qemu', () => {
    const text = `spec: '0.6'
unikraft: {kconfig: {CONFIG_A: y}}
targets:
- {architecture: x86_64, platform: qemu}
- {architecture: x86_64, platform: fc}
- {architecture: x86_64, platform: kvm}
`;
    expect(modelOf(text).unikraft?.kconfig).toEqual({ CONFIG_A: 'y' });
    expect(modelOf(text).targets.map(({ id }) => id)).toEqual(['qemu-x86_64', 'fc-x86_64']);
    expect(codesOf(text)).toEqual(['6:3 TARGET_REPEATED']);
  });

  it('takes the quotes inside of quotes off, and reads sources above the folder', () => {
    const text = `spec: '0.6'\nunikraft:\n  source: ../../../unikraft\n  kconfig:\n    CONFIG_A: '"initrd"'\n    CONFIG_B: '64'\n`;
    expect(modelOf(text).unikraft).toEqual({
      name: 'unikraft',
      source: '../../../unikraft',
      kconfig: { CONFIG_A: 'initrd', CONFIG_B: '64' },
    });
  });

  it('reads lines that end with CR LF, no final line end, a --- and a byte order mark', () => {
    const text = '\ufeff---\r\nspec: v0.6\r\nruntime: base:latest\r\ntargets:\r\n- firecraker/x86_64';
    expect(modelOf(text)).toMatchObject({ spec: 'v0.6', runtime: { reference: 'base:latest' } });
    expect(read(text).diagnostics).toMatchObject([
      { code: 'PLATFORM_UNKNOWN', line: 5, column: 3, source: '- firecraker/x86_64', suggestion: 'firecracker' },
    ]);
  });

  it('takes a tab in a list in brackets, as the parser of kraft does, and one in a block not', () => {
    const inBrackets = 'spec: v0.6\nruntime: base\ncmd: [\n\t"/app", # the app ]\n\t"-v"\n]\n';
    expect(modelOf(inBrackets).cmd).toEqual(['/app', '-v']);
    expect(codesOf(inBrackets)).toEqual(['4:2 YAML_FLOW']);
    expect(codesOf('spec: v0.6\nruntime: base\ncmd:\n\t- /app\n')).toEqual(['4:1 YAML_SYNTAX']);
  });

  it('takes a list in brackets whose lines are not indented at all', () => {
    expect(modelOf('spec: v0.6\nruntime: base\ncmd: [\n"/app",\n"a: [b\n  c" # x\n]\n').cmd).toEqual([
      '/app',
      'a: [b c',
    ]);
    expect(codesOf('spec: v0.6\nruntime: base\ncmd: [\n  "/app"\n]\n')).toEqual([]);
  });

  it('warns of a platform that is misspelt and that every loader lets pass', () => {
    expect(
      read('spec: v0.6\nunikraft: stable\ntargets: [{plat: firecraker, arch: arm64}]\n').diagnostics,
    ).toMatchObject([{ severity: 'warning', code: 'PLATFORM_UNKNOWN', column: 18, suggestion: 'firecracker' }]);
  });

  it('warns of kconig', () => {
    expect(read('spec: v0.6\nunikraft: {kconig: [CONFIG_A=y]}\n').diagnostics).toMatchObject([
      { code: 'UNKNOWN_KEY', suggestion: 'kconfig' },
    ]);
  });
});
