import { expect, test } from 'vitest';
import { stepReporter } from './progress.ts';

/** What is shown for some steps on a terminal or elsewhere. */
function show(isTTY: boolean): readonly string[] {
  const written: string[] = [];
  const output = { isTTY, columns: 30, write: (text: string) => written.push(text.replace('\r\u001B[K', '')) };
  const { onStep, onTotal, end } = stepReporter(output as unknown as NodeJS.WriteStream);
  onStep?.({ tool: 'LN', library: undefined, file: 'Makefile' });
  onTotal?.(4);
  onStep?.({ tool: 'CC', library: 'libone', file: 'a.o' });
  onStep?.({ tool: 'CC', library: 'libone', file: 'deep/b_with_a_very_long_name_indeed.o' });
  onStep?.({ tool: 'AWK', library: 'libtwo', file: 'c.h' });
  onStep?.({ tool: 'LD', library: undefined, file: 'libone.o' });
  end();
  return written;
}

test('on a terminal one line with the steps done of all, and what is compiled', () => {
  expect(show(true)).toEqual([
    '1 Makefile',
    '1/4 libone: a.o',
    '2/4 libone: b_with_a_very_lon',
    '3/4 libtwo: c.h',
    '4/4 libone.o',
    '',
  ]);
});

test('elsewhere a plain line for each library', () => {
  expect(show(false)).toEqual(['compiling libone\n']);
});
