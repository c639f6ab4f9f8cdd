import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';

/** A port of this host that no other test file takes. */
export const hostPort = 20_000 + (process.pid % 10_000);

interface Exchange {
  readonly path?: string;
  readonly expect: { readonly body: string };
}

/**
 * Starts a server's program on this host, and makes the requests that the project's scenario makes to the guest.
 *
 * @param command  of which the program prints `Listening on port …`
 */
export async function expectAnswersOnHost(project: string, command: readonly string[], port: number): Promise<void> {
  const { scenarios } = JSON.parse(await readFile(join(project, 'kraft.test.json'), 'utf8')) as {
    scenarios: readonly { readonly http: readonly Exchange[] }[];
  };
  const [program = '', ...args] = command;
  const server = spawn(program, args, { cwd: project, env: { ...process.env, PORT: `${port}` }, stdio: 'pipe' });
  let seen = '';
  for (const stream of [server.stdout, server.stderr]) stream.on('data', (chunk: Buffer) => (seen += chunk.toString()));
  try {
    const line = `Listening on port ${port}`;
    for (let attempt = 0; attempt < 2400 && !seen.includes(line) && server.exitCode === null; attempt++)
      await sleep(25);
    expect(seen).toContain(line);
    for (const { path = '/', expect: expected } of scenarios.flatMap(({ http }) => http)) {
      const answer = await fetch(`http://127.0.0.1:${port}${path}`);
      expect(answer.status).toBe(200);
      expect(await answer.text()).toContain(expected.body);
    }
  } finally {
    if (server.exitCode === null) {
      server.kill('SIGKILL');
      await once(server, 'exit');
    }
  }
}
