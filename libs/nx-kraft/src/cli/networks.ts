import { type Network, Networks, formatRows } from '@nx-kraft/machine';
import { type Group, type Leaf, command, jsonOption, print } from './command.ts';

export const net: Group = {
  default: 'ls',
  commands: {
    ls: { summary: 'Lists networks.', aliases: ['list'], load: () => list },
    create: { summary: 'Makes a network and brings it up.', aliases: ['add'], load: () => create },
    inspect: {
      summary: 'Tells of networks: addresses, state and attached machines.',
      load: () => forEachNetwork(() => Promise.resolve()),
    },
    up: {
      summary: 'Brings networks up, also after a restart of this host.',
      load: () => forEachNetwork((networks, name) => networks.up(name)),
    },
    down: {
      summary: 'Brings networks down.',
      aliases: ['stop'],
      load: () => forEachNetwork((networks, name) => networks.down(name)),
    },
    rm: {
      summary: 'Removes networks that no machine is attached to.',
      aliases: ['remove', 'delete'],
      load: () => remove,
    },
  },
  notes:
    'A network is a bridge of this host. To make and change one needs root or CAP_NET_ADMIN, and so does a machine that\n' +
    'is attached to it: nx-kraft run --network NAME. Ports (nx-kraft run --port) need neither rights nor a network.',
};

const list = command({
  options: jsonOption,
  run: async ({ values }) => {
    const networks = await new Networks().list();
    print(values, networks, () => format(networks));
    return 0;
  },
});

const create = command({
  arguments: 'NAME',
  options: {
    network: {
      type: 'string',
      short: 'n',
      value: 'ADDRESS/PREFIX',
      summary: "the host's address in it, such as 172.30.0.1/16; default: in a range that is free",
    },
    ...jsonOption,
  },
  run: async ({ values, words: [name] }) => {
    const network = await new Networks().create(name, values.network);
    print(values, network, () => format([network]));
    return 0;
  },
});

const remove = command({
  arguments: 'NAME…',
  options: jsonOption,
  run: async ({ values, words }) => {
    const networks = new Networks();
    for (const name of words) await networks.remove(name);
    print(values, { removed: words }, () => '');
    return 0;
  },
});

/** A command that does something with networks and then shows them. */
function forEachNetwork(act: (networks: Networks, name: string) => Promise<void>): Leaf {
  return command({
    arguments: 'NAME…',
    options: jsonOption,
    run: async ({ values, words }) => {
      const networks = new Networks();
      for (const name of words) await act(networks, name);
      const shown = await Promise.all(words.map((name) => networks.inspect(name)));
      print(values, shown, () => format(shown));
      return 0;
    },
  });
}

function format(networks: readonly Network[]): string {
  const rows = networks.map(({ name, gateway, state, taps }) => [name, gateway, state, String(taps.length)]);
  return formatRows([['NAME', 'ADDRESS', 'STATE', 'MACHINES'], ...rows]);
}
