import { readKraftfile } from '@nx-kraft/kraftfile';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { judgeDropped } from './dropped-options.ts';

const text = `spec: v0.6
name: app
template: { source: ../template }
unikraft:
  version: stable
  kconfig: { CONFIG_OWN: 'y', CONFIG_OFF: 'n', CONFIG_UK_NAME: other }
libraries: { lwip: stable }
targets: [qemu/x86_64]
`;

const lines: string[] = [];
beforeEach(() => {
  vi.spyOn(process.stdout, 'write').mockImplementation((line) => lines.push(String(line)) > 0);
});
afterEach(() => {
  vi.restoreAllMocks();
  lines.length = 0;
});

/** Judges one option that did not stick; `error`, or `warning` where the build goes on. */
function judge(symbol: string, asked: string, strict?: boolean): string {
  const { kraftfile, positionOf } = readKraftfile(text, { file: 'app/Kraftfile', directoryName: 'app' });
  const [target] = kraftfile?.targets ?? [];
  if (kraftfile === undefined || target === undefined) throw new Error('no Kraftfile');
  const project = { file: 'app/Kraftfile', folder: '/app', kraftfile, positionOf };
  try {
    judgeDropped(project, target, [{ symbol, asked, got: undefined, why: 'of a reason' }], strict);
    return 'warning';
  } catch (error) {
    expect(error).toMatchObject({ code: 'KRAFTFILE_OPTIONS_DROPPED', at: 'app/Kraftfile' });
    return 'error';
  } finally {
    expect(lines).toHaveLength(1);
  }
}

test('an option that the Kraftfile, its targets or libraries ask for must stick', () => {
  expect(judge('CONFIG_OWN', 'y')).toBe('error');
  expect(lines).toEqual([
    'error: app/Kraftfile:6:14: CONFIG_OWN=y did not stick, the configuration does not have it: of a reason\n',
  ]);
});

test.each(['CONFIG_LIBLWIP', 'CONFIG_PLAT_KVM'])('so must %s, which a library or a target stands for', (symbol) => {
  expect(judge(symbol, 'y')).toBe('error');
});

test.each([
  ['CONFIG_OFF', 'n'],
  ['CONFIG_OF_THE_TEMPLATE', 'y'],
  ['CONFIG_UK_NAME', 'other'],
])('%s=%s only warns', (symbol, asked) => {
  expect(judge(symbol, asked)).toBe('warning');
});

test('strict refuses everything, and nothing when it is false', () => {
  expect(judge('CONFIG_OF_THE_TEMPLATE', 'y', true)).toBe('error');
  lines.length = 0;
  expect(judge('CONFIG_OWN', 'y', false)).toBe('warning');
});
