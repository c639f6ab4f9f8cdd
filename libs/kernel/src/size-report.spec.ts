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

async function read(text: string, objects: Readonly<Record<string, Buffer>> = {}): Promise<SizeReport> {
  const folder = await mkdtemp(join(tmpdir(), 'map-'));
  const file = join(folder, 'unikernel.map');
  await writeFile(file, text);
  for (const [name, bytes] of Object.entries(objects)) await writeFile(join(folder, name), bytes);
  return readSizeReport(file, folder).finally(() => rm(folder, { recursive: true }));
}

/** An ELF file with nothing but a table of sections of these sizes. */
function objectFile(sizes: Readonly<Record<string, number>>): Buffer {
  const sections = Object.entries({ '': 0, ...sizes, '.shstrtab': 0 });
  const names = Buffer.from(sections.map(([name]) => `${name}\0`).join(''));
  const header = Buffer.alloc(64);
  header.write('\u007fELF\u0002', 'latin1');
  header.writeBigUInt64LE(BigInt(64 + names.length), 40);
  header.writeUInt16LE(64, 58);
  header.writeUInt16LE(sections.length, 60);
  header.writeUInt16LE(sections.length - 1, 62);
  const table = sections.map(([name, size]) => {
    const entry = Buffer.alloc(64);
    entry.writeUInt32LE(names.indexOf(`${name}\0`), 0);
    entry.writeBigUInt64LE(64n, 24);
    entry.writeBigUInt64LE(BigInt(name === '.shstrtab' ? names.length : size), 32);
    return entry;
  });
  return Buffer.concat([header, names, ...table]);
}

test('the sections of an image of one object, as for Xen, count for libraries by what those have of each', async () => {
  const linked = map.replaceAll(/\/\S*\.(o|a\(.*\))$/gm, '/mnt/objects/unikernel_xen-x86_64.o');
  const { total, libraries } = await read(linked, {
    'libukboot.o': objectFile({ '.text': 0xc0, '.rodata': 0x18, '.data': 8, '.text.discarded': 0x500 }),
    'libukboot.ld.o': objectFile({ '.text': 0x9999 }),
    'libxenplat.o': objectFile({
      '.text': 0x40,
      '.rodata': 8,
      '.text.a_function_with_a_long_name': 0x20,
      '.bss': 0x2000,
    }),
    'unikernel_xen-x86_64.o': objectFile({ '.text': 0x9999 }),
  });
  expect(total).toEqual({ text: 0x124, rodata: 0x10, data: 8, bss: 0x2000 });
  expect(libraries).toEqual([
    { name: 'libxenplat', text: 0x60, rodata: 4, data: 0, bss: 0x2000 },
    { name: 'libukboot', text: 0xc0, rodata: 12, data: 8, bss: 0 },
  ]);
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
