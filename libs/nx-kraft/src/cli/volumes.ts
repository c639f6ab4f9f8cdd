import { type NamedVolume, VolumeStore, formatRows } from '@nx-kraft/machine';
import { type Group, type Leaf, command, jsonOption, print } from './command.ts';

export const volume: Group = {
  default: 'ls',
  commands: {
    ls: { summary: 'Lists volumes.', aliases: ['list'], load: () => list },
    create: { summary: 'Makes volumes.', load: () => forEachVolume((store, name) => store.create(name)) },
    inspect: {
      summary: 'Tells where volumes are.',
      load: () => forEachVolume((store, name) => store.inspect(name)),
    },
    rm: { summary: 'Removes volumes with all that is in them.', aliases: ['remove', 'delete'], load: () => remove },
  },
  notes: 'A volume is a folder with a name, for nx-kraft run --volume NAME:/path and for volumes in Kraftfiles.',
};

const list = command({
  options: jsonOption,
  run: async ({ values }) => {
    const volumes = await new VolumeStore().list();
    print(values, volumes, () => format(volumes));
    return 0;
  },
});

const remove = command({
  arguments: 'NAME…',
  options: jsonOption,
  run: async ({ values, words }) => {
    const store = new VolumeStore();
    for (const name of words) await store.remove(name);
    print(values, { removed: words }, () => '');
    return 0;
  },
});

function forEachVolume(act: (store: VolumeStore, name: string) => Promise<NamedVolume>): Leaf {
  return command({
    arguments: 'NAME…',
    options: jsonOption,
    run: async ({ values, words }) => {
      const store = new VolumeStore();
      const shown: NamedVolume[] = [];
      for (const name of words) shown.push(await act(store, name));
      print(values, shown, () => format(shown));
      return 0;
    },
  });
}

function format(volumes: readonly NamedVolume[]): string {
  return formatRows([['NAME', 'FOLDER'], ...volumes.map(({ name, folder }) => [name, folder])]);
}
