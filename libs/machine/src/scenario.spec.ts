import { expect, test } from 'vitest';
import { parseScenarios } from './scenario.ts';
import { formatJunit } from './test-report.ts';

test('only a name is needed', () => {
  const [scenario] = parseScenarios([{ name: 'boots' }], 'tests.json');
  expect(scenario).toMatchObject({ name: 'boots', console: [], http: [], timeout: 30, budgets: {} });
});

test('a request expects 200 unless it says otherwise', () => {
  const [scenario] = parseScenarios([{ name: 'serves', http: [{ port: 80 }] }], 'tests.json');
  expect(scenario?.http).toEqual([
    { port: 80, path: '/', method: 'GET', headers: {}, expect: { status: 200, headers: {} } },
  ]);
});

test.each([
  [[], 'scenarios: there is none'],
  [[{}], 'scenarios[0].name'],
  [[{ name: 'a', consol: ['x'] }], 'scenarios[0]: Unrecognized key'],
  [[{ name: 'a', http: [{ port: 0 }] }], 'scenarios[0].http[0].port'],
  [[{ name: 'a', console: [{ pattern: '(' }] }], 'scenarios[0].console[0]'],
  [[{ name: 'a', memory: '512Ki' }], 'scenarios[0].memory: no amount of memory from 1Mi on'],
  [[{ name: 'a', budgets: { imageSize: '1 MB' } }], 'scenarios[0].budgets.imageSize: no amount such as 64Mi'],
  [[{ name: 'a' }, { name: 'a' }], "two scenarios are named 'a'"],
])('%j is refused with the place of its mistake', (value, message) => {
  expect(() => parseScenarios(value, 'tests.json')).toThrow(
    expect.objectContaining({
      code: 'MACHINE_BAD_SCENARIO',
      at: 'tests.json',
      message: expect.stringContaining(message) as unknown,
    }),
  );
});

test.each([
  ['consol', 'Did you mean: console'],
  ['expect', 'A scenario has name, args, '],
])('a field that there is not is told with those that there are: %s', (field, hint) => {
  expect(() => parseScenarios([{ name: 'a', [field]: [] }], 'tests.json')).toThrow(
    expect.objectContaining({ hint: expect.stringContaining(hint) as unknown }),
  );
});

test('JUnit holds times, failures and the console, with nothing that XML cannot hold', () => {
  const measured = { accelerator: 'tcg', ready: 50, duration: 1500, peakMemory: 1 } as const;
  const mismatches = [{ what: 'end', expected: 'exit code 0', seen: '"<3>" & more' }];
  const xml = formatJunit('my "app"', [
    { name: 'good', mismatches: [], ...measured, lastLines: [] },
    { name: 'bad', mismatches, ...measured, lastLines: ['\u001b[31mred', 'end'] },
  ]);
  expect(xml).toContain('<testsuite name="my &quot;app&quot;" tests="2" failures="1" time="3.000">');
  expect(xml).toContain('name="good" time="1.500"/>');
  expect(xml).toContain('message="end: expected exit code 0, saw &quot;&lt;3&gt;&quot; &amp; more"');
  expect(xml).toContain('<system-out>�[31mred&#10;end</system-out>');
});
