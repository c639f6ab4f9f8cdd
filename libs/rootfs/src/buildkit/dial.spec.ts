import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { dialBuildkit } from './dial.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dial-'));
});
afterEach(() => rm(folder, { recursive: true }));

// One dial in fifteen hung, depending on whether the program ended before the session began.
test('a container that is not there is told each time, and never waited for', async () => {
  const script = `#!${process.execPath}\nconsole.error('No such container: builder');\nprocess.exit(1);\n`;
  await writeFile(join(folder, 'docker'), script, { mode: 0o755 });
  const dial = () => dialBuildkit('docker-container://builder', { PATH: folder });
  for (let round = 0; round < 20; round++) {
    const dialled = await Promise.allSettled([dial(), dial(), dial(), dial(), dial()]);
    for (const result of dialled) {
      expect(result).toMatchObject({ reason: { message: expect.stringContaining('No such container') as string } });
    }
  }
});
