import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { buildkitHost, kraftLogin } from './kraft-config.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kraft-config-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test.each([
  ['buildkit_host: tcp://builder:1234\n', 'tcp://builder:1234'],
  ['no_prompt: true\nbuildkit_host: "docker-container://buildkitd" # ours\n', 'docker-container://buildkitd'],
  ['buildkit_host: ""\n', undefined],
  ['# buildkit_host: tcp://builder:1234\n', undefined],
  ['auth:\n  buildkit_host: tcp://builder:1234\n', undefined],
])("kraft's configuration %j gives the address %s", (config, address) => {
  writeFileSync(join(folder, 'config.yaml'), config);
  expect(buildkitHost({ KRAFTKIT_CONFIG_DIR: folder })).toBe(address);
});

test('the variable wins over the file, which need not be there', () => {
  expect(buildkitHost({ KRAFTKIT_CONFIG_DIR: folder })).toBeUndefined();
  writeFileSync(join(folder, 'config.yaml'), 'buildkit_host: tcp://builder:1234\n');
  const env = { KRAFTKIT_CONFIG_DIR: folder, KRAFTKIT_BUILDKIT_HOST: 'unix:///run/other.sock' };
  expect(buildkitHost(env)).toBe('unix:///run/other.sock');
});

test('a log-in of kraft is found by its registry', () => {
  const entry = (host: string, user: string) =>
    `  ${host}:\n    endpoint: ""\n    token: "${user}-token"\n    user: ${user}\n`;
  const auth = `auth:\n${entry('other.example', 'other')}${entry('index.unikraft.io', 'robot$me.users.kraftcloud')}`;
  writeFileSync(join(folder, 'config.yaml'), `no_prompt: true\n${auth}log:\n  level: info\n`);
  expect(kraftLogin('index.unikraft.io', { KRAFTKIT_CONFIG_DIR: folder })).toEqual({
    username: 'robot$me.users.kraftcloud',
    password: 'robot$me.users.kraftcloud-token',
  });
  expect(kraftLogin('ghcr.io', { KRAFTKIT_CONFIG_DIR: folder })).toBeUndefined();
});
