import { describe, expect, it } from 'vitest';
import { read } from '../test/read.ts';
import { formatDiagnostics } from './format.ts';

const { diagnostics } = read(
  'spec: v0.6\nunikraft: stable\ntargets:\n\t\n  - plat: firecraker # 100%\n    arch: arm64\n',
  {
    file: 'a,b/Kraftfile',
  },
);

describe('diagnostics', () => {
  it('are shown to people with the line, the place and what to write', () => {
    expect(formatDiagnostics(diagnostics, 'text'))
      .toBe(`a,b/Kraftfile:5:11: warning: Unikraft's own build knows no platform 'firecraker' (PLATFORM_UNKNOWN)
  5 |   - plat: firecraker # 100%
    |           ^^^^^^^^^^
    = did you mean: firecracker
    = expected: qemu, fc, xen, kraftcloud, linuxu, kvm, firecracker
`);
  });

  it('keep tabs in line and control characters harmless', () => {
    const hostile = read('spec: v0.6\nruntime: base\n"a\u001b[2J\\e":\t1\n').diagnostics;
    const text = formatDiagnostics(hostile, 'text');
    expect(text).not.toMatch(/\u001b/);
    expect(text).toContain('UNKNOWN_KEY');
  });

  it('are plain JSON for programs', () => {
    expect(JSON.parse(formatDiagnostics(diagnostics, 'json'))).toEqual([
      {
        severity: 'warning',
        code: 'PLATFORM_UNKNOWN',
        message: "Unikraft's own build knows no platform 'firecraker'",
        file: 'a,b/Kraftfile',
        line: 5,
        column: 11,
        endLine: 5,
        endColumn: 21,
        source: '  - plat: firecraker # 100%',
        expected: 'qemu, fc, xen, kraftcloud, linuxu, kvm, firecracker',
        suggestion: 'firecracker',
      },
    ]);
    expect(formatDiagnostics([], 'json')).toBe('[]\n');
  });

  it('are annotations of a GitHub workflow', () => {
    expect(formatDiagnostics(diagnostics, 'github')).toBe(
      "::warning file=a%2Cb/Kraftfile,line=5,endLine=5,col=11,endColumn=21,title=PLATFORM_UNKNOWN::Unikraft's own build " +
        "knows no platform 'firecraker'%0ADid you mean: firecracker%0AExpected: qemu, fc, xen, kraftcloud, linuxu, kvm, firecracker\n",
    );
  });
});
