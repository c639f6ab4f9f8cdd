import { CloudFault } from './fault.ts';

/** Who asks, as the API and the registry of images want to know it. */
export interface Token {
  /** What follows `Bearer` in requests: base64 of `user:secret`. */
  readonly bearer: string;
  /** The account whose images and instances these are: `me` for `robot$me.users.kraftcloud`. */
  readonly account: string;
  /** The same for the registry. */
  readonly login: { readonly username: string; readonly password: string };
}

/** Where the API is, and which of its two forms is spoken there. */
export interface Metro {
  readonly name: string;
  /** Ends with `/v1`, without a slash behind it, unless the user gave a whole URL. */
  readonly url: string;
  /** Whether what a GET selects is told in its body, as the first generation has it, or in its query. */
  readonly selection: 'body' | 'query';
}

/** A metro that everybody may use. */
export interface KnownMetro {
  readonly name: string;
  readonly location: string;
  readonly proxy: string;
}

/** The metros of both generations of the API. */
export const knownMetros: readonly KnownMetro[] = [
  { name: 'fra0', location: 'Frankfurt, DE', proxy: 'fra0.kraft.host' },
  { name: 'dal0', location: 'Dallas, TX', proxy: 'dal0.kraft.host' },
  { name: 'sin0', location: 'Singapore', proxy: 'sin0.kraft.host' },
  { name: 'was1', location: 'Washington, DC', proxy: 'was1.kraft.host' },
  { name: 'fra', location: 'Frankfurt, DE', proxy: 'fra.unikraft.app' },
  { name: 'dal', location: 'Dallas, TX', proxy: 'dal.unikraft.app' },
  { name: 'sin', location: 'Singapore', proxy: 'sin.unikraft.app' },
  { name: 'was', location: 'Washington, DC', proxy: 'was.unikraft.app' },
  { name: 'sfo', location: 'San Francisco, CA', proxy: 'sfo.unikraft.app' },
];

const tokenVariables = ['KRAFTCLOUD_TOKEN', 'KC_TOKEN', 'UNIKRAFTCLOUD_TOKEN', 'UKC_TOKEN'] as const;
const metroVariables = ['UNIKRAFTCLOUD_METRO', 'KRAFTCLOUD_METRO', 'KC_METRO', 'UKC_METRO'] as const;

/**
 * The token where users of `kraft cloud` have it: given, else in KRAFTCLOUD_TOKEN, KC_TOKEN, UNIKRAFTCLOUD_TOKEN or
 * UKC_TOKEN, else in what `logIn` finds.
 *
 * @param logIn  gives the base64 of `user:secret` that a login has left, if there is one
 * @throws CloudFault CLOUD_NO_TOKEN, CLOUD_BAD_TOKEN; neither shows any of the token
 */
export async function findToken(
  environment: NodeJS.ProcessEnv,
  { given, logIn }: { given?: string | undefined; logIn?: () => Promise<string | undefined> } = {},
): Promise<Token> {
  const text = given ?? firstOf(environment, tokenVariables) ?? (await logIn?.());
  if (text === undefined || text === '') {
    throw new CloudFault('CLOUD_NO_TOKEN', 'there is no token for Unikraft Cloud', {
      hint: 'Set UKC_TOKEN in the environment, or log in: nx-kraft login index.unikraft.io --user USER.',
    });
  }
  return readToken(text.trim());
}

/**
 * The metro: given, else in UNIKRAFTCLOUD_METRO, KRAFTCLOUD_METRO, KC_METRO or UKC_METRO. None is taken by default:
 * what is deployed to a place that nobody chose is hard to find again.
 *
 * @throws CloudFault CLOUD_NO_METRO
 */
export function findMetro(environment: NodeJS.ProcessEnv, given?: string): Metro {
  const name = (given ?? firstOf(environment, metroVariables) ?? '').trim();
  if (name.includes('://')) return metroAt(name);
  if (/^[a-z0-9][a-z0-9-]*(\.[a-z0-9-]+)*$/.test(name)) {
    const isFirst = /^[a-z]+\d$/.test(name);
    const url = isFirst ? `https://api.${name}.kraft.cloud/v1` : `https://api.${name}.unikraft.cloud/v1`;
    return { name, url, selection: isFirst ? 'body' : 'query' };
  }
  throw new CloudFault('CLOUD_NO_METRO', name === '' ? 'no metro is chosen' : `'${name}' cannot be a metro`, {
    hint: `Set UKC_METRO or --metro to one of ${knownMetros.map((metro) => metro.name).join(', ')}, or to a URL.`,
  });
}

function metroAt(text: string): Metro {
  const url = URL.parse(text);
  const isLoopback = url !== null && ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname);
  // A token must not go over a network in the clear.
  if (url === null || (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopback))) {
    throw new CloudFault('CLOUD_NO_METRO', 'the URL of a metro begins with https://', {
      hint: 'Only a server on this machine may be asked by plain HTTP.',
    });
  }
  return {
    name: url.host,
    url: `${url.origin}${url.pathname}`.replace(/\/+$/, ''),
    selection: url.hostname.endsWith('.kraft.cloud') ? 'body' : 'query',
  };
}

function readToken(bearer: string): Token {
  const text = /^[A-Za-z0-9+/_-]+=*$/.test(bearer) ? Buffer.from(bearer, 'base64').toString('utf8') : '';
  const [username = '', ...rest] = text.split(':');
  const password = rest.join(':');
  if (username === '' || password === '' || /\p{Cc}/u.test(text)) {
    throw new CloudFault('CLOUD_BAD_TOKEN', 'the token for Unikraft Cloud is not base64 of a user and a secret', {
      hint: 'Copy it again from the console, as it is and as a whole.',
    });
  }
  const account = /^robot\$(.+)\.users\.kraftcloud$/.exec(username)?.[1] ?? username;
  return { bearer, account, login: { username, password } };
}

function firstOf(environment: NodeJS.ProcessEnv, names: readonly string[]): string | undefined {
  return names.map((name) => environment[name]).find((value) => value !== undefined && value !== '');
}
