import { expect, test } from 'vitest';
import { Console } from './console.ts';
import { judgeEnd, type Signs } from './ending.ts';

function judge(signs: Partial<Signs>, output = '') {
  const guest = new Console();
  guest.write(Buffer.from(output));
  guest.end();
  const orderly = {
    architecture: 'x86_64' as const,
    status: 0,
    shutdownReason: 'guest-shutdown',
    panicked: false,
    endedBy: undefined,
  };
  return judgeEnd({ ...orderly, console: guest, ...signs });
}

test('an orderly end is one, also when it shows by the debug exit device', () => {
  expect(judge({})).toMatchObject({ exitCode: 0, reason: 'shutdown' });
  expect(judge({ status: 83 })).toMatchObject({ exitCode: 0, reason: 'shutdown' });
});

test('a crash shows by the debug exit device, by an event or on the console', () => {
  expect(judge({ status: 85, shutdownReason: undefined })).toMatchObject({ exitCode: 1, reason: 'crash' });
  expect(judge({ panicked: true })).toMatchObject({ exitCode: 1, reason: 'crash' });
  const output = '[    0.1] CRIT: [libkvmplat] <traps.c @   84> Unhandled Trap 14 (page fault), error code=0x2\r\n';
  expect(judge({ architecture: 'arm64' }, output).message).toContain('Unhandled Trap 14');
});

test.each([
  ['CRIT: [libukboot] <boot.c @ 289> Assertion failure: boot_argc'],
  ['ERR:  [libukboot] <boot.c @  385> Init function at 0x13f1c0 returned error -95'],
  ['CRIT: [libkvmplat] <trap.c @ 210> EL1 sync trap caught'],
  ['Kernel panic - not syncing: VFS: Unable to mount root fs'],
])('a kernel that prints %j has crashed, though QEMU ends with 0', (line) => {
  expect(judge({}, `${line}\r\n`)).toMatchObject({ exitCode: 1, reason: 'crash' });
});

test('the first critical line is shown, and a cause that is hard to guess is explained', () => {
  const output = [
    '[ 0.1] CRIT: [libvfscore] <automount.c @  513> Could not find an initrd!',
    '[ 0.1] ERR:  [libukboot] <boot.c @  385> Init function at 0x13f1c0 returned error -1',
  ].join('\r\n');
  expect(judge({}, output).message).toContain('Could not find an initrd!');
  expect(judge({}, 'ERR:  [libukboot] <boot.c @ 385> Init function at 0x1 returned error -95').hint).toContain(
    'RDSEED',
  );
});

test('the result of the program is known where the guest tells it', () => {
  expect(judge({ status: 7, shutdownReason: undefined })).toMatchObject({ exitCode: 3, reason: 'failure' });
  expect(judge({}, 'Info: [libukboot] <boot.c @  480> main returned 256\r\n')).toMatchObject({ exitCode: 1 });
  expect(judge({}, '[ 0.1] Info: [libukboot] <boot.c @  480> main returned 0\r\n')).toMatchObject({ exitCode: 0 });
  expect(judge({}, 'the program says: main returned 4\r\n')).toMatchObject({ exitCode: 0 });
});

test('a result that is told counts before a crash that only shows by the status, as of exit(3) in Unikraft', () => {
  const output = 'Info: [libnolibc] <stdlib.c @  493> exit called with status 3, halting system\r\n';
  expect(judge({ status: 85, shutdownReason: undefined }, output)).toMatchObject({ exitCode: 3, reason: 'failure' });
});

test('a reset is a failure where Unikraft never resets', () => {
  expect(judge({ shutdownReason: 'guest-reset' })).toMatchObject({ exitCode: 1, reason: 'reset' });
  expect(judge({ shutdownReason: 'guest-reset', architecture: 'arm64' })).toMatchObject({ exitCode: 0 });
});

test('who ended the machine counts before what that looks like', () => {
  expect(judge({ endedBy: 'timeout', shutdownReason: 'host-qmp-quit' })).toMatchObject({
    exitCode: 124,
    reason: 'timeout',
  });
  expect(judge({ endedBy: 'stop', status: null })).toMatchObject({ exitCode: 0, reason: 'stopped' });
  expect(judge({ status: null, shutdownReason: undefined })).toMatchObject({ exitCode: 143, reason: 'stopped' });
  expect(judge({ shutdownReason: 'host-signal' })).toMatchObject({ exitCode: 143, reason: 'stopped' });
});

test('the console keeps whole characters, its last lines, and cuts what never ends', () => {
  const lines: string[] = [];
  const guest = new Console((line) => lines.push(line));
  for (const byte of Buffer.from('grüß\r\n')) guest.write(Uint8Array.of(byte));
  guest.write(Buffer.from('x'.repeat(20_000)));
  guest.end();
  expect(lines.map((line) => line.length)).toEqual([4, 8192, 8192, 3616]);
  expect(lines[0]).toBe('grüß');
  for (let index = 0; index < 100; index++) guest.write(Buffer.from(`${index}\n`));
  expect(guest.lastLines).toHaveLength(30);
  expect(guest.lastLines.at(-1)).toBe('99');
});
