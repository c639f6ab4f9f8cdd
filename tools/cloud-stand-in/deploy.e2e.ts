// A project goes to the stand-in for Unikraft Cloud by nx, its image through a real registry.
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { TestWorkspace } from '../../libs/nx-kraft/test/workspace.ts';
import { startRegistry, type TestRegistry } from '../../libs/oci/test/registry.ts';
import { type StandIn, standInToken, startStandIn } from './server.ts';

let workspace: TestWorkspace;
let registry: TestRegistry;
let standIn: StandIn;

beforeEach(async () => {
  workspace = await TestWorkspace.create('apps/hello', 'tools/test-kernel');
  await workspace.edit('apps/hello/Kraftfile', '  - qemu/x86_64\n  - fc/x86_64', '  - kraftcloud/x86_64');
  registry = await startRegistry();
  standIn = await startStandIn({ registry: registry.host, selection: 'query' });
  vi.stubEnv('UKC_METRO', standIn.url);
  vi.stubEnv('UKC_TOKEN', standInToken);
  vi.stubEnv('GREETING_KEY', 'hunter2');
  await settle({});
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await standIn.close();
  await registry.stop();
  await workspace.remove();
});

function settle(more: object): Promise<void> {
  const settings = { registry: registry.host, ports: ['443:8080'], domains: ['hello'], secrets: ['GREETING_KEY'] };
  return workspace.write('apps/hello/kraft.deploy.json', JSON.stringify({ rolloutWait: 0.5, ...settings, ...more }));
}

function states(): Readonly<Record<string, string>> {
  return Object.fromEntries(standIn.world.instances.all().map(({ name, state }) => [name, state]));
}

test('deploy, again, update, failing update, status, logs, rollback, undeploy', async () => {
  const planned = await workspace.nx('run', 'hello:deploy', '--dryRun');
  expect(planned.output).toContain('+ instance hello-v1');
  expect(states()).toEqual({});

  const deployed = await workspace.nx('run', 'hello:deploy');
  expect(deployed.output).toContain('https://hello.stand-in.test');
  expect(deployed.exitCode).toBe(0);
  expect(states()).toEqual({ 'hello-v1': 'running' });
  const [first] = standIn.world.instances.all();
  expect(first?.request).toMatchObject({
    image: expect.stringMatching(/^me\/hello@sha256:/) as string,
    memory_mb: 128,
  });
  expect(first?.request.env).toEqual({ GREETING_KEY: 'hunter2' });

  standIn.requests.length = 0;
  const again = await workspace.nx('run', 'hello:deploy');
  expect(again.output).toContain('hello is as it should be');
  expect(standIn.requests.length).toBeLessThanOrEqual(3);
  expect(again.ran).toEqual(['hello:deploy']);

  // Settings are no part of the keys of other tasks; the program is.
  await settle({ memory: '256Mi' });
  const larger = await workspace.nx('run', 'hello:deploy');
  expect(larger.ran).toEqual(['hello:deploy']);
  await workspace.edit('apps/hello/Kraftfile', "'and all", "'with all");
  const updated = await workspace.nx('run', 'hello:deploy', '--json');
  expect(updated.output).toContain('"version": 3');
  expect(states()).toEqual({ 'hello-v3': 'running', 'hello-v2': 'stopped' });

  await settle({ memory: '256Mi', env: { STAND_IN_CRASH: '1' } });
  const failed = await workspace.nx('run', 'hello:deploy');
  expect(failed.exitCode).not.toBe(0);
  expect(failed.output).toContain('| panic: cannot open /app.conf');
  expect(failed.output).toContain('(CLOUD_UNHEALTHY)');
  expect(states()).toEqual({ 'hello-v3': 'running', 'hello-v2': 'stopped' });

  const status = await workspace.nx('run', 'hello:status');
  expect(status.output).toMatch(/hello-v3 +running/);
  expect((await workspace.nx('run', 'hello:logs', '--tail=5')).output).toContain('Powered by Unikraft');
  expect((await workspace.nx('run', 'hello:rollback')).exitCode).toBe(0);
  expect(states()).toEqual({ 'hello-v3': 'stopped', 'hello-v2': 'running' });
  expect((await workspace.nx('run', 'hello:undeploy')).output).toContain('removed service hello');
  expect(states()).toEqual({});
  const where = ['--registry', registry.host, '--plain-http'];
  expect(await workspace.nxKraft('cloud', 'image', 'remove', 'hello:latest', ...where)).toMatch(
    /^me\/hello:latest@sha256:/,
  );

  for (const { output } of [planned, deployed, again, larger, updated, failed, status]) {
    expect(output).not.toContain('hunter2');
    expect(output).not.toContain(standInToken);
  }
});

test('Ctrl-C during a rollout leaves what served, and only that', async () => {
  expect((await workspace.nx('run', 'hello:deploy')).exitCode).toBe(0);
  await settle({ memory: '256Mi', rolloutWait: 60 });
  const run = workspace.start('run', 'hello:deploy');
  while (states()['hello-v2'] !== 'running') await sleep(50);
  run.child.kill('SIGINT');
  await once(run.child, 'close');
  while (states()['hello-v2'] !== undefined) await sleep(50);
  expect(states()).toEqual({ 'hello-v1': 'running' });
});

test('what is missing is told before anything is built or sent', async () => {
  vi.stubEnv('UKC_TOKEN', '');
  expect((await workspace.nx('run', 'hello:status')).output).toContain('(CLOUD_NO_TOKEN)');
  vi.stubEnv('UKC_TOKEN', Buffer.from('robot$you.users.kraftcloud:x').toString('base64'));
  expect((await workspace.nx('run', 'hello:status')).output).toContain('(CLOUD_DENIED)');
  vi.stubEnv('UKC_METRO', '');
  expect((await workspace.nx('run', 'hello:status')).output).toContain('(CLOUD_NO_METRO)');
  await settle({ ports: ['80:80/tls'], replicas: 0 });
  expect((await workspace.nx('run', 'hello:status')).output).toContain('replicas: ');
  expect((await workspace.nx('run', 'hello:status', '--offline')).output).toMatch(/offline|must not be used/);
  expect(standIn.requests.every(({ method }) => method === 'GET')).toBe(true);
});
