import type { ScenarioResult } from './test-run.ts';

/** How a scenario went, for a terminal: one line when it passed, else what was expected and seen and the last lines. */
export function formatScenario({ name, mismatches, ready, duration, lastLines }: ScenarioResult): string {
  const times = [...(ready === undefined ? [] : [`ready after ${ready.toFixed(0)} ms`]), `${duration.toFixed(0)} ms`];
  if (mismatches.length === 0) return `✓ ${name} (${times.join(', ')})`;
  return [
    `✗ ${name} (${times.join(', ')})`,
    ...mismatches.map(({ what, expected, seen }) => `  ${what}\n    expected ${expected}\n    saw      ${seen}`),
    '  last lines of the console:',
    ...lastLines.slice(-10).map((line) => `    ${line}`),
  ].join('\n');
}

/** Results as JUnit XML, which CI systems read. */
export function formatJunit(suite: string, results: readonly ScenarioResult[]): string {
  const failures = results.filter(({ mismatches }) => mismatches.length > 0).length;
  const time = results.reduce((sum, { duration }) => sum + duration, 0);
  const counts = `tests="${results.length}" failures="${failures}" time="${inSeconds(time)}"`;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites ${counts}>`,
    `  <testsuite name="${escape(suite)}" ${counts}>`,
    ...results.flatMap((result) => formatCase(suite, result)),
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
}

function formatCase(suite: string, { name, mismatches, duration, lastLines }: ScenarioResult): readonly string[] {
  const head = `    <testcase classname="${escape(suite)}" name="${escape(name)}" time="${inSeconds(duration)}"`;
  if (mismatches.length === 0) return [`${head}/>`];
  const text = mismatches.map(({ what, expected, seen }) => `${what}: expected ${expected}, saw ${seen}`);
  return [
    `${head}>`,
    `      <failure message="${escape(text[0] ?? '')}">${escape(text.join('\n'))}</failure>`,
    `      <system-out>${escape(lastLines.join('\n'))}</system-out>`,
    '    </testcase>',
  ];
}

function inSeconds(milliseconds: number): string {
  return (milliseconds / 1000).toFixed(3);
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\n': '&#10;',
};

/** XML cannot hold most control characters, not even escaped; a guest's console may. */
function escape(text: string): string {
  return text
    .replaceAll(/[\u0000-\u0008\u000b-\u001f\ufffe\uffff]/g, '�')
    .replaceAll(/[&<>"\n]/g, (found) => entities[found] ?? found);
}
