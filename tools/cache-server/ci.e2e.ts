import { copyFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parse } from 'yaml';
import { type CacheServer, startCacheServer } from './server.ts';
import { TestWorkspace, tasksIn } from '../../libs/nx-kraft/test/workspace.ts';

interface Job {
  readonly steps?: readonly { readonly run?: string }[];
  readonly script?: readonly string[];
  readonly extends?: string;
}

let folder: string;
let server: CacheServer;
let repository: TestWorkspace;
let machines: TestWorkspace[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nx-kraft-server-'));
  server = await startCacheServer({ folder, tokens: { write: 'token' } });
  repository = await TestWorkspace.create('apps/hello', 'tools/test-kernel');
  machines = [repository];
  await repository.write('apps/quiet/Kraftfile', await kraftfileOf('quiet'));
  await repository.commit('before');
});
afterEach(async () => {
  await server.stop();
  await Promise.all(machines.map((machine) => machine.remove()));
  await rm(folder, { recursive: true, force: true });
});

/** Another application with the sources of `hello`. */
async function kraftfileOf(name: string): Promise<string> {
  return (await readFile(repository.path('apps/hello/Kraftfile'), 'utf8')).replace('name: hello', `name: ${name}`);
}

/** A machine of CI: a fresh checkout and empty caches. */
async function machine(): Promise<TestWorkspace> {
  const made = await TestWorkspace.cloneOf(repository);
  machines.push(made);
  Object.assign(made.environment, {
    HOME: made.path('.caches/home'),
    NX_SELF_HOSTED_REMOTE_CACHE_SERVER: server.url,
    NX_SELF_HOSTED_REMOTE_CACHE_ACCESS_TOKEN: 'token',
    NX_BASE: 'HEAD~1',
  });
  return made;
}

/** The line of a job of the generated workflow that calls this plugin. */
function lineOf(jobs: Readonly<Record<string, Job>>, name: string): string {
  const job = jobs[name];
  const lines = [...(job?.steps ?? []).map(({ run }) => run ?? ''), ...(job?.script ?? [])];
  const line = lines.find((text) => text.includes('nx-kraft ci'));
  if (line !== undefined) return line;
  if (job?.extends === undefined) throw new Error(`the job ${name} does nothing`);
  return lineOf(jobs, job.extends);
}

/** Does what a workflow says, with each worker of a stage on a machine of its own. */
async function runWorkflow(jobs: Readonly<Record<string, Job>>) {
  const planner = await machine();
  planner.environment.GITHUB_OUTPUT = planner.path('.caches/outputs');
  const planned = await planner.shell(`mkdir -p .caches; ${lineOf(jobs, 'plan')}`);
  expect(planned).toMatchObject({ exitCode: 0 });

  const stage = async (name: 'build' | 'merge', workers: readonly number[]) => {
    const made = await Promise.all(
      workers.map(async (worker) => {
        const place = await machine();
        if (name === 'merge') await place.withoutCompilers();
        await copyFile(planner.path('plan.json'), place.path('plan.json'));
        Object.assign(place.environment, { CI_JOB_STAGE: name, CI_NODE_INDEX: String(worker) });
        const run = await place.shell(lineOf(jobs, name).replaceAll(/\$\{\{ *matrix\.worker *\}\}/g, String(worker)));
        expect(run, run.output).toMatchObject({ exitCode: 0 });
        return { place, ...tasksIn(run.output) };
      }),
    );
    return made;
  };
  return { planner, stage };
}

async function change(): Promise<void> {
  for (const file of ['main.c', 'kraft.test.json']) {
    await repository.edit(`apps/hello/${file}`, 'Hello from', 'Greetings from');
  }
  for (const name of ['main.c', 'Makefile.uk', 'rootfs/etc/motd']) {
    await repository.write(`apps/shop/${name}`, await readFile(repository.path(`apps/hello/${name}`), 'utf8'));
  }
  await repository.write('apps/shop/Kraftfile', await kraftfileOf('shop'));
}

const kernels = ['hello', 'shop'].flatMap((app) => [`${app}:build:fc-x86_64`, `${app}:build:qemu-x86_64`]);

test('what GitHub is told to do builds each kernel once, on several machines, and merges them without a compiler', async () => {
  expect(await repository.nx('g', 'nx-kraft:ci', '--provider=github', '--workers=3')).toMatchObject({ exitCode: 0 });
  await change();
  await repository.commit('change');
  const text = await readFile(repository.path('.github/workflows/unikernels.yml'), 'utf8');
  const { jobs } = parse(text) as { jobs: Record<string, Job> };

  const { planner, stage } = await runWorkflow(jobs);
  const outputs = Object.fromEntries(
    (await readFile(planner.path('.caches/outputs'), 'utf8'))
      .trim()
      .split('\n')
      .map((line) => line.split('=')),
  ) as Record<'build' | 'merge', string>;
  expect(await readFile(planner.path('plan.json'), 'utf8')).not.toContain('quiet');

  const builders = await stage('build', JSON.parse(outputs.build) as number[]);
  expect(builders).toHaveLength(3);
  const built = builders.flatMap(({ ran }) => ran);
  expect(built.toSorted()).toEqual([...kernels, 'hello:rootfs', 'shop:rootfs'].toSorted());

  const mergers = await stage('merge', JSON.parse(outputs.merge) as number[]);
  const merged = mergers.flatMap(({ ran }) => ran.filter((task) => !task.endsWith(':build')));
  expect(merged.toSorted()).toEqual(['hello:package', 'hello:test', 'shop:package', 'shop:test']);
  for (const { place, ran } of mergers) {
    if (!ran.includes('hello:package')) continue;
    const index = JSON.parse(
      await readFile(place.path('apps/hello/.unikraft/build/hello.oci/index.json'), 'utf8'),
    ) as unknown;
    expect(JSON.stringify(index)).toContain('manifests');
    expect((await place.nx('run', 'hello:run')).output).toContain('Greetings from');
  }
});

test('what GitLab is told to do does the same, and a machine too many has nothing to do', async () => {
  expect(await repository.nx('g', 'nx-kraft:ci', '--provider=gitlab', '--workers=2')).toMatchObject({ exitCode: 0 });
  await repository.write('apps/hello/rootfs/etc/issue', 'new');
  await repository.commit('change');
  const main = parse(await readFile(repository.path('.gitlab-ci.yml'), 'utf8')) as { include: [{ local: string }] };
  const jobs = parse(await readFile(repository.path(main.include[0].local), 'utf8'), { logLevel: 'error' }) as Record<
    string,
    Job
  >;

  const { stage } = await runWorkflow(jobs);
  const ran = (await stage('build', [1, 2])).flatMap((run) => run.ran);
  expect(ran.toSorted()).toEqual(['hello:build:fc-x86_64', 'hello:build:qemu-x86_64', 'hello:rootfs']);
  const merged = (await stage('merge', [1, 2])).flatMap((run) => run.ran);
  expect(merged).toEqual(expect.arrayContaining(['hello:package', 'hello:test']));
});
