import { expect, test } from 'vitest';
import { distribution, formatBootReport, type BootReport } from './boot-report.ts';

const base: BootReport = {
  name: 'web',
  architecture: 'x86_64',
  accelerator: 'tcg',
  boots: 20,
  ready: { p50: 40, p95: 50 },
  memory: { p50: 50 * 1024, p95: 51 * 1024 },
  kernelSize: 2048,
  initrdSize: 0,
  libraries: [{ library: 'libukboot', code: 1024, data: 0 }],
};

test('percentiles are values that were measured', () => {
  const values = Array.from({ length: 20 }, (_, index) => 20 - index);
  expect(distribution(values)).toEqual({ p50: 10, p95: 19 });
  expect(distribution([7])).toEqual({ p50: 7, p95: 7 });
});

test('a report shows what became more, and marks what is worth a look', () => {
  const libraries = [
    { library: 'libnew', code: 512, data: 512 },
    { library: 'libukboot', code: 1024, data: 0 },
  ];
  expect(formatBootReport({ ...base, ready: { p50: 44, p95: 51 }, libraries }, base))
    .toBe(`### Boot of web (x86_64, tcg, 20 boots)

|  | base | now | change |
| --- | ---: | ---: | ---: |
| ready, p50 | 40.0 ms | 44.0 ms | **+10.0 %** |
| ready, p95 | 50.0 ms | 51.0 ms | +2.0 % |
| memory, p50 | 50.0 KiB | 50.0 KiB | 0.0 % |
| memory, p95 | 51.0 KiB | 51.0 KiB | 0.0 % |
| kernel | 2.0 KiB | 2.0 KiB | 0.0 % |
| initrd | 0.0 KiB | 0.0 KiB | 0.0 % |
| \`libnew\` | 0.0 KiB | 1.0 KiB | **+100.0 %** |
| \`libukboot\` | 1.0 KiB | 1.0 KiB | 0.0 % |
`);
});

test('times of another accelerator are told to be no measure', () => {
  const report = formatBootReport({ ...base, accelerator: 'kvm' }, base);
  expect(report).toContain('The base was measured with tcg: its times are no measure for these.');
});

test('without a base it shows the values alone', () => {
  expect(formatBootReport(base)).toContain('|  | value |\n| --- | ---: |\n| ready, p50 | 40.0 ms |\n');
});
