import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type SizeReport, readSizeReport } from './size-report.ts';

const map = `
Discarded input sections

 .text          0x0000000000000000      0x999 /mnt/objects/libdiscarded.o

Memory Configuration

Linker script and memory map

.text           0x0000000000100000     0x1000
 *(.text.boot)
 .text          0x0000000000100000      0x100 /mnt/objects/libkvmplat.ld.o
 .text.a_function_with_a_long_name
                0x0000000000100100       0x20 /mnt/objects/libukboot.o
 .text.unlikely
                0x0000000000100120        0x4 /usr/lib/gcc/libgcc.a(_udivdi3.o)
                0x0000000000100120                a_symbol
.rodata         0x0000000000101000       0x10
 .rodata        0x0000000000101000       0x10 /mnt/objects/libukboot.o
.data           0x0000000000102000        0x8
 .data          0x0000000000102000        0x8 /mnt/objects/libukboot.o
.bss            0x0000000000103000     0x2000
 .bss           0x0000000000103000     0x2000 /mnt/objects/libukboot.o
.debug_info     0x0000000000000000     0x5000
 .debug_info    0x0000000000000000     0x5000 /mnt/objects/libukboot.o
`;

async function read(text: string): Promise<SizeReport> {
  const folder = await mkdtemp(join(tmpdir(), 'map-'));
  const file = join(folder, 'unikernel.map');
  await writeFile(file, text);
  return readSizeReport(file).finally(() => rm(folder, { recursive: true }));
}

test('an image of one object, as for Xen, has a total alone', async () => {
  const linked = map.replaceAll(/\/\S*\.(o|a\(.*\))$/gm, '/mnt/objects/unikernel_xen-x86_64.o');
  expect(await read(linked)).toEqual({ total: { text: 0x124, rodata: 0x10, data: 8, bss: 0x2000 }, libraries: [] });
});

test('bytes count for the library of their object; what was discarded and debug information does not', async () => {
  expect(await read(map)).toEqual({
    total: { text: 0x124, rodata: 0x10, data: 8, bss: 0x2000 },
    libraries: [
      { name: 'libukboot', text: 0x20, rodata: 0x10, data: 8, bss: 0x2000 },
      { name: 'libkvmplat', text: 0x100, rodata: 0, data: 0, bss: 0 },
      { name: 'libgcc', text: 4, rodata: 0, data: 0, bss: 0 },
    ],
  });
});
