import { parseArgs } from 'node:util';
import { type Instance, Instances, formatInstances } from '@nx-kraft/machine';
import { type Command, UsageFault } from './command.ts';

export const ps: Command = {
  usage: 'ps [--all] [--json]',
  summary: 'Lists machines that run.',
  help: '  -a, --all  those that have ended, too\n      --json',
  run: async (args) => {
    const { values } = parseArgs({
      args: [...args],
      options: { all: { type: 'boolean', short: 'a' }, json: { type: 'boolean' } },
    });
    const everything = await new Instances().list();
    const shown = values.all === true ? everything : everything.filter(isActive);
    process.stdout.write(
      values.json === true ? `${JSON.stringify(shown, undefined, 2)}\n` : `${formatInstances(shown).trimEnd()}\n`,
    );
    return 0;
  },
};

export const logs: Command = {
  usage: 'logs MACHINE [--follow]',
  summary: 'Shows what a machine has written to its console.',
  help: '  -f, --follow  goes on until the machine ends',
  run: async (args) => {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { follow: { type: 'boolean', short: 'f' } },
    });
    const [machine, ...more] = positionals;
    if (machine === undefined || more.length > 0) throw new UsageFault('logs needs one machine, by its name or id');
    for await (const chunk of new Instances().logs(machine, { follow: values.follow === true })) {
      process.stdout.write(chunk);
    }
    return 0;
  },
};

export const stop = forEachMachine('stop', 'Stops machines in order.', (instances, name) => instances.stop(name));

export const start = forEachMachine(
  'start',
  'Starts machines again, or goes on with paused ones.',
  async (all, name) => {
    await all.start(name);
  },
);

export const pause = forEachMachine('pause', 'Pauses machines.', (instances, name) => instances.pause(name));

export const rm = forEachMachine('rm', 'Removes machines, ending them first.', (instances, name) =>
  instances.remove(name),
);

/** A command that does the same with each of its machines, and goes on after one that fails. */
function forEachMachine(
  name: string,
  summary: string,
  act: (instances: Instances, machine: string) => Promise<void>,
): Command {
  return {
    usage: `${name} MACHINE… | ${name} --all`,
    summary,
    run: async (args) => {
      const { values, positionals } = parseArgs({
        args: [...args],
        allowPositionals: true,
        options: { all: { type: 'boolean', short: 'a' } },
      });
      if ((values.all === true) === positionals.length > 0) throw new UsageFault(`${name} needs machines, or --all`);
      const instances = new Instances();
      const machines = values.all === true ? (await instances.list()).map(({ id }) => id) : positionals;
      const done = await Promise.allSettled(machines.map((machine) => act(instances, machine)));
      const failed = done.filter((result) => result.status === 'rejected').map(({ reason }) => reason as unknown);
      if (failed.length > 1) throw new AggregateError(failed);
      if (failed.length === 1) throw failed[0];
      return 0;
    },
  };
}

function isActive({ state }: Instance): boolean {
  return state === 'running' || state === 'paused';
}
