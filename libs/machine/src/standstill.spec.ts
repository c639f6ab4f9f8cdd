import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { stateOf, watchStandstill } from './standstill.ts';

/** What QEMU shows of a processor, as far as it is looked at. */
function processor(number: number, flags: string, isHalted: boolean): string {
  return `\r\nCPU#${number}\r\nRAX=0000000000000001 RBX=0000000000000002\r
RIP=0000000000106f31 RFL=${flags} [---Z-P-] CPL=0 II=0 A20=1 SMM=0 HLT=${isHalted ? 1 : 0}\r\n`;
}

test('only processors that are all halted, and let no interrupt in, are dead', () => {
  expect(stateOf(processor(0, '00000046', true))).toBe('dead');
  expect(stateOf(processor(0, '00000246', true))).toBe('halted');
  expect(stateOf(processor(0, '00000046', false))).toBe('running');
  expect(stateOf(processor(0, '00000046', true) + processor(1, '00000046', true))).toBe('dead');
  expect(stateOf(processor(0, '00000046', true) + processor(1, '00000246', true))).toBe('halted');
  expect(stateOf(processor(0, '00000046', true) + processor(1, '00000246', false))).toBe('running');
  expect(stateOf('\r\nCPU#0\r\n PC=0000000040201234 X00=0000000000000000\r\nPSTATE=600003c5 -ZC- EL1h\r\n')).toBe(
    'running',
  );
});

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** The milliseconds after which a guest with these registers at each time was found to hang. */
async function timeOf(registers: (time: number) => string | undefined, heard = 0): Promise<number | undefined> {
  const begin = performance.now();
  let found: number | undefined;
  const stop = watchStandstill(
    { registers: () => Promise.resolve(registers(performance.now() - begin)) },
    { idle: 10_000, lastHeard: () => begin + heard, onStandstill: () => (found = performance.now() - begin) },
  );
  await vi.advanceTimersByTimeAsync(60_000);
  stop();
  return found;
}

test('a guest hangs when it neither computes nor writes for the time that it has', async () => {
  const around = processor(0, '00000246', false);
  expect(await timeOf(() => around)).toBe(10_250);
  expect(await timeOf(() => around, 4000)).toBe(14_000);
  expect(await timeOf((time) => (time < 5000 ? String(time) : around))).toBe(15_000);
  expect(await timeOf(String)).toBe(undefined);
  expect(await timeOf(() => undefined)).toBe(undefined);
});

test('one that is halted does nothing, although it wakes up between the looks', async () => {
  const halted = (time: number) => `${processor(0, '00000246', true)}RDX=${time}`;
  expect(await timeOf(halted)).toBe(10_000);
  expect(await timeOf((time) => (time % 5000 === 0 ? String(time) : halted(time)))).toBe(undefined);
});

test('one that nothing can wake hangs as soon as it could have told of a crash', async () => {
  expect(await timeOf(() => processor(0, '00000046', true))).toBe(1500);
});
