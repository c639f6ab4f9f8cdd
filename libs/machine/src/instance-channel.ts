import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { hasErrorCode } from '@nx-kraft/base';

/** What can be asked of the process that runs an instance. `status` only shows that it is there. */
export type InstanceCommand = 'status' | 'stop' | 'kill' | 'pause' | 'resume';

const done = 'ok';

/** The longest path that a socket may have (Linux: 107 bytes; macOS: 103). */
export const longestSocketPath = 103;

/**
 * Listens for commands on a socket, one per connection: a line with the command, answered by a line: `ok`, or
 * what went wrong.
 */
export async function serveCommands(
  path: string,
  handle: (command: InstanceCommand) => Promise<void>,
): Promise<Server> {
  // What a process that was killed left here answers nobody.
  await rm(path, { force: true });
  const server = createServer((socket) => {
    void answer(socket, handle);
  });
  server.listen(path);
  await once(server, 'listening');
  return server;
}

async function answer(socket: Socket, handle: (command: InstanceCommand) => Promise<void>): Promise<void> {
  // A caller that has gone away needs no answer.
  socket.on('error', () => undefined);
  const command = await readLine(socket);
  let result = done;
  try {
    await handle(command as InstanceCommand);
  } catch (error) {
    result = error instanceof Error ? error.message : String(error);
  }
  socket.end(`${result}\n`);
}

/**
 * Gives a command to the process that runs an instance and waits until it is done.
 *
 * @returns whether there is such a process
 * @throws Error with its words when it could not do it
 */
export async function sendCommand(path: string, command: InstanceCommand): Promise<boolean> {
  const socket = connect(path);
  try {
    await once(socket, 'connect');
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT', 'ECONNREFUSED', 'ENOTDIR')) return false;
    throw error;
  }
  socket.write(`${command}\n`);
  const result = await readLine(socket);
  socket.destroy();
  // A process that was killed may leave its socket open a moment longer, but answers no more.
  if (result === '') return false;
  if (result !== done) throw new Error(result);
  return true;
}

async function readLine(socket: Socket): Promise<string> {
  let text = '';
  socket.setEncoding('utf8');
  try {
    for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
      text += String(chunk);
      if (text.includes('\n')) break;
    }
  } catch (error) {
    if (!hasErrorCode(error, 'ECONNRESET')) throw error;
  }
  return text.split('\n')[0] ?? '';
}
