import {
  CloudFault,
  type CloudImage,
  type ImageFacts,
  type Settings,
  checkSettings,
  describeDeployment,
  restartPolicies,
  rollouts,
} from '@nx-kraft/cloud';
import { connectCloud } from '../../tasks/cloud/connect.ts';
import { rollOut } from '../../tasks/cloud/roll-out.ts';
import { untilStopped } from '../../tasks/task.ts';
import { type Options, type Values, command } from '../command.ts';
import { pairs } from '../values.ts';
import { cloudOptions, domainNames, domainOptions, milliseconds, wholeNumber } from './options.ts';
import { sleepOf, sleepOptions } from './sleep.ts';

const options = {
  ...cloudOptions,
  ...domainOptions,
  env: {
    type: 'string',
    short: 'e',
    multiple: true,
    value: 'NAME=VALUE',
    summary: 'NAME alone: a secret of this shell',
  },
  memory: { type: 'string', short: 'M', value: 'AMOUNT', summary: '256Mi or 1Gi (default: 1.1 times the image)' },
  name: { type: 'string', short: 'n', value: 'NAME', summary: "under which it runs (default: the image's)" },
  port: { type: 'string', short: 'p', multiple: true, value: 'PORT:PORT', summary: '443:8080, 5432:5432/tls' },
  replicas: { type: 'string', short: 'R', value: 'NUMBER', summary: 'how many instances serve (1)' },
  restart: { type: 'string', choices: restartPolicies, summary: 'when one is started again (never)' },
  rollout: { type: 'string', choices: rollouts, summary: 'what becomes of the old ones (stop)' },
  'rollout-wait': { type: 'string', value: 'TIME', summary: 'how long new ones must run before (10s)' },
  ...sleepOptions,
  timeout: { type: 'string', value: 'TIME', summary: 'how long image and instances may take (60s)' },
  vcpus: { type: 'string', short: 'V', value: 'NUMBER', summary: 'virtual processors (1)' },
  volume: { type: 'string', short: 'v', multiple: true, value: 'VOLUME:/PATH', summary: ':ro behind it: read only' },
  'dry-run': { type: 'boolean', summary: 'shows what would be done' },
} as const satisfies Options;

export const deploy = command({
  arguments: 'IMAGE [ARGUMENT…]',
  options,
  notes: [
    'The image must be in the metro: push it to its registry before. For a Kraftfile of the workspace use',
    'nx run PROJECT:deploy, which packs and pushes it, too.',
  ].join('\n'),
  run: async ({ values, words: [reference, ...args] }) => {
    const cloud = await connectCloud(values.metro);
    const image = await cloud.images.find(reference);
    if (image === undefined) {
      throw new CloudFault('CLOUD_NO_IMAGE', `${cloud.api.metro.name} has no image ${reference}`, {
        hint: `Push it: nx-kraft pkg push NAME index.unikraft.io/${cloud.token.account}/NAME:TAG`,
      });
    }
    const settings = settingsOf(reference, args, values);
    const deployment = describeDeployment(
      settings.name ?? nameOf(reference),
      settings,
      factsOf(image, reference),
      process.env,
    );
    const { 'rollout-wait': rolloutWait, timeout } = values;
    const how = {
      json: values.json,
      dryRun: values['dry-run'],
      rollout: values.rollout,
      ...(rolloutWait === undefined ? {} : { rolloutWait: milliseconds('rollout-wait', rolloutWait) / 1000 }),
      ...(timeout === undefined ? {} : { timeout: milliseconds('timeout', timeout) / 1000 }),
    };
    await untilStopped((signal) => rollOut(cloud, deployment, settings, how, signal));
    return 0;
  },
});

function settingsOf(image: string, args: readonly string[], values: Values<typeof options>): Settings {
  const { env = [], name = nameOf(image), vcpus, replicas } = values;
  const sleep = sleepOf(values);
  const settings = {
    name,
    args: args.length === 0 ? undefined : args,
    env: pairs(env.filter((item) => item.includes('='))),
    secrets: env.filter((item) => !item.includes('=')),
    memory: values.memory,
    vcpus: vcpus === undefined ? undefined : wholeNumber('vcpus', vcpus),
    ports: values.port,
    domains: domainNames(values),
    certificates: values.certificate,
    volumes: values.volume,
    replicas: replicas === undefined ? undefined : wholeNumber('replicas', replicas),
    restart: values.restart,
    scaleToZero: sleep && { policy: sleep.policy, stateful: sleep.stateful, cooldown: sleep.cooldown_time_ms },
  };
  return checkSettings(settings, 'the command line');
}

/** What the metro knows of the image. */
function factsOf({ digest, size_in_bytes: size, args, labels }: CloudImage, image: string): ImageFacts {
  return {
    reference: digest.includes('@') ? digest : `${withoutVersion(image)}@${digest}`,
    size: size ?? 0,
    args: Array.isArray(args) ? args : (args ?? '').split(' ').filter((word) => word !== ''),
    env: {},
    labels: labels ?? {},
  };
}

function withoutVersion(image: string): string {
  return image.replace(/[@:].*$/s, '');
}

function nameOf(image: string): string {
  return withoutVersion(image).replace(/^.*\//s, '');
}
