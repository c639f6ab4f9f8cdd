import { homedir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { NamedComponent } from '../tasks/needs.ts';
import { usedComponents } from './components.ts';
import type { LockedSource } from './lock.ts';

const remote = (key: string, isPlaced = true): NamedComponent => ({ key, isPlaced });
const local = (key: string, folder: string): NamedComponent => ({ key: `${key}@${folder}`, isPlaced: true, folder });

function find(
  components: readonly NamedComponent[],
  locked: Readonly<Record<string, LockedSource>> = {},
  files: Readonly<Record<string, readonly NamedComponent[]>> = {},
) {
  const lock = { components: new Map(Object.entries(locked)), images: new Map<string, string>() };
  return usedComponents(components, '/w/app', {
    lock,
    componentsOf: (folder) => files[folder],
    realPath: (path) => path.replace('/w/linked', '/w/libs'),
  });
}

test('without a template, what the Kraftfile names is all', () => {
  expect(find([remote('core/unikraft@stable'), local('lib/a', '../linked/a'), local('lib/b', '~/b')])).toEqual({
    remote: ['core/unikraft@stable'],
    folders: ['/w/libs/a', join(homedir(), 'b')],
    templates: [],
    variables: [],
    isWhole: true,
  });
});

test('a template adds what the lock says of it, but for what the project has itself', () => {
  const own = [remote('core/unikraft@stable', false), remote('app/loader@1'), remote('lib/lwip@2')];
  const components = ['core/unikraft@0.17', 'lib/libelf@1', 'lib/lwip@1'];
  const locked = { 'app/loader@1': { components, variables: ['LEVEL'] } };
  expect(find(own, locked)).toEqual({
    remote: ['app/loader@1', 'lib/lwip@2', 'core/unikraft@0.17', 'lib/libelf@1'],
    folders: [],
    templates: [],
    variables: ['LEVEL'],
    isWhole: true,
  });
});

test('a template that is not locked, or locked without its components, leaves something unknown', () => {
  expect(find([remote('app/loader@1')]).isWhole).toBe(false);
  expect(find([remote('app/loader@1')], { 'app/loader@1': {} }).isWhole).toBe(false);
});

test('local templates and those of templates are followed, and their folders are relative to them', () => {
  const files = {
    '/w/base': [local('app/inner', './inner'), local('lib/a', '../libs/a')],
    '/w/base/inner': [remote('lib/musl@1'), local('lib/b', 'b')],
  };
  expect(find([local('app/base', '../base')], {}, files)).toEqual({
    remote: ['lib/musl@1'],
    folders: ['/w/base', '/w/base/inner', '/w/libs/a', '/w/base/inner/b'],
    templates: ['/w/base', '/w/base/inner'],
    variables: [],
    isWhole: true,
  });
  const loop = { '/w/base': [local('app/base', '.')] };
  expect(find([local('app/base', '../base')], {}, loop).isWhole).toBe(false);
});
