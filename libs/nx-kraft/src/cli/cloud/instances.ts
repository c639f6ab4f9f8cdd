import {
  type CloudInstance,
  type InstanceRequest,
  describeEnding,
  isUuid,
  parseMebibytes,
  parsePorts,
  readLog,
  readVolume,
  restartPolicies,
} from '@nx-kraft/cloud';
import type { Column } from '@nx-kraft/oci';
import { prefixLines } from '../../tasks/cloud/prefix-lines.ts';
import { connectCloud } from '../../tasks/cloud/connect.ts';
import { untilStopped } from '../../tasks/task.ts';
import { type Group, type Options, type Values, command } from '../command.ts';
import { tellNames } from './collection.ts';
import { pairs } from '../values.ts';
import { allOption, chosen, cloudOptions, domainOptions, milliseconds, show, showAll, wholeNumber } from './options.ts';
import { readDomains } from './services.ts';
import { sleepOf, sleepOptions } from './sleep.ts';

const columns: readonly Column<CloudInstance>[] = [
  { heading: 'NAME', value: ({ name }) => name, canShrink: true },
  { heading: 'FQDN', value: (instance) => domainsOf(instance).join(', '), canShrink: true },
  { heading: 'STATE', value: ({ state }) => state },
  { heading: 'STATUS', value: statusOf, canShrink: true },
  { heading: 'IMAGE', value: ({ image }) => image ?? '', canShrink: true },
  { heading: 'MEMORY', value: ({ memory_mb: memory }) => `${memory ?? 0} MiB` },
  { heading: 'VCPUS', value: ({ vcpus }) => String(vcpus ?? 1) },
  { heading: 'ARGS', value: ({ args }) => (args ?? []).join(' '), canShrink: true },
  { heading: 'BOOT TIME', value: ({ boot_time_us: time }) => (time == null ? '' : `${(time / 1000).toFixed(2)} ms`) },
];

function domainsOf({ service_group: service }: CloudInstance): readonly string[] {
  return (service?.domains ?? []).map(({ fqdn }) => fqdn ?? '');
}

function statusOf(instance: CloudInstance): string {
  const { state, uptime_ms: uptime, started_at: since } = instance;
  if (state === 'stopped') return instance.stopped_at == null ? '' : describeEnding(instance);
  if (typeof uptime === 'number') return `for ${Math.round(uptime / 1000)} s`;
  return typeof since === 'string' ? `since ${since}` : '';
}

/** What the environment of an instance holds may be secret: names only. */
function withoutValues({ env, ...instance }: CloudInstance) {
  return { ...instance, env: Object.keys(env ?? {}) };
}

const list = command({
  options: cloudOptions,
  run: async ({ values }) => {
    const instances = await (await connectCloud(values.metro)).instances.list();
    if (values.json === true) showAll(instances.map(withoutValues));
    else show(values, columns, instances);
    return 0;
  },
});

const get = command({
  arguments: 'INSTANCE…',
  options: cloudOptions,
  notes: 'All that is known of instances, as JSON; of their environment only the names.',
  run: async ({ values, words }) => {
    const instances = await (await connectCloud(values.metro)).instances.list(words);
    showAll(instances.map(withoutValues));
    return 0;
  },
});

const createOptions = {
  ...cloudOptions,
  ...domainOptions,
  env: { type: 'string', short: 'e', multiple: true, value: 'NAME=VALUE', summary: "NAME alone: this shell's value" },
  feature: { type: 'string', short: 'f', multiple: true, value: 'NAME', summary: 'such as delete-on-stop' },
  memory: { type: 'string', short: 'M', value: 'AMOUNT', summary: '256Mi or 1Gi (default: the metro’s)' },
  name: { type: 'string', short: 'n', value: 'NAME', summary: 'default: the metro chooses one' },
  port: { type: 'string', short: 'p', multiple: true, value: 'PORT:PORT', summary: '443:8080, 5432:5432/tls' },
  replicas: { type: 'string', short: 'R', value: 'NUMBER', summary: 'how many more of it' },
  restart: { type: 'string', choices: restartPolicies, summary: 'when it is started again' },
  ...sleepOptions,
  service: { type: 'string', short: 'g', value: 'SERVICE', summary: 'joins a service that there is' },
  start: { type: 'boolean', short: 'S', summary: 'starts it at once' },
  vcpus: { type: 'string', short: 'V', value: 'NUMBER', summary: 'virtual processors' },
  volume: { type: 'string', short: 'v', multiple: true, value: 'VOLUME:/PATH', summary: ':ro behind it: read only' },
} as const satisfies Options;

const create = command({
  arguments: 'IMAGE [ARGUMENT…]',
  options: createOptions,
  notes: 'Write -- before arguments of the image that begin with a hyphen.',
  run: async ({ values, words: [image, ...args] }) => {
    const cloud = await connectCloud(values.metro);
    const created = await cloud.instances.create(requestOf(image, args, values));
    if (values.json === true) showAll(created.map(withoutValues));
    else show(values, columns, created);
    return 0;
  },
});

function requestOf(image: string, args: readonly string[], values: Values<typeof createOptions>): InstanceRequest {
  const { memory, name, port, replicas, restart, service, vcpus, volume } = values;
  const sleep = sleepOf(values);
  return {
    image,
    ...(args.length === 0 ? {} : { args }),
    ...(values.env === undefined ? {} : { env: pairs(values.env) }),
    ...(values.feature === undefined ? {} : { features: values.feature }),
    ...(memory === undefined ? {} : { memory_mb: parseMebibytes(memory) }),
    ...(name === undefined ? {} : { name }),
    ...(replicas === undefined ? {} : { replicas: wholeNumber('replicas', replicas) }),
    ...(restart === undefined ? {} : { restart_policy: restart }),
    ...(vcpus === undefined ? {} : { vcpus: wholeNumber('vcpus', vcpus) }),
    ...(volume === undefined ? {} : { volumes: volume.map(readVolume) }),
    ...(sleep === undefined ? {} : { scale_to_zero: sleep }),
    ...(service !== undefined
      ? { service_group: isUuid(service) ? { uuid: service } : { name: service } }
      : port !== undefined
        ? { service_group: { services: parsePorts(port), domains: readDomains(values) } }
        : {}),
    autostart: values.start === true,
  };
}

const start = command({
  arguments: '[INSTANCE…]',
  options: {
    ...cloudOptions,
    ...allOption,
    wait: { type: 'string', short: 'w', value: 'TIME', summary: 'waits until they run: 5s' },
  },
  run: async ({ values, words }) => {
    const { instances } = await connectCloud(values.metro);
    const ids = await chosen(words, values.all, async () =>
      (await instances.list()).filter(({ state }) => state === 'stopped').map(({ uuid }) => uuid),
    );
    const wait = values.wait === undefined ? 0 : milliseconds('wait', values.wait);
    tellNames(values, ids.length === 0 ? [] : await instances.start(ids, wait));
    return 0;
  },
});

const stop = command({
  arguments: '[INSTANCE…]',
  options: {
    ...cloudOptions,
    ...allOption,
    'drain-timeout': { type: 'string', short: 'd', value: 'TIME', summary: 'how long open connections may last: 10s' },
    force: { type: 'boolean', short: 'f', summary: 'at once' },
  },
  run: async ({ values, words }) => {
    const { instances } = await connectCloud(values.metro);
    const ids = await chosen(words, values.all, async () =>
      (await instances.list()).filter(({ state }) => state !== 'stopped').map(({ uuid }) => uuid),
    );
    const drain = values['drain-timeout'];
    const how = {
      force: values.force === true,
      ...(drain === undefined ? {} : { drain: milliseconds('drain-timeout', drain) }),
    };
    tellNames(values, ids.length === 0 ? [] : await instances.stop(ids, how));
    return 0;
  },
});

const remove = command({
  arguments: '[INSTANCE…]',
  options: {
    ...cloudOptions,
    ...allOption,
    stopped: { type: 'boolean', short: 's', summary: 'all that have stopped' },
  },
  run: async ({ values, words }) => {
    const { instances } = await connectCloud(values.metro);
    const ids = await chosen(words, values.all === true || values.stopped === true, async () =>
      (await instances.list())
        .filter(({ state }) => values.all === true || state === 'stopped')
        .map(({ uuid }) => uuid),
    );
    tellNames(values, ids.length === 0 ? [] : await instances.remove(ids));
    return 0;
  },
});

const logs = command({
  arguments: 'INSTANCE…',
  options: {
    metro: cloudOptions.metro,
    follow: { type: 'boolean', short: 'f', summary: 'goes on until they stop' },
    tail: { type: 'string', short: 'n', value: 'LINES', summary: 'only the last lines of what there is' },
    prefix: { type: 'string', short: 'p', value: 'TEXT', summary: 'before each line; default: the name, of several' },
    'no-prefix': { type: 'boolean', summary: 'nothing before lines' },
  },
  run: async ({ values, words }) => {
    const cloud = await connectCloud(values.metro);
    const tail = values.tail === undefined ? undefined : wholeNumber('tail', values.tail);
    await untilStopped((signal) =>
      Promise.all(
        words.map(async (word) => {
          const before = values.prefix ?? (words.length > 1 ? word : '');
          const prefix = values['no-prefix'] === true || before === '' ? '' : `${before} | `;
          for await (const chunk of readLog(cloud, word, { follow: values.follow === true, tail, signal })) {
            process.stdout.write(prefixLines(chunk, prefix));
          }
        }),
      ),
    );
    return 0;
  },
});

export const instance: Group = {
  commands: {
    list: { summary: 'Lists all.', aliases: ['ls'], load: () => list },
    get: { summary: 'Tells all of some.', aliases: ['info'], load: () => get },
    create: { summary: 'Creates one from an image.', aliases: ['new'], load: () => create },
    start: { summary: 'Starts them.', load: () => start },
    stop: { summary: 'Stops them.', load: () => stop },
    remove: { summary: 'Removes them.', aliases: ['rm', 'delete', 'del'], load: () => remove },
    logs: { summary: 'Shows what they have written.', aliases: ['log'], load: () => logs },
  },
  default: 'list',
};
