import { writeFile } from 'node:fs/promises';
import { replaceAtomically } from '@nx-kraft/base';
import { affectedTasks } from '../ci/affected-tasks.ts';
import { type Plan, type Share, makePlan } from '../ci/plan.ts';
import { runShare } from '../ci/run-share.ts';
import { type Group, command } from './command.ts';
import { UsageFault } from './usage-fault.ts';

const plan = command({
  options: {
    targets: { type: 'string', value: 'NAMES', summary: 'the tasks, with commas; default: build,package,test' },
    workers: { type: 'string', value: 'N', summary: 'how many machines there are at the most; default: 4' },
    base: { type: 'string', value: 'COMMIT', summary: 'what to compare with; default: NX_BASE' },
    head: { type: 'string', value: 'COMMIT', summary: 'what to build; default: NX_HEAD' },
    all: { type: 'boolean', summary: 'everything, and not only what changed' },
    output: { type: 'string', short: 'o', value: 'FILE', required: true, summary: 'where the plan is written' },
    github: { type: 'boolean', summary: 'tells the workers of each stage as outputs of a GitHub step' },
  },
  notes: 'A task takes as long as it did here before, by the history of Nx, else as long as such tasks usually take.',
  run: async ({ values }) => {
    const targets = (values.targets ?? 'build,package,test').split(',');
    const workers = readCount(values.workers ?? '4', '--workers');
    const made = makePlan(await affectedTasks(process.cwd(), { ...values, targets }), workers);
    await replaceAtomically(values.output, (path) => writeFile(path, `${JSON.stringify(made, undefined, 2)}\n`));
    process.stdout.write(values.github === true ? asOutputs(made) : describePlan(made));
    return 0;
  },
});

const runCommand = command({
  arguments: 'PLAN',
  options: {
    stage: { type: 'string', choices: ['build', 'merge'], required: true, summary: 'which half of the plan' },
    worker: { type: 'string', value: 'N', required: true, summary: 'which machine this is, from 1' },
  },
  notes: 'Results reach other machines by the remote cache alone: NX_SELF_HOSTED_REMOTE_CACHE_SERVER, or Nx Cloud.',
  run: async ({ values, words: [file] }) => {
    await runShare(process.cwd(), file, values.stage, readCount(values.worker, '--worker'));
    return 0;
  },
});

export const ci: Group = {
  commands: {
    plan: { summary: 'Splits what changed among machines, by how long it will take.', load: () => plan },
    run: { summary: "Does one machine's share of a plan.", load: () => runCommand },
  },
  notes: 'nx g nx-kraft:ci writes a workflow of GitHub or GitLab that calls these.',
};

function readCount(text: string, option: string): number {
  if (/^[1-9]\d{0,3}$/.test(text)) return Number(text);
  throw new UsageFault(`${option} is a number from 1, and not '${text}'`);
}

/** Lines for `$GITHUB_OUTPUT`: the numbers of the workers, as a matrix takes them. */
function asOutputs(made: Plan): string {
  const numbers = (shares: readonly Share[]): string => JSON.stringify(shares.map(({ worker }) => worker));
  return `build=${numbers(made.build)}\nmerge=${numbers(made.merge)}\n`;
}

function describePlan({ build, merge }: Plan): string {
  const lines = Object.entries({ build, merge }).flatMap(([stage, shares]) =>
    shares.map(({ worker, seconds, tasks }) => {
      const names = tasks.map(({ project, target }) => `${project}:${target}`).join(' ');
      return `${stage} ${worker}, about ${seconds} s: ${names}\n`;
    }),
  );
  return lines.length === 0 ? 'Nothing is affected.\n' : lines.join('');
}
