import { type Instance, Instances, type KernelRun, formatPort } from '@nx-kraft/machine';
import { ConsoleOutput } from '../tasks/console-output.ts';
import { EnvFileFault } from '../tasks/machine-options.ts';
import { type SubjectOptions, planSubject } from '../tasks/plan-subject.ts';
import { type Options, type Values, command, jsonOption, print } from './command.ts';
import { UsageFault } from './usage-fault.ts';
import { pairs } from './values.ts';

const options = {
  target: { type: 'string', short: 't', value: 'ID', summary: 'of a Kraftfile, such as qemu-x86_64' },
  plat: { type: 'string', summary: 'the platform of a target, an image or a kernel file (default: qemu)' },
  arch: { type: 'string', short: 'm', summary: "the architecture of a target or an image (default: this host's)" },
  rootfs: { type: 'string', value: 'SOURCE', summary: 'a folder, archive, image or Dockerfile as root file system' },
  runtime: {
    type: 'string',
    short: 'r',
    value: 'IMAGE',
    summary:
      'what runs a Kraftfile, in place of its own kernel, or a program of Linux (default: unikraft.org/base:latest)',
  },
  memory: { type: 'string', short: 'M', value: 'SIZE', summary: 'default: 64Mi' },
  cpus: { type: 'string', value: 'NUMBER', summary: 'default: 1' },
  env: {
    type: 'string',
    short: 'e',
    value: 'NAME[=VALUE]',
    multiple: true,
    summary: 'a variable; NAME alone takes its value from here',
  },
  // Node itself looks for it in the whole command line: it ends in its own words where the file is missing, and empties a pipe.
  'env-file': { type: 'string', value: 'FILE', multiple: true, summary: 'variables as lines NAME=VALUE' },
  'kernel-arg': {
    type: 'string',
    short: 'a',
    value: 'LIBRARY.PARAMETER=VALUE',
    multiple: true,
    summary: "a parameter of one of the kernel's libraries",
  },
  port: {
    type: 'string',
    short: 'p',
    value: '[ADDRESS:]HOST:GUEST[/udp]',
    multiple: true,
    summary: 'a way in, which needs no rights; 0 takes any port of the host that is free',
  },
  network: {
    type: 'string',
    value: 'NAME[:ADDRESS[/PREFIX][:GATEWAY…]]',
    multiple: true,
    summary: 'a network of nx-kraft net',
  },
  mac: { type: 'string', value: 'ADDRESS', summary: 'of the first network interface' },
  volume: {
    type: 'string',
    short: 'v',
    value: 'SOURCE:DESTINATION[:OPTION,…]',
    multiple: true,
    summary: 'a folder, file or volume by name; options: ro, 9pfs (the default), virtiofs, block, initrd',
  },
  accelerator: { type: 'string', choices: ['auto', 'kvm', 'tcg'], summary: 'default: auto' },
  'disable-acceleration': { type: 'boolean', short: 'W', summary: 'as --accelerator tcg' },
  timeout: { type: 'string', value: 'SECONDS', summary: 'ends it, with exit code 124' },
  name: { type: 'string', short: 'n', summary: 'for ps, logs, stop and the others' },
  prefix: { type: 'string', value: 'TEXT', summary: 'before each line of the console' },
  'prefix-name': { type: 'boolean', summary: 'its name as prefix' },
  interactive: { type: 'boolean', short: 'i', summary: 'gives it what is typed' },
  detach: { type: 'boolean', short: 'd', summary: 'lets it run on its own; the output is its name' },
  rm: { type: 'boolean', summary: 'removes a detached one at its end' },
  'no-start': { type: 'boolean', summary: 'only makes it, for nx-kraft start' },
  offline: { type: 'boolean', summary: 'never talks to another machine' },
  json: { ...jsonOption.json, summary: 'with --detach and --no-start: all about it, as JSON' },
} as const satisfies Options;

type RunValues = Values<typeof options>;

export const run = command({
  arguments: '[PATH|IMAGE] [ARGUMENT…]',
  options,
  notes:
    'What is run is a folder with a Kraftfile whose target was built (the default: this one), a Kraftfile, a kernel file, a\n' +
    'program of Linux (static and position-independent), or an image by its name. Arguments of the program that begin with -\n' +
    "stand behind --. The exit code is the program's, and 130 after Ctrl-C, which ends it at once when it is pressed again.",
  run: async ({ values, words: [subject = '.', ...args] }) => {
    const plan = await planSubject(subject, {
      ...machineOptions(values),
      ...(values.target === undefined ? {} : { for: values.target }),
      ...(args.length === 0 ? {} : { args }),
      platform: values.plat,
      architecture: values.arch,
      rootfs: values.rootfs,
      runtime: values.runtime,
      offline: values.offline,
      onLine: (line) => process.stderr.write(`${line}\n`),
    }).catch(explainEnvFile);
    return values.detach === true || values['no-start'] === true ? leave(plan, values) : stay(plan, values);
  },
});

function machineOptions(values: RunValues): SubjectOptions {
  const { memory, mac, port, network, volume, cpus } = values;
  const accelerator = values['disable-acceleration'] === true ? 'tcg' : values.accelerator;
  return {
    env: pairs(values.env),
    envFile: values['env-file'] ?? [],
    kernelArgs: values['kernel-arg'] ?? [],
    ports: port ?? [],
    networks: network ?? [],
    volumes: volume ?? [],
    ...(memory === undefined ? {} : { memory }),
    ...(mac === undefined ? {} : { mac }),
    ...(cpus === undefined ? {} : { cpus: positive('--cpus', cpus) }),
    ...(accelerator === undefined ? {} : { accelerator }),
  };
}

/** A file of variables can only be meant by the option. What its fault advises is about tasks. */
function explainEnvFile(error: unknown): never {
  if (!(error instanceof EnvFileFault)) throw error;
  throw new UsageFault(`--env-file ${error.at}: ${error.message}`);
}

function positive(option: string, text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  throw new UsageFault(`${option} is a number above 0, and not '${text}'`);
}

async function leave(plan: KernelRun, values: RunValues): Promise<number> {
  const instances = new Instances();
  const created = await instances.create(plan, { name: values.name, removeAtEnd: values.rm === true });
  const instance = values['no-start'] === true ? created : await startOrForget(instances, created);
  print(values, instance, () => instance.name);
  const ports = (instance.ports ?? []).map(formatPort);
  if (values.json !== true && ports.length > 0) process.stderr.write(`ports: ${ports.join(', ')}\n`);
  return 0;
}

/** One that could not be started is of no use to anybody. */
async function startOrForget(instances: Instances, { id }: Instance): Promise<Instance> {
  try {
    return await instances.start(id);
  } catch (error) {
    await instances.remove(id);
    throw error;
  }
}

async function stay(plan: KernelRun, values: RunValues): Promise<number> {
  let screen = new ConsoleOutput(process.stdout, values.prefix);
  const { timeout, interactive } = values;
  const end = await new Instances()
    .run(
      plan,
      { name: values.name },
      {
        endOnSignals: true,
        timeout: timeout === undefined ? undefined : positive('--timeout', timeout) * 1000,
        ...(interactive === true ? { input: process.stdin } : {}),
        onCreated: ({ name }) => {
          if (values['prefix-name'] === true) screen = new ConsoleOutput(process.stdout, `${name} | `);
        },
        onConsole: (chunk) => screen.write(chunk),
        onNote: (note) => process.stderr.write(`${note}\n`),
      },
    )
    .finally(() => screen.flush());
  if (end.exitCode !== 0)
    process.stderr.write(`nx-kraft: ${end.message}${end.hint === undefined ? '' : `\n  ${end.hint}`}\n`);
  return end.exitCode;
}
