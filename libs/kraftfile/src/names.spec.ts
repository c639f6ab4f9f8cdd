import { describe, expect, it } from 'vitest';
import { kraftfilesOfFolder } from './folder.ts';
import { isKraftfile, isKraftfileName, variantOfName } from './names.ts';

describe('names of Kraftfiles', () => {
  it.each([
    ['Kraftfile', undefined],
    ['kraft.yaml', undefined],
    ['kraft.yml', undefined],
    ['Kraftfile.yaml', undefined],
    ['Kraftfile.yml', undefined],
    ['Kraftfile.web', 'web'],
    ['Kraftfile_web', 'web'],
    ['Kraftfile-web.yaml', 'web'],
    ['kraft.cloud.yaml', 'cloud'],
    ['kraft.a.b.yml', 'a.b'],
  ])('%s', (name, variant) => {
    expect(isKraftfileName(name)).toBe(true);
    expect(variantOfName(name)).toBe(variant);
  });

  it.each([
    'kraftfile',
    'Kraftfiles',
    'MyKraftfile',
    'kraft',
    'kraft.json',
    'Kraftfile.bak',
    'Kraftfile~',
    'Kraftfile.md',
  ])('are not: %s', (name) => {
    expect(isKraftfileName(name)).toBe(false);
  });

  it('are taken in the order of kraft, further ones beside them', () => {
    expect(kraftfilesOfFolder(['Kraftfile.web', 'main.c', 'Kraftfile', 'kraft.yml', 'kraft.cloud.yaml'])).toEqual({
      default: 'kraft.yml',
      variants: ['Kraftfile.web', 'kraft.cloud.yaml'],
      ignored: ['Kraftfile'],
    });
    expect(kraftfilesOfFolder(['main.c'])).toEqual({ variants: [], ignored: [] });
  });
});

describe('what is meant as a Kraftfile', () => {
  it.each([
    'spec: v0.6\n',
    "# comment\n---\nspecification: '0.4'\n",
    'name: a\nunikraft: stable\n',
    'runtime: base\n',
    'spec: v0.6\n\t broken: [',
    '\ufeffspec: v0.6\r\n',
    '{"spec": "v0.6", "runtime": "base"}',
  ])('%j is', (text) => {
    expect(isKraftfile(text)).toBe(true);
  });

  it.each([
    '',
    'apiVersion: apps/v1\nkind: Deployment\nspec:\n  replicas: 1\n',
    'apiVersion: v1\nkind: List\nruntime: x\n',
    'process:\n  roles: broker\nnode.id: 1\n',
    'spec:\n  a: 1\n',
    'name: x\n  spec: v0.6\n',
  ])('%j is not', (text) => {
    expect(isKraftfile(text)).toBe(false);
  });
});
