import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { useGuest } from '../test/use-guest.ts';
import { findProcesses } from '../test/traces.ts';
import { measureBoots } from './boot-report.ts';
import { initrdMount } from './command-line.ts';
import { parseScenarios, type ScenarioInput } from './scenario.ts';
import { formatScenario } from './test-report.ts';
import { runScenarios, type TestOptions } from './test-run.ts';

const guest = useGuest();

function run(scenarios: readonly ScenarioInput[], options: Partial<TestOptions> = {}, more = {}) {
  const plan = { kernel: guest.kernel, architecture: 'x86_64', platform: 'qemu', accelerator: 'tcg' } as const;
  const files = { initrd: guest.initrd, mounts: [initrdMount] };
  return runScenarios({ ...plan, ...files, name: 'scenario', ...more }, parseScenarios(scenarios, 'test'), {
    folder: guest.folder,
    ...options,
  });
}

async function reportOf(scenario: Omit<ScenarioInput, 'name'>): Promise<string> {
  const [result] = await run([{ name: 'it', ...scenario }]);
  if (result === undefined) throw new Error('no result');
  return formatScenario(result);
}

describe('a scenario that holds', () => {
  test.each<readonly [string, Omit<ScenarioInput, 'name'>]>([
    [
      'lines in order',
      { args: ['say', 'one', 'say', 'two'], console: ['one', { pattern: '^t.o$' }], never: ['three'] },
    ],
    ['an exit code', { args: ['exit', '7'], end: 7 }],
    ['a crash', { args: ['abort'], end: 'crash' }],
    [
      'a line of a guest that runs on',
      { args: ['sleep', '100', 'say', 'up', 'hang'], console: ['up'], end: 'running' },
    ],
    ['much work without a word', { args: ['sleep', '1500', 'say', 'done'], console: ['done'], idle: 0.5 }],
    ['typed lines', { args: ['echo'], input: 'abc\n\n', console: ['echo: abc'] }],
    ['variables', { args: ['environment'], env: { MODE: 'test it' }, console: ['env <MODE=test it>'] }],
    [
      'HTTP and TCP',
      {
        args: ['serve', '80', 'hello <you>'],
        ready: 'listening on port',
        http: [
          { port: 80, expect: { body: 'hello <you>', headers: { 'content-length': '11' } } },
          { port: 80, path: '/x', expect: { status: 404 } },
        ],
        tcp: [{ port: 80, send: 'ping\n', expect: 'ping' }],
      },
    ],
    [
      'an end after an exchange',
      { args: ['serve', '80', 'x'], ready: 'listening', tcp: [{ port: 80, send: 'quit\n', expect: 'quit' }], end: 0 },
    ],
    ['budgets', { args: ['say', 'x'], budgets: { ready: 20, total: 30, memory: '1Gi', imageSize: '900Ki' } }],
  ])('%s', async (_, scenario) => {
    expect(await reportOf(scenario)).toMatch(/^✓ it \(ready after \d+ ms, \d+ ms\)$/);
  });

  test('is shown with a file that the guest should have written', async () => {
    await writeFile(join(guest.folder, 'written'), 'by the guest');
    expect(await reportOf({ files: [{ path: 'written', content: 'guest' }] })).toMatch(/^✓/);
    expect(await reportOf({ files: [{ path: 'unwritten' }] })).toContain(
      'file unwritten\n    expected that it is there',
    );
  });
});

describe('a scenario that does not hold says what was expected and seen', () => {
  test.each<readonly [string, Omit<ScenarioInput, 'name'>, readonly string[]]>([
    [
      'a line out of order',
      { args: ['say', 'two', 'say', 'one'], console: ['one', 'two'] },
      ['expected a line with "two" after "one"', 'last lines of the console:\n    ', '    two\n    one'],
    ],
    ['a forbidden line', { args: ['say', 'ERROR x'], never: [{ pattern: 'ERROR' }] }, ['saw      "ERROR x"']],
    ['a failure', { args: ['exit', '3'] }, ['expected exit code 0', 'the program ended with 3 (exit code 3)']],
    ['a crash', { args: ['fault'] }, ['expected exit code 0', 'the guest crashed: CRIT: ', 'page fault']],
    ['a hang', { args: ['say', 'a', 'hang'], timeout: 1 }, ['it ran longer than it may (exit code 124)']],
    [
      'a hang in one place, long before the limit',
      { args: ['say', 'a', 'hang'], console: ['a', 'b'], idle: 0.5, timeout: 600 },
      ['a line with "b" after "a"', 'end\n    expected exit code 0\n    saw      it did nothing for 0.5 s'],
    ],
    [
      'a processor that nothing can wake',
      { args: ['say', 'a', 'halt'], ready: 'never said', http: [{ port: 80 }], idle: 500, timeout: 600 },
      ['end\n    expected that it runs on\n    saw      it is halted with interrupts turned off, for ever'],
    ],
    [
      'a forbidden line of a guest that goes on',
      { args: ['say', 'ERROR x', 'hang'], never: ['ERROR'], console: ['more'], idle: 500, timeout: 600 },
      ['  console\n    expected no line with "ERROR"\n    saw      "ERROR x"\n  last lines'],
    ],
    [
      'an end too early',
      { args: ['say', 'x'], end: 'running', ready: 'never said' },
      ['the line that tells that it is ready'],
    ],
    [
      'another answer',
      { args: ['serve', '80', 'hello'], http: [{ port: 80, path: '/x', expect: { body: 'hi' } }] },
      [
        'GET /x on port 80: status\n    expected 200\n    saw      404',
        'body\n    expected "hi"\n    saw      "hello"',
      ],
    ],
    [
      'a server that crashes before it answers',
      { args: ['sleep', '300', 'abort'], http: [{ port: 80 }] },
      ['GET / on port 80\n    expected an answer\n    saw      none: the machine ended', 'the guest crashed'],
    ],
    [
      'budgets',
      { args: ['sleep', '100'], budgets: { total: 0.01, memory: '1Mi', imageSize: '20Ki' } },
      [
        'time in total\n    expected at most 0.01 s',
        'peak memory\n    expected at most 1024 KiB',
        'image size\n    expected at most 20 KiB',
      ],
    ],
  ])('%s', async (_, scenario, texts) => {
    const report = await reportOf(scenario);
    expect(report).toMatch(/^✗ it/);
    for (const text of texts) expect(report).toContain(text);
  });
});

test('many run at once on the same port of the guest, and leave nothing', async () => {
  const scenarios = Array.from({ length: 8 }, (_, index) => ({
    name: `server ${index}`,
    args: ['serve', '80', `answer ${index}`],
    http: [{ port: 80, expect: { body: `answer ${index}` } }],
  }));
  const results = await run(scenarios, { jobs: 8 });
  expect(results.map(({ name, mismatches }) => [name, mismatches])).toEqual(scenarios.map(({ name }) => [name, []]));
  expect(results.every(({ peakMemory }) => peakMemory > 1e6)).toBe(true);
  expect(await findProcesses('scenario')).toEqual([]);
  expect(await readFile('/proc/net/unix', 'utf8')).not.toContain(guest.folder);
});

test('what a guest writes goes to a copy, and each finds the same', async () => {
  const source = join(guest.folder, 'volume');
  await mkdir(source);
  await writeFile(join(source, 'input'), 'same');
  const args = ['cat', '/data/input', 'write', '/data/input', 'changed', 'write', '/data/made', 'here'];
  const files = [
    { path: 'volume/made', content: 'here' },
    { path: 'volume/input', content: 'changed' },
  ];
  const scenarios = ['a', 'b', 'c'].map((name) => ({ name, args, console: ['same'], files }));
  const volumes = [{ source, destination: '/data', driver: '9pfs', readOnly: false }];
  const results = await run(scenarios, { jobs: 3 }, { volumes });
  expect(results.map(formatScenario).join('\n')).not.toContain('✗');
  expect(await readdir(source)).toEqual(['input']);
  expect(await readFile(join(source, 'input'), 'utf8')).toBe('same');
  expect((await readdir(tmpdir())).filter((name) => name.startsWith(`nx-kraft-test-${process.pid}-`))).toEqual([]);
});

test('where one cannot be started all end, and nothing is left', async () => {
  const scenarios = [
    { name: 'runs', args: ['hang'], idle: 500, timeout: 600 },
    { name: 'cannot', args: [''] },
  ];
  await expect(run(scenarios, { jobs: 2 })).rejects.toMatchObject({ code: 'MACHINE_BAD_ARGUMENT' });
  expect(await findProcesses('scenario')).toEqual([]);
});

test('they stop when they are told to', async () => {
  const stop = new AbortController();
  setTimeout(() => {
    stop.abort();
  }, 500);
  const scenarios = ['a', 'b', 'c'].map((name) => ({ name, args: ['hang'] }));
  await expect(run(scenarios, { jobs: 2, signal: stop.signal })).rejects.toThrow('aborted');
  expect(await findProcesses('scenario')).toEqual([]);
});

test('many boots are measured, and a bad one is told', async () => {
  const plan = { kernel: guest.kernel, architecture: 'x86_64', platform: 'qemu', accelerator: 'tcg' } as const;
  const [good, bad] = parseScenarios(
    [
      { name: 'boots', args: ['say', 'up'], ready: 'up' },
      { name: 'fails', args: ['abort'] },
    ],
    '',
  );
  if (good === undefined || bad === undefined) throw new Error('no scenario');
  const report = await measureBoots('probe', plan, good, {
    folder: guest.folder,
    boots: 3,
    libraries: [{ library: 'libukboot', code: 600, data: 20 }],
  });
  expect(report).toMatchObject({ name: 'probe', boots: 3, kernelSize: (await stat(guest.kernel)).size });
  expect(report.ready.p50).toBeGreaterThan(0);
  expect(report.ready.p95).toBeGreaterThanOrEqual(report.ready.p50);
  await expect(measureBoots('probe', plan, bad, { folder: guest.folder, boots: 3 })).rejects.toMatchObject({
    code: 'MACHINE_BOOT_FAILED',
    message: expect.stringContaining('boot 1 of 3 was not as it should') as unknown,
  });
});
