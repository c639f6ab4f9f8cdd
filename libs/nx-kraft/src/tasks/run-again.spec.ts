import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Fault } from '@nx-kraft/base';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runAgainAtChanges } from './run-again.ts';

let folder: string;
let kraftfile: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'run-again-'));
  kraftfile = join(folder, 'Kraftfile');
});
afterEach(() => rm(folder, { recursive: true }));

test.each(['first', 'broken'])(
  'an edit of the Kraftfile while the one before it, %s, is read is not missed',
  async (before) => {
    await writeFile(kraftfile, before);
    const stop = new AbortController();
    const plan = async () => {
      const text = await readFile(kraftfile, 'utf8');
      if (text !== 'last') await writeFile(kraftfile, 'last');
      if (text === 'broken') throw new Fault('BROKEN', 'it is being edited');
      return { architecture: 'x86_64', platform: 'qemu', kernel: join(folder, 'kernel'), args: [text] } as const;
    };
    const ran: string[] = [];
    await runAgainAtChanges(
      kraftfile,
      plan,
      async ({ args = [] }, over) => {
        ran.push(...args);
        if (args.includes('last')) stop.abort();
        if (!over.aborted) await once(over, 'abort');
        return { exitCode: 0, reason: 'stopped', message: 'it was stopped', lastLines: [], duration: 0 };
      },
      stop.signal,
    );
    expect(ran).toEqual(before === 'broken' ? ['last'] : ['first', 'last']);
  },
);
