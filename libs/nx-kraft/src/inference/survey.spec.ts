import { expect, test } from 'vitest';
import { taskNames } from '../options.ts';
import { packedImageNames } from './survey.ts';

type Options = Readonly<Record<string, unknown>>;

const namesOf = (options: Readonly<Record<string, Options>>) =>
  packedImageNames({ options: (task) => options[task] ?? {} }, taskNames());

test('a project packs what the names and tags of its package and push options say', async () => {
  const [host, name] = ['localhost:5000/base', 'localhost:5000/base:1'];
  expect(await namesOf({ package: { name } })).toEqual([name]);
  expect(await namesOf({ package: { name: host, tags: ['1', 'edge'] } })).toEqual([
    `${host}:latest`,
    `${host}:1`,
    `${host}:edge`,
  ]);
  expect(await namesOf({ package: { name }, push: { tags: ['2'] } })).toEqual([name, `${host}:2`]);
  expect(await namesOf({ push: { name: 'ghcr.io/me/base:1', tags: ['2'] } })).toEqual([
    'ghcr.io/me/base:1',
    'ghcr.io/me/base:2',
  ]);
  // Without a name they are tags of what follows from the Kraftfile, which may as well be the public image.
  expect(await namesOf({ package: { tags: ['edge'] } })).toEqual([]);
  expect(await namesOf({ package: { name, tags: ['no tag', 7] } })).toEqual([name, `${host}:7`]);
});
