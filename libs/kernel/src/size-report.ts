import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { imageBaseName } from './shared-objects.ts';

/** Bytes of a kernel: what is executed, what is only read, what begins with values, and what begins as zero. */
export interface SectionSizes {
  readonly text: number;
  readonly rodata: number;
  readonly data: number;
  readonly bss: number;
}

/** What each library takes of a kernel, the largest first; none where the linker's map does not tell them apart. */
export interface SizeReport {
  readonly total: SectionSizes;
  readonly libraries: readonly (SectionSizes & { readonly name: string })[];
}

/**
 * Reads how many bytes each library contributed to an image from the map that GNU ld wrote: sections that it kept, by
 * the object file that they are from. Debug information does not count, nor what ld adds for alignment.
 */
export async function readSizeReport(map: string): Promise<SizeReport> {
  const libraries = new Map<string, Mutable<SectionSizes>>();
  const total = { text: 0, rodata: 0, data: 0, bss: 0 };
  let kind: keyof SectionSizes | undefined;
  let isKept = false;
  for await (const line of createInterface({ input: createReadStream(map), crlfDelay: Infinity })) {
    // The map begins with what was discarded.
    if (line.startsWith('Linker script and memory map')) isKept = true;
    if (!isKept) continue;
    const output = /^(\.\S+|[A-Z]\S*)/.exec(line);
    if (output?.[1] !== undefined) kind = kindOf(output[1]);
    // A long name of a section has a line of its own before its numbers.
    const input = /^ (?:\S+)?\s+0x[\da-f]+\s+0x([\da-f]+)\s+(\S.*\.(?:o|a\(.*\)))$/.exec(line);
    if (kind === undefined || input?.[1] === undefined || input[2] === undefined) continue;
    const size = Number.parseInt(input[1], 16);
    total[kind] += size;
    const name = libraryOf(input[2]);
    // For Xen all libraries are linked into one object before the image is, whose map then knows that one only.
    if (name.startsWith(`${imageBaseName}_`)) continue;
    const sizes = libraries.get(name) ?? { text: 0, rodata: 0, data: 0, bss: 0 };
    libraries.set(name, sizes);
    sizes[kind] += size;
  }
  const named = [...libraries].map(([name, sizes]) => ({ name, ...sizes }));
  return {
    total,
    libraries: named
      .filter((sizes) => sum(sizes) > 0)
      .toSorted((a, b) => sum(b) - sum(a) || (a.name < b.name ? -1 : 1)),
  };
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

function sum({ text, rodata, data, bss }: SectionSizes): number {
  return text + rodata + data + bss;
}

/** What an output section is made of; undefined for what is not loaded. */
function kindOf(section: string): keyof SectionSizes | undefined {
  if (/^\.(debug|comment|note\.GNU|symtab|strtab|shstrtab|stab|gnu\.|ARM\.attributes)/.test(section)) return undefined;
  if (/^\.?(t?bss|intrstack)/.test(section)) return 'bss';
  if (/^\.(text|init|fini|plt)(\.|$)/.test(section)) return 'text';
  return /^\.(rodata|eh_frame|uk_(?!.*_rw)|note)/.test(section) ? 'rodata' : 'data';
}

/** The library of an object: `/mnt/objects/libvfscore.o`, or a member of an archive such as `libgcc.a(_udivdi3.o)`. */
function libraryOf(file: string): string {
  const base = file.replace(/\.a\(.*\)$/, '').replace(/(\.ld)?\.o$/, '');
  return base.slice(base.lastIndexOf('/') + 1);
}
