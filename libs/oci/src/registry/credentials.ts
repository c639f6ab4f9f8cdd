import { hasErrorCode, replaceAtomically, run, withLock } from '@nx-kraft/base';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { parseOrUndefined } from '../parse-json.ts';
import { RegistryFault } from './fault.ts';

/** What a registry is told about who asks. */
export type Credentials =
  | { readonly username: string; readonly password: string }
  /** A refresh token, as `docker login` keeps it for some registries. */
  | { readonly identityToken: string };

/** Gives the credentials for a registry (`unikraft.org`, `localhost:5000`, `docker.io`), or none. */
export type CredentialSource = (registry: string) => Promise<Credentials | undefined>;

/**
 * Credentials where users of Docker, Podman and this tool expect them; the first file that knows the registry wins:
 * our own {@link loginFile}, `REGISTRY_AUTH_FILE`, `$DOCKER_CONFIG/config.json` or `~/.docker/config.json`,
 * `$XDG_RUNTIME_DIR/containers/auth.json`, `~/.config/containers/auth.json`. Credential helpers are asked, nothing is
 * ever written. Files are read when they are first needed.
 *
 * @param more  asked before the files, such as environment variables or other tools' files
 * @throws RegistryFault CREDENTIALS_INVALID
 */
export function userCredentials(
  environment: NodeJS.ProcessEnv = process.env,
  more: CredentialSource = () => Promise.resolve(undefined),
): CredentialSource {
  const known = new Map<string, Promise<Credentials | undefined>>();
  const find = async (registry: string): Promise<Credentials | undefined> => {
    const given = await more(registry);
    if (given !== undefined) return given;
    for (const path of credentialFiles(environment)) {
      const found = await findInFile(path, registry, environment);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  return (registry) => {
    const asked = known.get(registry) ?? find(registry);
    known.set(registry, asked);
    return asked;
  };
}

/** Our own file with credentials, in the form of Docker's: `NX_KRAFT_AUTH_FILE`, or below the user's configuration. */
export function loginFile(environment: NodeJS.ProcessEnv = process.env): string {
  const own = environment['NX_KRAFT_AUTH_FILE'];
  if (own !== undefined) return own;
  return join(environment['XDG_CONFIG_HOME'] ?? join(homedir(), '.config'), 'nx-kraft', 'auth.json');
}

/** Keeps credentials in our own file, readable for its owner only. Does not ask the registry; see `login`. */
export function saveCredentials(path: string, registry: string, username: string, password: string): Promise<void> {
  return changeLogins(path, (auths) => ({
    ...auths,
    [registry]: { auth: Buffer.from(`${username}:${password}`).toString('base64') },
  }));
}

/** Forgets the credentials of a registry in our own file. */
export function forgetCredentials(path: string, registry: string): Promise<void> {
  return changeLogins(path, (auths) => Object.fromEntries(Object.entries(auths).filter(([name]) => name !== registry)));
}

type Auths = NonNullable<z.infer<typeof fileShape>['auths']>;

async function changeLogins(path: string, change: (auths: Auths) => Auths): Promise<void> {
  await withLock(`${path}.lock`, async () => {
    const file = (await readCredentialFile(path)) ?? {};
    const text = JSON.stringify({ ...file, auths: change(file.auths ?? {}) }, undefined, 2);
    await replaceAtomically(path, async (temporary) => {
      await writeFile(temporary, `${text}\n`, { mode: 0o600 });
      await chmod(temporary, 0o600);
    });
  });
}

function credentialFiles(environment: NodeJS.ProcessEnv): readonly string[] {
  const home = environment['HOME'] ?? homedir();
  const explicit = environment['REGISTRY_AUTH_FILE'];
  const runtime = environment['XDG_RUNTIME_DIR'];
  return [
    loginFile(environment),
    ...(explicit === undefined ? [] : [explicit]),
    join(environment['DOCKER_CONFIG'] ?? join(home, '.docker'), 'config.json'),
    ...(runtime === undefined ? [] : [join(runtime, 'containers', 'auth.json')]),
    join(environment['XDG_CONFIG_HOME'] ?? join(home, '.config'), 'containers', 'auth.json'),
  ];
}

/** A registry, by the name that references have, that a file has credentials for. */
export interface KnownLogin {
  readonly registry: string;
  readonly file: string;
}

/**
 * The registries that the user's files have credentials for, in the order in which these are asked; none of a store for
 * all registries, which tells no names.
 *
 * @throws RegistryFault CREDENTIALS_INVALID
 */
export async function listLogins(environment: NodeJS.ProcessEnv = process.env): Promise<readonly KnownLogin[]> {
  const logins: KnownLogin[] = [];
  for (const file of credentialFiles(environment)) {
    const { auths = {}, credHelpers = {} } = (await readCredentialFile(file)) ?? {};
    const names = new Set([...Object.keys(credHelpers), ...Object.keys(auths)].map(registryOf));
    logins.push(...[...names].map((registry) => ({ registry, file })));
  }
  return logins;
}

const fileShape = z.looseObject({
  auths: z
    .record(
      z.string(),
      z.looseObject({
        auth: z.string().optional(),
        username: z.string().optional(),
        password: z.string().optional(),
        identitytoken: z.string().optional(),
      }),
    )
    .optional(),
  credHelpers: z.record(z.string(), z.string()).optional(),
  credsStore: z.string().optional(),
});

async function readCredentialFile(path: string): Promise<z.infer<typeof fileShape> | undefined> {
  try {
    return fileShape.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw new RegistryFault('CREDENTIALS_INVALID', 'this file with credentials cannot be read', {
      at: path,
      hint: 'Log in again with the tool that wrote it, or remove it.',
      cause: error,
    });
  }
}

async function findInFile(
  path: string,
  registry: string,
  environment: NodeJS.ProcessEnv,
): Promise<Credentials | undefined> {
  const file = await readCredentialFile(path);
  if (file === undefined) return undefined;
  const names = namesOf(registry);
  const helped = names.find((name) => file.credHelpers?.[name] !== undefined);
  if (helped !== undefined) return askHelper(file.credHelpers?.[helped] ?? '', helped, environment, dirname(path));
  for (const name of names) {
    const entry = file.auths?.[name];
    if (entry === undefined) continue;
    const found = fromEntry(entry, path);
    if (found !== undefined) return found;
  }
  if (file.credsStore === undefined) return undefined;
  for (const name of names) {
    const found = await askHelper(file.credsStore, name, environment, dirname(path));
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Docker Hub and older files use other names than references do. */
function namesOf(registry: string): readonly string[] {
  const hub = ['https://index.docker.io/v1/', 'index.docker.io', 'registry-1.docker.io'];
  return [registry, `https://${registry}`, `https://${registry}/v2/`, ...(registry === 'docker.io' ? hub : [])];
}

/** The registry that an entry is for: the reverse of {@link namesOf}. */
function registryOf(name: string): string {
  const host = name.replace(/^https?:\/\//, '').replace(/\/v\d(\/.*)?$/, '');
  return /^(index|registry-1)\.docker\.io$/.test(host) ? 'docker.io' : host;
}

function fromEntry(entry: Auths[string], path: string): Credentials | undefined {
  if (entry.identitytoken !== undefined && entry.identitytoken !== '') return { identityToken: entry.identitytoken };
  if (entry.auth !== undefined && entry.auth !== '') {
    const text = Buffer.from(entry.auth, 'base64').toString('utf8');
    const colon = text.indexOf(':');
    if (colon < 0) {
      throw new RegistryFault('CREDENTIALS_INVALID', 'an entry has no user and password in its "auth"', {
        at: path,
        hint: 'Log in again with the tool that wrote it.',
      });
    }
    return { username: text.slice(0, colon), password: text.slice(colon + 1) };
  }
  const { username, password } = entry;
  return username === undefined || password === undefined ? undefined : { username, password };
}

const helperAnswer = z.object({ Username: z.string(), Secret: z.string() });

/** The protocol of docker-credential-helpers: the server's name in, JSON out. */
async function askHelper(
  helper: string,
  server: string,
  environment: NodeJS.ProcessEnv,
  at: string,
): Promise<Credentials | undefined> {
  let output: string;
  try {
    output = await run(`docker-credential-${helper}`, ['get'], { input: server, env: environment });
  } catch (error) {
    const said = error instanceof Error && 'output' in error ? String(error.output) : '';
    if (said.includes('credentials not found')) return undefined;
    throw helperFault(helper, at, error);
  }
  const answer = helperAnswer.safeParse(parseOrUndefined(output));
  if (!answer.success) throw helperFault(helper, at, answer.error);
  const { Username: username, Secret: secret } = answer.data;
  return username === '<token>' ? { identityToken: secret } : { username, password: secret };
}

function helperFault(helper: string, at: string, cause: unknown): RegistryFault {
  return new RegistryFault('CREDENTIALS_INVALID', `docker-credential-${helper} gives no credentials`, {
    at,
    hint: `Run "docker-credential-${helper} list" to see what is wrong, or log in with nx-kraft.`,
    cause,
  });
}
