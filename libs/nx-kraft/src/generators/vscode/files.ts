import { type Tree, parseJson } from '@nx/devkit';
import { GeneratorFault } from '../fault.ts';

export const settingsFile = '.vscode/settings.json';
export const extensionsFile = '.vscode/extensions.json';
export const tasksFile = '.vscode/tasks.json';
export const launchFile = '.vscode/launch.json';

type Json = Readonly<Record<string, unknown>>;

/** An entry of `tasks` or `configurations`. */
export type Entry = Json & { readonly [key in 'label' | 'name']?: string };

/** What each list of VS Code's files is called, and by what its entries are told apart. */
const lists = {
  [tasksFile]: { list: 'tasks', key: 'label', version: '2.0.0' },
  [launchFile]: { list: 'configurations', key: 'name', version: '0.2.0' },
} as const;

/**
 * Changes a file of VS Code's, or makes it. Files may have comments, which a change would lose, so those are left alone.
 *
 * @throws GeneratorFault BAD_JSON for one that has comments, or cannot be read
 */
export function changeJson(tree: Tree, file: string, change: (before: Json) => Json): void {
  const text = tree.read(file, 'utf8') ?? '';
  const before = text.trim() === '' ? {} : readJson(text, file);
  const after = change(before);
  if (JSON.stringify(after) === JSON.stringify(before)) return;
  try {
    if (text.trim() !== '') JSON.parse(text);
  } catch {
    const missing = JSON.stringify(newParts(before, after), null, 2);
    throw new GeneratorFault('BAD_JSON', `${file} has comments, which would be lost`, {
      hint: `Take them out, or add this by hand:\n${missing}`,
    });
  }
  tree.write(file, `${JSON.stringify(after, null, 2)}\n`);
}

function readJson(text: string, file: string): Json {
  try {
    return parseJson<Json>(text);
  } catch (error) {
    throw new GeneratorFault('BAD_JSON', `${file} cannot be read`, { hint: 'Repair it first.', cause: error });
  }
}

function newParts(before: Json, after: Json): Json {
  return Object.fromEntries(
    Object.entries(after).filter(([key, value]) => JSON.stringify(value) !== JSON.stringify(before[key])),
  );
}

/** Adds entries to a list; those that are there by the same name are replaced, all others stay. */
export function putEntries(tree: Tree, file: keyof typeof lists, entries: readonly Entry[]): void {
  const { list, key, version } = lists[file];
  changeJson(tree, file, (before) => {
    const there = (before[list] ?? []) as readonly Entry[];
    const added = entries.filter((entry) => !there.some((other) => other[key] === entry[key]));
    const kept = there.map((other) => entries.find((entry) => entry[key] === other[key]) ?? other);
    return { version, ...before, [list]: [...kept, ...added] };
  });
}

/** Takes out what {@link putEntries} has added for a project. */
export function removeEntries(tree: Tree, project: string): void {
  for (const file of [tasksFile, launchFile] as const) {
    if (!tree.exists(file)) continue;
    const { list, key } = lists[file];
    changeJson(tree, file, (before) => ({
      ...before,
      [list]: ((before[list] ?? []) as readonly Entry[]).filter(
        (entry) => entry[key]?.startsWith(`${project}: `) !== true,
      ),
    }));
  }
}
