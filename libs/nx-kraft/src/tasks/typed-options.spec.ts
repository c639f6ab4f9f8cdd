import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { asTyped } from './typed-options.ts';

interface Options {
  readonly env?: unknown;
  readonly memory?: unknown;
  readonly tags?: unknown;
  readonly buildArgs?: unknown;
  readonly cpus?: number;
}

function texts(options: Options, ...words: readonly string[]): Options {
  return asTyped({ ...options, __unparsed__: words }, { texts: ['env', 'memory', 'buildArgs'], lists: ['tags'] });
}

test('what Nx made a number of is what was typed', () => {
  expect(texts({ env: { PORT: 9090, V: 1.1, H: 16 } }, '--env.PORT=9090', '--env.V', '1.10', '--env.H=0x10')).toEqual({
    env: { PORT: '9090', V: '1.10', H: '0x10' },
  });
  expect(texts({ tags: 1 }, '--tags=1.0')).toEqual({ tags: ['1.0'] });
  expect(texts({ tags: [1, 'latest', 2] }, '--tags=1.0', '--tags=latest', '--tags', '2.0')).toEqual({
    tags: ['1.0', 'latest', '2.0'],
  });
  expect(texts({ buildArgs: { GO: 1.2 } }, '--build-args.GO=1.20')).toEqual({ buildArgs: { GO: '1.20' } });
});

test('what was not typed is its own text, and what is no text stays as it is', () => {
  expect(texts({ env: { A: 1, B: true, C: 'c' }, memory: 128, tags: ['a', 3], cpus: 2 })).toEqual({
    env: { A: '1', B: 'true', C: 'c' },
    memory: '128',
    tags: ['a', '3'],
    cpus: 2,
  });
  expect(texts({ env: { A: 2 } }, '--env.A=1', '--cpus=2')).toEqual({ env: { A: '2' } });
});

test.each(['run', 'debug', 'rootfs', 'package', 'push', 'release-publish', 'boot-report'])(
  'the texts of %s are those that its schema lets be numbers',
  (name) => {
    const folder = join(import.meta.dirname, '../executors', name);
    const { properties } = JSON.parse(readFileSync(join(folder, 'schema.json'), 'utf8')) as {
      properties: Readonly<Record<string, { readonly title?: string }>>;
    };
    const source = readFileSync(join(folder, 'executor.ts'), 'utf8');
    const named = [...source.matchAll(/(?:texts|lists): \[([^\]]*)\]/g)].flatMap(([, list = '']) => list.split(', '));
    const wanted = Object.keys(properties).filter((option) => /\btexts?$/.test(properties[option]?.title ?? ''));
    expect(named.map((option) => option.replaceAll("'", '')).toSorted()).toEqual(wanted.toSorted());
    expect(properties['__unparsed__']).toMatchObject({ $default: { $source: 'unparsed' } });
  },
);
