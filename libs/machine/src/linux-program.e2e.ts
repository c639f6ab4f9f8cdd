import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { buildGuest } from '../test/guest.ts';
import { useGuest } from '../test/use-guest.ts';
import { inspectLinuxProgram } from './linux-program.ts';

const guest = useGuest();
const execute = promisify(execFile);

test('programs of Linux are told from kernels, libraries and other files', async () => {
  const source = join(guest.folder, 'tool.c');
  await writeFile(source, 'int main(void) { return 0; }\nvoid _start(void) { for (;;); }\n');
  const compiled = async (name: string, ...options: readonly string[]) => {
    const file = join(guest.folder, name);
    await execute('gcc', ['-nostartfiles', ...options, '-o', file, source]);
    return inspectLinuxProgram(file);
  };
  expect(await compiled('static-pie', '-static-pie', '-nostdlib')).toEqual({ needsLibraries: false });
  expect(await compiled('pie', '-pie', '-fPIE')).toEqual({ needsLibraries: true });
  expect(await inspectLinuxProgram(process.execPath)).toEqual({ needsLibraries: true });
  expect(await compiled('static', '-static', '-nostdlib')).toBe(undefined);
  expect(await compiled('library.so', '-shared', '-fPIC')).toBe(undefined);
  const { kernel } = await buildGuest(guest.folder, 'fc');
  for (const other of [guest.kernel, `${guest.kernel}.dbg`, kernel, source]) {
    expect(await inspectLinuxProgram(other)).toBe(undefined);
  }
  const cut = join(guest.folder, 'cut');
  await execute('sh', ['-c', 'head -c 100 "$1" >"$2"', 'sh', join(guest.folder, 'pie'), cut]);
  expect(await inspectLinuxProgram(cut)).toBe(undefined);
});
