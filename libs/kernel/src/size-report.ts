import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { readSectionSizes } from './sections.ts';
import { imageBaseName } from './shared-objects.ts';

/** Bytes of a kernel: what is executed, what is only read, what begins with values, and what begins as zero. */
export interface SectionSizes {
  readonly text: number;
  readonly rodata: number;
  readonly data: number;
  readonly bss: number;
}

/** What each library takes of a kernel, the largest first. */
export interface SizeReport {
  readonly total: SectionSizes;
  readonly libraries: readonly (SectionSizes & { readonly name: string })[];
}

/**
 * Reads how many bytes each library contributed to an image from the map that GNU ld wrote: sections that it kept, by
 * the object file that they are from. Debug information does not count, nor what ld adds for alignment.
 *
 * For Xen all libraries are linked into one object before the image is, and the map knows that one only: each of its
 * sections then counts for the libraries by what their own objects have in sections of its name.
 *
 * @param objects  the folder with the objects of the libraries
 */
export async function readSizeReport(map: string, objects: string): Promise<SizeReport> {
  const libraries = new Map<string, Mutable<SectionSizes>>();
  const total = { text: 0, rodata: 0, data: 0, bss: 0 };
  const add = (library: string, kind: keyof SectionSizes, size: number): void => {
    const sizes = libraries.get(library) ?? { text: 0, rodata: 0, data: 0, bss: 0 };
    libraries.set(library, sizes);
    sizes[kind] += size;
  };
  const joined: MapLine[] = [];
  for await (const line of readMap(map)) {
    total[line.kind] += line.size;
    const name = libraryOf(line.file);
    if (name.startsWith(`${imageBaseName}_`)) joined.push(line);
    else add(name, line.kind, line.size);
  }
  if (joined.length > 0) await shareOut(joined, objects, add);
  const named = [...libraries].map(([name, sizes]) => ({ name, ...sizes }));
  return {
    total,
    libraries: named
      .filter((sizes) => sum(sizes) > 0)
      .toSorted((a, b) => sum(b) - sum(a) || (a.name < b.name ? -1 : 1)),
  };
}

/** A section of an object file that is part of the image. */
interface MapLine {
  readonly section: string;
  readonly kind: keyof SectionSizes;
  readonly size: number;
  readonly file: string;
}

async function* readMap(map: string): AsyncGenerator<MapLine> {
  let kind: keyof SectionSizes | undefined;
  let isKept = false;
  let section = '';
  for await (const line of createInterface({ input: createReadStream(map), crlfDelay: Infinity })) {
    // The map begins with what was discarded.
    if (line.startsWith('Linker script and memory map')) isKept = true;
    if (!isKept) continue;
    const output = /^(\.\S+|[A-Z]\S*)/.exec(line);
    if (output?.[1] !== undefined) kind = kindOf(output[1]);
    // A long name of a section has a line of its own before its numbers.
    section = /^ (\S+)/.exec(line)?.[1] ?? section;
    const input = /^ (?:\S+)?\s+0x[\da-f]+\s+0x([\da-f]+)\s+(\S.*\.(?:o|a\(.*\)))$/.exec(line);
    if (kind === undefined || input?.[1] === undefined || input[2] === undefined) continue;
    yield { section, kind, size: Number.parseInt(input[1], 16), file: input[2] };
  }
}

async function shareOut(
  joined: readonly MapLine[],
  objects: string,
  add: (library: string, kind: keyof SectionSizes, size: number) => void,
): Promise<void> {
  const files = (await readdir(objects)).filter(
    (name) => /(?<!\.ld)\.o$/.test(name) && !name.startsWith(imageBaseName),
  );
  const parts = await Promise.all(
    files.map(async (file) => [libraryOf(file), await readSectionSizes(join(objects, file))] as const),
  );
  for (const { section, kind, size } of joined) {
    const whole = parts.reduce((bytes, [, sizes]) => bytes + (sizes.get(section) ?? 0), 0);
    for (const [library, sizes] of parts) {
      const part = sizes.get(section) ?? 0;
      if (part > 0) add(library, kind, Math.round((size * part) / whole));
    }
  }
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
