import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { run } from '@nx-kraft/base';
import { inspectKraftfile } from './inspect.ts';
import { lintPaths } from './lint.ts';
import { loadKraftfile } from './load.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kraftfile-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

async function write(path: string, text: string | Buffer): Promise<string> {
  const whole = join(folder, path);
  await mkdir(join(whole, '..'), { recursive: true });
  await writeFile(whole, text);
  return whole;
}

const good = 'spec: v0.6\nruntime: base\n';

describe('lintPaths', () => {
  it('finds all Kraftfiles below a folder, and nothing else', async () => {
    await write('a/Kraftfile', good);
    await write('a/Kraftfile.web', good);
    await write('b/kraft.cloud.yaml', good);
    await write('kafka/kraft.yaml', 'process.roles: broker\n');
    await write('a/kraft.yaml', 'process.roles: broker\n');
    await write('k8s/Kraftfile.yaml', 'apiVersion: v1\nspec:\n  a: b\n');
    await write('node_modules/x/Kraftfile', 'spec: v9\n');
    await write('.hidden/Kraftfile', 'spec: v9\n');
    expect(await lintPaths([folder])).toEqual({
      report: '3 Kraftfiles: 0 errors, 0 warnings\n',
      diagnostics: [],
      files: 3,
      exitCode: 0,
    });
  });

  it('fails on errors only', async () => {
    const warned = await write('a/Kraftfile', `${good}volume: x\n`);
    const broken = await write('b/Kraftfile', 'spec: v9\nruntime: base\n');
    expect(await lintPaths([warned])).toMatchObject({ exitCode: 0, diagnostics: [{ code: 'UNKNOWN_KEY' }] });
    const both = await lintPaths([folder, broken], { format: 'json' });
    expect(both).toMatchObject({ exitCode: 1, files: 2 });
    expect(JSON.parse(both.report)).toMatchObject([
      { file: join(folder, 'a/Kraftfile'), line: 3, code: 'UNKNOWN_KEY' },
      { file: join(folder, 'b/Kraftfile'), line: 1, code: 'SPEC_UNSUPPORTED' },
    ]);
  });

  it('tells of an empty file called Kraftfile', async () => {
    await write('Kraftfile', '');
    expect(await lintPaths([folder])).toMatchObject({ exitCode: 1, diagnostics: [{ code: 'EMPTY' }] });
  });

  it('warns of a folder with two default names, and reads the one that comes first', async () => {
    await write('Kraftfile', 'spec: v9\n');
    await write('kraft.yaml', good);
    expect((await lintPaths([folder])).diagnostics).toMatchObject([
      { code: 'SEVERAL_DEFAULT_FILES', severity: 'warning', file: join(folder, 'Kraftfile') },
    ]);
  });

  it('warns of a Dockerfile that is not there', async () => {
    await write('a/Kraftfile', `${good}rootfs: ./Dockerfile\n`);
    await write('b/Kraftfile', `${good}rootfs: ./Dockerfile\n`);
    await write('b/Dockerfile', 'FROM scratch\n');
    expect((await lintPaths([folder])).diagnostics).toMatchObject([
      { code: 'DOCKERFILE_MISSING', file: join(folder, 'a/Kraftfile'), line: 3 },
    ]);
  });

  it('puts variables in', async () => {
    const path = await write('Kraftfile', 'spec: v0.6\nruntime: "base:${TAG}"\n');
    expect((await lintPaths([path])).diagnostics).toMatchObject([{ code: 'VARIABLE_UNSET' }]);
    expect((await lintPaths([path], { env: { TAG: '1' } })).diagnostics).toEqual([]);
  });

  it.each([
    ['nothing/here', 'There is no such file'],
    ['', 'There is no Kraftfile in here'],
  ])('fails for a path without a Kraftfile: %j', async (path, message) => {
    expect(await lintPaths([join(folder, path)])).toMatchObject({
      exitCode: 1,
      diagnostics: [{ code: 'UNREADABLE', message }],
    });
  });
});

describe('loadKraftfile', () => {
  it('names the project after the folder, and gives the text as it is', async () => {
    const text = '\ufeffspec: v0.6\r\nruntime: base';
    const { kraftfile, text: loaded } = await loadKraftfile(await write('my-app/Kraftfile', text));
    expect(kraftfile?.name).toBe('my-app');
    expect(loaded).toBe(text);
  });

  it('reads no file that is not text, or too large', async () => {
    const binary = await write('a/Kraftfile', Buffer.from([0x73, 0xff, 0xfe]));
    const large = await write('b/Kraftfile', Buffer.alloc(10_000_000, 'a: b\n'));
    expect((await loadKraftfile(binary)).diagnostics).toMatchObject([
      { code: 'UNREADABLE', message: 'The file is not UTF-8' },
    ]);
    expect((await loadKraftfile(large)).diagnostics).toMatchObject([{ code: 'TOO_LARGE' }]);
    const pipe = `${binary}.pipe`;
    await run('mkfifo', [pipe]);
    for (const odd of ['/dev/zero', pipe]) {
      expect((await loadKraftfile(odd)).diagnostics).toMatchObject([{ code: 'UNREADABLE' }]);
    }
  });
});

describe('inspectKraftfile', () => {
  it('prints the model', async () => {
    const path = await write('app/Kraftfile', `${good}targets: [kvm/x86_64]\n`);
    const { report, diagnostics, exitCode } = await inspectKraftfile(path);
    expect({ diagnostics, exitCode }).toEqual({ diagnostics: [], exitCode: 0 });
    expect(JSON.parse(report)).toMatchObject({ spec: 'v0.6', name: 'app', targets: [{ id: 'qemu-x86_64' }] });
  });

  it('prints nothing for a file that means nothing', async () => {
    const result = await inspectKraftfile(await write('app/Kraftfile', 'spec: v9\n'));
    expect(result).toMatchObject({ report: '', exitCode: 1 });
  });
});
