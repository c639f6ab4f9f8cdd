import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildGuest, type Guest } from '../test/guest.ts';
import { formatGdbLine, gdbArguments, makeVscodeConfiguration, startForDebugger } from './debug.ts';
import type { MachinePlan } from './machine.ts';

let folder: string;
let guest: Guest;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'debug-'));
  guest = await buildGuest(folder);
});
afterAll(() => rm(folder, { recursive: true }));

function plan(...args: readonly string[]): MachinePlan {
  return { kernel: guest.kernel, architecture: 'x86_64', accelerator: 'tcg', args };
}

async function takePort(): Promise<{ server: Server; port: number }> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, port: (server.address() as AddressInfo).port };
}

test('gdb stops at main, sees the program, and the guest goes on', async () => {
  const { server, port } = await takePort();
  server.close();
  const lines: string[] = [];
  const machine = await startForDebugger(plan('say', 'hello gdb'), port, { onLine: (line) => lines.push(line) });
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(lines).toEqual([]);
  const target = { debugKernel: `${guest.kernel}.dbg`, port };
  const inspect = ['-batch', '-ex', 'print argv[argc - 1]', '-ex', 'delete', '-ex', 'detach'];
  const [file, ...before] = gdbArguments(target).toReversed();
  const { stdout } = await promisify(execFile)('gdb', [...before.toReversed(), ...inspect, file ?? '']);
  expect(stdout).toContain('"hello gdb"');
  await machine.ended;
  expect(lines).toContain('hello gdb');
});

test('the port for gdb is named when it is taken', async () => {
  const { server, port } = await takePort();
  await expect(startForDebugger(plan('hang'), port)).rejects.toMatchObject({
    code: 'MACHINE_PORT_TAKEN',
    message: `cannot listen on port ${port} (tcp) of 127.0.0.1`,
  });
  server.close();
});

test('the line for a shell and the configuration for VS Code say the same', () => {
  const target = { debugKernel: "/a b/it's.dbg", port: 1234, breakAt: 'serve' };
  expect(formatGdbLine(target)).toBe(
    String.raw`gdb -q -ex 'target remote 127.0.0.1:1234' -ex 'hbreak serve' -ex continue '/a b/it'\''s.dbg'`,
  );
  expect(makeVscodeConfiguration('web', target)).toMatchObject({
    program: "/a b/it's.dbg",
    miDebuggerServerAddress: '127.0.0.1:1234',
  });
});
