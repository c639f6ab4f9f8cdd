import { hash } from 'node:crypto';
import type { PluginOptions } from '../options.ts';
import { EntryFiles } from './entry-files.ts';
import type { Seen } from './looked.ts';

/** What Nx's daemon was told last of the projects of one entry of the plugin in `nx.json`. */
export interface Served extends Outlines {
  /** The plugin's, as the entry has them. */
  readonly options?: PluginOptions | undefined;
  /** What was on the disk then. */
  readonly seen: Seen;
}

/** The same with the Kraftfiles of the entry, relative to the workspace. */
export type ServedTo = Served & { readonly kraftfiles: readonly string[] };

/** Digests that tell whether projects are the same once more, where neither a Kraftfile nor Nx's own settings changed. */
export interface Outlines {
  /** Over all that follows from what lies on the disk. */
  readonly whole: string;
  /** Over what thereof decides what tasks wait for and are told. */
  readonly tasks: string;
}

export function outlinesOf(whole: readonly unknown[], tasks: readonly unknown[]): Outlines {
  const digest = (part: readonly unknown[]): string => hash('sha256', JSON.stringify(part), 'base64url');
  return { whole: digest(whole), tasks: digest(tasks) };
}

/** @param kraftfiles  those that were looked at, relative to the workspace */
export function rememberServed(workspaceRoot: string, kraftfiles: readonly string[], served: Served): void {
  filesIn(workspaceRoot).keep(kraftfiles, served);
}

export function forgetServed(workspaceRoot: string, kraftfiles: readonly string[]): void {
  filesIn(workspaceRoot).forget(kraftfiles);
}

export function recallServed(workspaceRoot: string): readonly ServedTo[] {
  return filesIn(workspaceRoot).all();
}

function filesIn(workspaceRoot: string): EntryFiles<Served> {
  return new EntryFiles(workspaceRoot, 'nx-kraft-served');
}
