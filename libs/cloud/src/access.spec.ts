import { expect, test } from 'vitest';
import { findMetro, findToken } from './access.ts';

const encode = (text: string): string => Buffer.from(text).toString('base64');
const robot = encode('robot$me.users.kraftcloud:secret');

test('tokens are taken in the order of kraft', async () => {
  const environment = { KRAFTCLOUD_TOKEN: encode('a:1'), KC_TOKEN: encode('b:1'), UKC_TOKEN: encode('c:1') };
  expect((await findToken(environment)).account).toBe('a');
  expect((await findToken({ ...environment, KRAFTCLOUD_TOKEN: '' })).account).toBe('b');
  expect((await findToken(environment, { given: encode('d:1') })).account).toBe('d');
  expect((await findToken({}, { logIn: () => Promise.resolve(encode('e:1')) })).account).toBe('e');
});

test('the account is the part of the robot that names it', async () => {
  expect(await findToken({ UKC_TOKEN: robot })).toEqual({
    bearer: robot,
    account: 'me',
    login: { username: 'robot$me.users.kraftcloud', password: 'secret' },
  });
});

test.each([
  ['none', undefined, 'CLOUD_NO_TOKEN'],
  ['an empty one', '', 'CLOUD_NO_TOKEN'],
  ['no base64', 'not a token!', 'CLOUD_BAD_TOKEN'],
  ['no secret', encode('user'), 'CLOUD_BAD_TOKEN'],
  ['an empty secret', encode('user:'), 'CLOUD_BAD_TOKEN'],
  ['more than one line', encode('user:a\nb'), 'CLOUD_BAD_TOKEN'],
])('as a token %s is refused', async (_kind, token, code) => {
  await expect(findToken({ UKC_TOKEN: token })).rejects.toMatchObject({ code });
});

test.each([
  ['fra0', { url: 'https://api.fra0.kraft.cloud/v1', selection: 'body' }],
  ['was1', { url: 'https://api.was1.kraft.cloud/v1', selection: 'body' }],
  ['fra', { url: 'https://api.fra.unikraft.cloud/v1', selection: 'query' }],
  ['https://api.x.kraft.cloud/v1/', { url: 'https://api.x.kraft.cloud/v1', selection: 'body' }],
  ['https://cloud.example:8443/v1', { url: 'https://cloud.example:8443/v1', selection: 'query' }],
  ['http://127.0.0.1:9/v1', { url: 'http://127.0.0.1:9/v1', selection: 'query' }],
])('the metro %s is asked in its own form', (name, expected) => {
  expect(findMetro({}, name)).toMatchObject(expected);
});

test('metros are taken in the order of kraft', () => {
  const environment = { UNIKRAFTCLOUD_METRO: 'fra0', KRAFTCLOUD_METRO: 'dal0', UKC_METRO: 'sin0' };
  expect(findMetro(environment).name).toBe('fra0');
  expect(findMetro({ ...environment, UNIKRAFTCLOUD_METRO: '' }).name).toBe('dal0');
  expect(findMetro(environment, 'was1').name).toBe('was1');
});

test.each([undefined, '', 'FRA0', 'fra0/..', 'http://cloud.example/v1', 'ftp://x', 'https://'])(
  'as a metro %o is refused',
  (name) => {
    expect(() => findMetro({}, name)).toThrow(expect.objectContaining({ code: 'CLOUD_NO_METRO' }) as Error);
  },
);
