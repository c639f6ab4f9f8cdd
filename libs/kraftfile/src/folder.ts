import { isKraftfileName, kraftfileNames, variantOfName } from './names.ts';

/** The Kraftfiles among the files of one folder. */
export interface FolderKraftfiles {
  /** The folder's own one. */
  readonly default?: string;
  /** Further ones that stand beside it, such as `Kraftfile.web`, sorted. */
  readonly variants: readonly string[];
  /** Further ones with default names, which the first replaces. kraft refuses such a folder. */
  readonly ignored: readonly string[];
}

/** Sorts out the names of the files of a folder; whether they hold Kraftfiles is to be asked before. */
export function kraftfilesOfFolder(names: readonly string[]): FolderKraftfiles {
  const [first, ...ignored] = kraftfileNames.filter((name) => names.includes(name));
  return {
    ...(first === undefined ? {} : { default: first }),
    variants: names.filter((name) => isKraftfileName(name) && variantOfName(name) !== undefined).toSorted(),
    ignored,
  };
}
