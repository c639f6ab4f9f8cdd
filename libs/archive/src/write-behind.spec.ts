import { createHash } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createFileBehind, FileWriter } from './file-writer.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'write-behind-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** More than all buffers hold, so that this thread has to write as well. */
const content = Buffer.from(Uint32Array.from({ length: 1_500_000 }, (_, index) => index * 2_654_435_761).buffer);

test('what another thread writes comes to its place, whatever is turned to and read back in between', async () => {
  const path = join(folder, 'file');
  const steps = fc.array(fc.tuple(fc.nat(1_000_000), fc.constantFrom('go on', 'turn', 'copy back')), { minLength: 5 });
  await fc.assert(
    fc.asyncProperty(steps, async (list) => {
      const expected: Buffer[] = [];
      const written = await createFileBehind(path, true, async (output) => {
        for (const [index, [length, then]] of list.entries()) {
          const piece = content.subarray(index * 1000, index * 1000 + length);
          output.bytes(piece);
          expected.push(piece);
          if (then === 'turn' && output.isDue) await output.turn();
          if (then === 'copy back') {
            output.copyBack(output.position - length, length);
            expected.push(piece);
          }
        }
        return output.finish();
      });
      const whole = Buffer.concat(expected);
      expect(readFileSync(path).equals(whole)).toBe(true);
      const digest = `sha256:${createHash('sha256').update(whole).digest('hex')}`;
      expect(written).toEqual({ digest, size: whole.length });
    }),
    { numRuns: 20 },
  );
});

test('a disk that is full is told by the next call, and at the end', async () => {
  const fd = openSync('/dev/full', 'w');
  try {
    const output = new FileWriter(fd, { digest: false, behind: true });
    output.bytes(content.subarray(0, 300_000));
    await expect(output.settle()).rejects.toMatchObject({ code: 'ENOSPC' });
    expect(() => output.bytes(content.subarray(0, 600_000))).toThrow(expect.objectContaining({ code: 'ENOSPC' }));
  } finally {
    closeSync(fd);
  }
});
