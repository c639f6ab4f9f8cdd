import { describe, expect, it } from 'vitest';
import { readCorpus } from '../test/corpus.ts';
import { modelOf, read } from '../test/read.ts';
import { upgradeKraftfile } from './upgrade.ts';

describe('to v0.6', () => {
  it('changes the version alone, in the form that it has', () => {
    expect(upgradeKraftfile("specification: '0.5' # old\nname: a\n", 'v0.6')).toEqual({
      text: "specification: '0.6' # old\nname: a\n",
      losses: [],
    });
    expect(upgradeKraftfile('spec: v0.5\nname: a\n', 'v0.6').text).toBe('spec: v0.6\nname: a\n');
    expect(upgradeKraftfile('spec: 0.5\nname: a\n', 'v0.6').text).toBe("spec: '0.6'\nname: a\n");
  });

  it('puts targets in the place of architectures and platforms', () => {
    const before = `specification: "0.4"
unikraft: 0.4

architectures:
  x86_64: true

# where it runs
platforms:
  kvm: true
  linuxu:
    kconfig:
      - CONFIG_A=1

libraries:
  musl: stable
`;
    expect(upgradeKraftfile(before, 'v0.6')).toEqual({
      text: `specification: "0.6"
unikraft: 0.4

# where it runs
targets:
  - qemu/x86_64
  - platform: linuxu
    architecture: x86_64
    kconfig:
      CONFIG_A: '1'

libraries:
  musl: stable
`,
      losses: [],
    });
  });

  it('leaves files of that version and newer ones as they are', () => {
    expect(upgradeKraftfile('spec: v0.6\n', 'v0.6')).toEqual({ text: 'spec: v0.6\n', losses: [] });
    expect(upgradeKraftfile('spec: v0.7\n', 'v0.6')).toEqual({ text: 'spec: v0.7\n', losses: [] });
  });
});

describe('to v0.7', () => {
  it('rewrites each form that v0.7 reads otherwise, and nothing else', () => {
    const before = `spec: v0.6
unikraft: https://example.com/unikraft.git@staging # core
libraries:
  musl: 0.17
  lwip: stable
runtime: {source: base, version: latest}
rootfs:
  source: ./Dockerfile
  type: erofs
volumes: ./a:/a
cmd: "-c /etc/a"
env: {PRICE: '$$5'}
labels:
  time: 1000
`;
    expect(upgradeKraftfile(before, 'v0.7')).toEqual({
      text: `spec: v0.7
unikraft: # core
  source: https://example.com/unikraft.git
  version: staging
libraries:
  musl: '0.17'
  lwip: stable
runtime: base:latest
rootfs:
  source: ./Dockerfile
  format: erofs
volumes: ["./a:/a"]
cmd: ["-c /etc/a"]
env: {PRICE: '$5'}
labels:
  time: "1000"
`,
      losses: [],
    });
  });

  it('lists what v0.7 cannot say, with its place', () => {
    const before = `spec: v0.6
unikraft: stable
template: {name: elf, kconfig: {CONFIG_A: y}}
env: {HOST: '\${HOST:-x}'}
outdir: build
volumes:
  fs0: {driver: 9pfs, source: ./fs0}
targets:
- name: a
  plat: qemu
  arch: x86_64
`;
    const { text, losses } = upgradeKraftfile(before, 'v0.7');
    expect(losses.map(({ line, column, message }) => `${line}:${column} ${message}`)).toEqual([
      '3:12 v0.7 has no name for a template',
      '3:23 v0.7 has no kconfig for a template',
      '4:13 v0.7 puts no variables into texts',
      '5:1 v0.7 has no outdir: kraft builds in .unikraft/build',
      '6:1 v0.7 has no name for a volume such as fs0',
      '9:3 v0.7 has no name for a target',
    ]);
    expect(text).toContain('volumes:\n  - source: ./fs0\n    destination: /\n    driver: 9pfs\n');
  });

  it('takes no file with errors', () => {
    expect(() => upgradeKraftfile('spec: v0.6\nunikraft: {kconfig: [A]}\n', 'v0.7')).toThrow(
      expect.objectContaining({ code: 'KRAFTFILE_BROKEN', at: 'Kraftfile:2:22' }),
    );
  });
});

describe('every file of the corpus', () => {
  it.each(['v0.6', 'v0.7'] as const)('means the same in %s, or its losses are listed', (to) => {
    for (const { name, text } of readCorpus()) {
      const { kraftfile, diagnostics } = read(text);
      if (kraftfile === undefined || diagnostics.some(({ severity }) => severity === 'error')) continue;
      const { text: upgraded, losses } = upgradeKraftfile(text, to);
      const after = modelOf(upgraded);
      if (losses.length === 0) expect({ ...after, spec: kraftfile.spec }, name).toEqual(kraftfile);
      const commentsOf = (lines: string): readonly string[] => lines.match(/#.*/g) ?? [];
      expect(commentsOf(upgraded), name).toEqual(commentsOf(text));
    }
  });
});
