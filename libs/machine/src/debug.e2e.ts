import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { useGuest } from '../test/use-guest.ts';
import { formatGdbLine, gdbArguments, makeVscodeConfiguration, startForDebugger } from './debug.ts';
import type { KernelRun } from './kernel-run.ts';

const guest = useGuest();

function plan(...args: readonly string[]): KernelRun {
  return { kernel: guest.kernel, architecture: 'x86_64', platform: 'qemu', accelerator: 'tcg', args };
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
  const sources = { '/mnt/app': '/a b/app', '/mnt/core': '/core' };
  const target = { debugKernel: "/a b/it's.dbg", port: 1234, breakAt: 'serve', sources };
  const places = `-ex 'set substitute-path /mnt/app "/a b/app"' -ex 'set substitute-path /mnt/core /core'`;
  expect(formatGdbLine(target)).toBe(
    String.raw`gdb -q ${places} -ex 'target remote 127.0.0.1:1234' -ex 'hbreak serve' -ex continue '/a b/it'\''s.dbg'`,
  );
  expect(makeVscodeConfiguration('web', target)).toMatchObject({
    program: "/a b/it's.dbg",
    miDebuggerServerAddress: '127.0.0.1:1234',
    sourceFileMap: sources,
  });
});
