import { join } from 'node:path';
import { readIfThere } from './files.ts';
import type { Kconfig } from './kconfig.ts';

/** A library outside of the core, by its name in the Kraftfile. */
export interface Library {
  readonly name: string;
  readonly folder: string;
  /** What the folder holds, by its content; undefined for a local folder. */
  readonly digest?: string | undefined;
}

/**
 * The libraries that must come first and in this order, because each one's headers and symbols shadow those of the
 * ones after it; all others follow sorted by folder.
 */
const leading = [
  'libcxxabi',
  'libcxx',
  'libunwind',
  'compiler-rt',
  'libgo',
  'musl',
  'newlib',
  'pthread-embedded',
] as const;

/** Sorts libraries into the order in which Unikraft's make must see them. */
export function orderLibraries(libraries: readonly Library[]): readonly Library[] {
  const rank = ({ name }: Library): number => {
    const index = leading.findIndex((first) => name === first || name === `lib-${first}`);
    return index === -1 ? leading.length : index;
  };
  return libraries.toSorted((a, b) => rank(a) - rank(b) || (a.folder < b.folder ? -1 : a.folder > b.folder ? 1 : 0));
}

/**
 * What naming libraries in a Kraftfile stands for: each one is switched on. kraft sets `CONFIG_LIB<NAME>` whether there is
 * such an option or not (kraftkit's `unikraft/lib/library.go`); here it must be one that the library declares.
 */
export async function librarySymbols(libraries: readonly Library[]): Promise<Kconfig> {
  const symbols = libraries.map(async ({ name, folder }) => {
    const symbol = librarySymbol(name);
    const declarations = (await readIfThere(join(folder, 'Config.uk'))) ?? '';
    const declaration = new RegExp(`^\\s*(?:menu)?config\\s+${symbol.replace('CONFIG_', '')}\\s*$`, 'm');
    return declaration.test(declarations) ? [[symbol, 'y']] : [];
  });
  return Object.fromEntries((await Promise.all(symbols)).flat()) as Kconfig;
}

/** The option that a library has by custom: `lwip` has `CONFIG_LIBLWIP`. */
export function librarySymbol(name: string): string {
  const upper = name.toUpperCase().replaceAll('-', '_');
  return upper.startsWith('LIB') ? `CONFIG_${upper}` : `CONFIG_LIB${upper}`;
}
