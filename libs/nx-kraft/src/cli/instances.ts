import { type Instance, Instances, formatInstances } from '@nx-kraft/machine';
import { type Leaf, command, jsonOption, print } from './command.ts';
import { UsageFault } from './usage-fault.ts';

export const ps = command({
  options: { all: { type: 'boolean', short: 'a', summary: 'those that have ended, too' }, ...jsonOption },
  run: async ({ values }) => {
    const everything = await new Instances().list();
    const shown = values.all === true ? everything : everything.filter(isActive);
    print(values, shown, () => formatInstances(shown));
    return 0;
  },
});

export const logs = command({
  arguments: 'MACHINE',
  options: { follow: { type: 'boolean', short: 'f', summary: 'goes on until the machine ends' } },
  notes: 'The machine is named by its name or id.',
  run: async ({ values, words: [machine] }) => {
    for await (const chunk of new Instances().logs(machine, { follow: values.follow === true })) {
      process.stdout.write(chunk);
    }
    return 0;
  },
});

export const stop = forEachMachine((instances, name) => instances.stop(name));

export const start = forEachMachine(async (instances, name) => {
  await instances.start(name);
});

export const pause = forEachMachine((instances, name) => instances.pause(name));

export const rm = forEachMachine((instances, name) => instances.remove(name));

/** A command that does the same with each of its machines, and goes on after one that fails. */
function forEachMachine(act: (instances: Instances, machine: string) => Promise<void>): Leaf {
  return command({
    arguments: '[MACHINE…]',
    options: { all: { type: 'boolean', short: 'a', summary: 'all machines, instead of named ones' } },
    run: async ({ values, words }) => {
      if ((values.all === true) === words.length > 0) throw new UsageFault('give machines, or --all');
      const instances = new Instances();
      const machines = values.all === true ? (await instances.list()).map(({ id }) => id) : words;
      const done = await Promise.allSettled(machines.map((machine) => act(instances, machine)));
      const failed = done.filter((result) => result.status === 'rejected').map(({ reason }) => reason as unknown);
      if (failed.length > 1) throw new AggregateError(failed);
      if (failed.length === 1) throw failed[0];
      return 0;
    },
  });
}

function isActive({ state }: Instance): boolean {
  return state === 'running' || state === 'paused';
}
