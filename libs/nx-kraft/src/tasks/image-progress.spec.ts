import { expect, test } from 'vitest';
import { transferReporter } from './image-progress.ts';

/** What is shown of a transfer on a terminal or elsewhere, and how many blobs count. */
function show(isTTY: boolean): { readonly written: readonly string[]; readonly count: number } {
  const written: string[] = [];
  const output = { isTTY, write: (text: string) => written.push(text.replace('\r\u001B[K', '')) };
  const { progress, end, sent } = transferReporter(output as unknown as NodeJS.WriteStream, 'sent');
  const blob = (size: number) => ({ digest: 'sha256:' as const, size });
  progress.onTotal?.(50_000_000);
  progress.onBytes?.(10_000_000);
  progress.onBlob?.(blob(20_000_000), 'there');
  progress.onBytes?.(1_000);
  progress.onBlob?.(blob(1_000), 'sent');
  // The first part twice, since a connection broke.
  for (let part = 0; part < 3; part++) progress.onBytes?.(9_999_000);
  progress.onBlob?.(blob(29_999_000), 'sent');
  end();
  return { written, count: sent() };
}

test('on a terminal one line has the bytes that are done and those of all', () => {
  // What follows at once is not shown.
  expect(show(true)).toEqual({ written: ['sent 10.0 MB of 50.0 MB', ''], count: 2 });
});

test('elsewhere there is a line for each large blob', () => {
  expect(show(false)).toEqual({ written: ['sent 50.0 MB of 50.0 MB\n'], count: 2 });
});
