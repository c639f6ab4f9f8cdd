import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { refusalOf } from '@nx-kraft/base';
import { RootfsFault } from '../fault.ts';

/**
 * Reads secrets as `docker build --secret` takes them: `id=name`, with `src=file`, `source=file` or `env=VARIABLE`;
 * without either, the variable and then the file of that name. Values are read when the build asks for them.
 *
 * @throws RootfsFault SOURCE_MISSING for a secret that has no value
 */
export function readSecrets(
  specifications: readonly string[],
  baseDirectory: string,
  env: NodeJS.ProcessEnv,
): Map<string, () => Buffer> {
  return new Map(
    specifications.map((specification) => {
      const fields = new Map(
        specification.split(',').map((field) => [field.split('=')[0], field.split('=').slice(1).join('=')]),
      );
      const id = fields.get('id') ?? '';
      const variable = fields.get('env') ?? (fields.get('type') === 'env' ? (fields.get('src') ?? id) : undefined);
      const file = fields.get('src') ?? fields.get('source');
      if (id === '') throw missing(specification, 'has no id');
      if (variable !== undefined || (file === undefined && env[id] !== undefined)) {
        return [id, fromVariable(specification, variable ?? id, env)];
      }
      return [id, fromFile(specification, resolve(baseDirectory, file ?? id))];
    }),
  );
}

/**
 * Reads SSH agents as `docker build --ssh` takes them: `default` or `id=socket`.
 *
 * @throws RootfsFault SOURCE_MISSING for an agent that is not there, or a key in place of one
 */
export function readSshAgents(specifications: readonly string[], env: NodeJS.ProcessEnv): Map<string, string> {
  return new Map(
    specifications.map((specification) => {
      const [id = 'default', given] = specification.split('=');
      const socket = given ?? env['KRAFTKIT_BUILDKIT_SSH_AGENT'] ?? env['SSH_AUTH_SOCK'];
      if (socket === undefined) throw noAgent(specification, 'names no socket, and SSH_AUTH_SOCK is not set');
      const stats = statSync(socket, { throwIfNoEntry: false });
      if (stats === undefined) throw noAgent(specification, `leads to ${socket}, where nothing is`);
      if (!stats.isSocket()) throw noAgent(specification, `leads to ${socket}, which is no socket of an agent`);
      return [id, socket];
    }),
  );
}

function noAgent(specification: string, what: string): RootfsFault {
  return new RootfsFault('SOURCE_MISSING', `the SSH agent "${specification}" ${what}`, {
    hint: 'Start one with "eval $(ssh-agent)", give it the key with "ssh-add KEY", and write "default".',
  });
}

function fromVariable(specification: string, variable: string, env: NodeJS.ProcessEnv): () => Buffer {
  const value = env[variable];
  if (value === undefined) throw missing(specification, `names the variable ${variable}, which is not set`);
  return () => Buffer.from(value, 'utf8');
}

/** That it cannot be read is told before a build begins. */
function fromFile(specification: string, path: string): () => Buffer {
  try {
    accessSync(path, constants.R_OK);
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal === undefined) throw error;
    throw missing(specification, `leads to ${path}: ${refusal.message}`);
  }
  if (statSync(path).isDirectory()) throw missing(specification, `leads to ${path}, which is a folder`);
  return () => readFileSync(path);
}

function missing(specification: string, what: string): RootfsFault {
  return new RootfsFault('SOURCE_MISSING', `the secret "${specification}" ${what}`, {
    hint: 'Write it as id=name,src=file or id=name,env=VARIABLE.',
  });
}
