import { type Autoscale, type Cloud, isUuid, parseSteps } from '@nx-kraft/cloud';
import type { Column } from '@nx-kraft/oci';
import { connectCloud } from '../../tasks/cloud/connect.ts';
import { type Group, command, print } from '../command.ts';
import { cloudOptions, milliseconds, show, showAll, wholeNumber } from './options.ts';

const columns: readonly Column<Autoscale>[] = [
  { heading: 'SERVICE', value: ({ name, uuid }) => name ?? uuid ?? '', canShrink: true },
  { heading: 'ENABLED', value: ({ enabled }) => String(enabled ?? true) },
  { heading: 'MIN', value: ({ min_size: size }) => String(size ?? '') },
  { heading: 'MAX', value: ({ max_size: size }) => String(size ?? '') },
  { heading: 'WARMUP', value: ({ warmup_time_ms: time }) => `${time ?? 0} ms` },
  { heading: 'COOLDOWN', value: ({ cooldown_time_ms: time }) => `${time ?? 0} ms` },
  { heading: 'MASTER', value: ({ master }) => master?.name ?? master?.uuid ?? '', canShrink: true },
  {
    heading: 'POLICIES',
    value: ({ policies }) => (policies ?? []).map(({ name }) => name).join(', '),
    canShrink: true,
  },
];

const init = command({
  arguments: 'SERVICE',
  options: {
    ...cloudOptions,
    master: {
      type: 'string',
      short: 'i',
      value: 'INSTANCE',
      required: true,
      summary: 'the one that others are made after',
    },
    'min-size': { type: 'string', short: 'm', value: 'NUMBER', summary: 'the fewest instances (1)' },
    'max-size': { type: 'string', short: 'M', value: 'NUMBER', summary: 'the most (10)' },
    'warmup-time': { type: 'string', short: 'w', value: 'TIME', summary: 'before a new one counts (1s)' },
    'cooldown-time': { type: 'string', short: 'c', value: 'TIME', summary: 'between two changes (1s)' },
  },
  run: async ({ values, words: [service] }) => {
    const { scaling } = await connectCloud(values.metro);
    const changed = await scaling.configure(service, {
      master: values.master ?? '',
      min_size: wholeNumber('min-size', values['min-size'] ?? '1'),
      max_size: wholeNumber('max-size', values['max-size'] ?? '10'),
      warmup_time_ms: milliseconds('warmup-time', values['warmup-time'] ?? '1s'),
      cooldown_time_ms: milliseconds('cooldown-time', values['cooldown-time'] ?? '1s'),
    });
    print(values, changed, () => `${service} is scaled`);
    return 0;
  },
});

const add = command({
  arguments: 'SERVICE',
  options: {
    ...cloudOptions,
    name: { type: 'string', short: 'n', value: 'NAME', required: true, summary: "the rule's name" },
    metric: { type: 'string', short: 'm', choices: ['cpu'], summary: 'what is measured (cpu, in thousandths)' },
    adjustment: {
      type: 'string',
      short: 'a',
      choices: ['percent', 'absolute', 'change'],
      summary: 'what the number behind a step says (change)',
    },
    step: {
      type: 'string',
      short: 's',
      multiple: true,
      value: 'LOW:HIGH/NUMBER',
      required: true,
      summary: 'one to four: :600/-1, 600:800/1, 800:/2',
    },
  },
  run: async ({ values, words: [service] }) => {
    const cloud = await connectCloud(values.metro);
    const added = await cloud.scaling.addPolicy(await uuidOf(cloud, service), {
      name: values.name ?? '',
      type: 'step',
      metric: 'cpu',
      adjustment_type: values.adjustment ?? 'change',
      steps: parseSteps(values.step ?? []),
    });
    print(values, added, () => `${service} follows ${values.name}`);
    return 0;
  },
});

const get = command({
  arguments: '[SERVICE…]',
  options: {
    ...cloudOptions,
    policy: { type: 'string', short: 'p', value: 'NAME', summary: 'one rule of a service, as JSON' },
  },
  run: async ({ values, words }) => {
    const cloud = await connectCloud(values.metro);
    if (values.policy === undefined) show(values, columns, await cloud.scaling.list(words));
    else {
      const rules = await cloud.scaling.policies(await uuidOf(cloud, words[0] ?? ''), values.policy);
      showAll(rules);
    }
    return 0;
  },
});

const remove = command({
  arguments: 'SERVICE POLICY',
  options: cloudOptions,
  run: async ({ values, words: [service, policy] }) => {
    const cloud = await connectCloud(values.metro);
    const removed = await cloud.scaling.removePolicy(await uuidOf(cloud, service), policy);
    print(values, removed, () => `${service} does not follow ${policy} any more`);
    return 0;
  },
});

const reset = command({
  arguments: 'SERVICE…',
  options: cloudOptions,
  run: async ({ values, words }) => {
    const changed = await (await connectCloud(values.metro)).scaling.reset(words);
    print(values, changed, () => words.map((word) => `${word} is scaled no more`).join('\n'));
    return 0;
  },
});

export const scale: Group = {
  commands: {
    init: { summary: 'Has a service scaled.', aliases: ['initialize', 'initialise'], load: () => init },
    add: { summary: 'Adds a rule.', load: () => add },
    get: { summary: 'Shows how services are scaled.', aliases: ['list', 'ls'], load: () => get },
    remove: { summary: 'Removes a rule.', aliases: ['rm', 'delete', 'del'], load: () => remove },
    reset: { summary: 'Has services scaled no more.', load: () => reset },
  },
  default: 'get',
};

/** Paths of rules have the service's UUID. */
async function uuidOf(cloud: Cloud, service: string): Promise<string> {
  return isUuid(service) ? service : ((await cloud.services.list([service]))[0]?.uuid ?? service);
}
