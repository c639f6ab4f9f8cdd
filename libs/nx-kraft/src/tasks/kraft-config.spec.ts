import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { buildkitHost } from './kraft-config.ts';

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
