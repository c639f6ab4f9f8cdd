import type { Cloud, Id } from '@nx-kraft/cloud';
import type { Column } from '@nx-kraft/oci';
import { connectCloud } from '../../tasks/cloud/connect.ts';
import { type Entry, command, print } from '../command.ts';
import { allOption, chosen, cloudOptions, show, showAll } from './options.ts';

/** What the API answers to a change. */
type Answer = { readonly name?: string | null | undefined; readonly uuid?: string | null | undefined };

/** Things of one kind that can be listed and removed. */
export interface Collection<Thing> {
  readonly columns: readonly Column<Thing>[];
  /** Which of the API's things these are. */
  readonly of: (cloud: Cloud) => {
    list(ids?: readonly Id[]): Promise<readonly Thing[]>;
    remove(ids: readonly Id[]): Promise<readonly Answer[]>;
  };
  /** Which ones `remove --all` removes, and how its help says that. */
  readonly removable?: { readonly test: (thing: Thing) => boolean; readonly summary: string };
}

/** The commands that all kinds of things have: `list`, `get`, `remove`. */
export function collectionCommands<Thing extends { readonly uuid: string }>(
  kind: string,
  { columns, of, removable }: Collection<Thing>,
): Readonly<Record<'list' | 'get' | 'remove', Entry>> {
  const list = command({
    options: cloudOptions,
    run: async ({ values }) => {
      show(values, columns, await of(await connectCloud(values.metro)).list());
      return 0;
    },
  });
  const get = command({
    arguments: `${kind}…`,
    options: cloudOptions,
    run: async ({ values, words }) => {
      showAll(await of(await connectCloud(values.metro)).list(words));
      return 0;
    },
  });
  const remove = command({
    arguments: `[${kind}…]`,
    options: { ...cloudOptions, all: { ...allOption.all, summary: removable?.summary ?? allOption.all.summary } },
    run: async ({ values, words }) => {
      const things = of(await connectCloud(values.metro));
      const ids = await chosen(words, values.all, async () =>
        (await things.list()).filter((thing) => removable?.test(thing) ?? true).map(({ uuid }) => uuid),
      );
      tellNames(values, ids.length === 0 ? [] : await things.remove(ids));
      return 0;
    },
  });
  return {
    list: { summary: 'Lists all.', aliases: ['ls'], load: () => list },
    get: { summary: 'Tells all of some, as JSON.', aliases: ['info'], load: () => get },
    remove: { summary: 'Removes them.', aliases: ['rm', 'delete', 'del'], load: () => remove },
  };
}

/** What was changed, by name. */
export function tellNames(values: { readonly json?: boolean | undefined }, changed: readonly Answer[]): void {
  print(values, changed, () => changed.map(({ name, uuid }) => name ?? uuid ?? '').join('\n'));
}
