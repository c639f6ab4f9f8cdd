import { type Instance, Instances, formatInstances, isActive } from '@nx-kraft/machine';
import { ConsoleOutput } from '../tasks/console-output.ts';
import { type Leaf, command, jsonOption, print } from './command.ts';
import { UsageFault } from './usage-fault.ts';

const named = 'Machines are named by their names or ids.';

export const ps = command({
  options: {
    all: { type: 'boolean', short: 'a', summary: 'those that have ended, too' },
    long: { type: 'boolean', short: 'l', summary: 'also ids, addresses and processes' },
    quiet: { type: 'boolean', short: 'q', summary: 'ids and nothing else' },
    plat: { type: 'string', short: 'p', summary: 'those of this platform' },
    arch: { type: 'string', short: 'm', summary: 'those of this architecture' },
    ...jsonOption,
  },
  run: async ({ values }) => {
    const shown = (await new Instances().list())
      .filter((instance) => values.all === true || isActive(instance))
      .filter(({ plan }) => values.plat === undefined || plan.platform === values.plat)
      .filter(({ plan }) => values.arch === undefined || plan.architecture === values.arch);
    print(values, shown, () =>
      values.quiet === true
        ? shown.map(({ id }) => id).join('\n')
        : formatInstances(shown, { long: values.long === true }),
    );
    return 0;
  },
});

export const info = command({
  arguments: 'MACHINE…',
  notes: named,
  run: async ({ words }) => {
    const instances = new Instances();
    const all = await Promise.all(words.map((machine) => instances.inspect(machine)));
    print({ json: true }, all, () => '');
    return 0;
  },
});

export const logs = command({
  arguments: 'MACHINE…',
  options: {
    follow: { type: 'boolean', short: 'f', summary: 'goes on until they end' },
    'no-prefix': { type: 'boolean', summary: 'without the names that the lines of several machines begin with' },
  },
  notes: named,
  run: async ({ values, words }) => {
    const instances = new Instances();
    const machines = await Promise.all(words.map((machine) => instances.inspect(machine)));
    const hasPrefix = machines.length > 1 && values['no-prefix'] !== true;
    const show = async ({ id, name }: Instance): Promise<void> => {
      const screen = new ConsoleOutput(process.stdout, hasPrefix ? `${name} | ` : '');
      for await (const chunk of instances.logs(id, { follow: values.follow === true })) screen.write(chunk);
      screen.flush();
    };
    if (values.follow === true) await Promise.all(machines.map(show));
    else for (const machine of machines) await show(machine);
    return 0;
  },
});

export const stop = forEachMachine((instances, id) => instances.stop(id));

export const start = forEachMachine(async (instances, id) => {
  await instances.start(id);
});

export const pause = forEachMachine((instances, id) => instances.pause(id));

export const rm = forEachMachine((instances, id) => instances.remove(id));

/** A command that does the same with each of its machines, and goes on after one that fails. */
function forEachMachine(act: (instances: Instances, id: string) => Promise<void>): Leaf {
  return command({
    arguments: '[MACHINE…]',
    options: {
      all: { type: 'boolean', short: 'a', summary: 'all machines, instead of named ones' },
      json: { type: 'boolean', summary: 'the machines as they are afterwards, as JSON' },
    },
    notes: named,
    run: async ({ values, words }) => {
      if ((values.all === true) === words.length > 0) throw new UsageFault('give machines, or --all');
      const instances = new Instances();
      const machines = values.all === true ? (await instances.list()).map(({ id }) => id) : words;
      const done = await Promise.allSettled(
        machines.map(async (machine) => {
          const { id } = await instances.inspect(machine);
          await act(instances, id);
          return id;
        }),
      );
      const ids = done.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
      if (values.json === true) {
        print(
          values,
          (await instances.list()).filter(({ id }) => ids.includes(id)),
          () => '',
        );
      }
      const failed = done.filter((result) => result.status === 'rejected').map(({ reason }) => reason as unknown);
      if (failed.length > 1) throw new AggregateError(failed);
      if (failed.length === 1) throw failed[0];
      return 0;
    },
  });
}
