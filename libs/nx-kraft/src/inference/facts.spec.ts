import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createProjects } from './create-projects.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'facts-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function put(path: string, text: string): Promise<void> {
  await mkdir(dirname(join(folder, path)), { recursive: true });
  await writeFile(join(folder, path), text);
}

/** The files among the inputs of the rootfs task of app, without those that tell what a Dockerfile leaves out. */
async function rootfsFiles(): Promise<readonly string[]> {
  const context = { workspaceRoot: folder, nxJsonConfiguration: {} };
  const [[, { projects }] = ['', {}]] = await createProjects(['app/Kraftfile'], {}, context);
  const inputs = projects?.app?.targets?.rootfs?.inputs ?? [];
  return inputs
    .flatMap((input) => (typeof input === 'object' && 'fileset' in input ? (input.fileset ?? []) : []))
    .filter((glob) => !/ignore|file-details/.test(glob));
}

test.each([
  ['a Dockerfile', 'Dockerfile', './Dockerfile'],
  ['a Dockerfile of another name', 'web.Dockerfile', '{ source: { path: ., dockerfile: web.Dockerfile } }'],
])('what %s reads is found out anew when it changes', async (_, name, rootfs) => {
  await put('app/Kraftfile', `spec: v0.7\nruntime: base\nrootfs: ${rootfs}\n`);
  await put(`app/${name}`, 'FROM scratch\nCOPY a /\n');
  const path = (file: string): string => `{workspaceRoot}/app/${file}`;
  expect(await rootfsFiles()).toEqual([path(name), path('a'), path('a/**/*')].toSorted());
  await put(`app/${name}`, 'FROM scratch\nCOPY b /\n');
  expect(await rootfsFiles()).toEqual([path(name), path('b'), path('b/**/*')].toSorted());
});

test('an ignore file of its own takes the place of the common one, even when it is empty', async () => {
  await put('app/Kraftfile', 'spec: v0.6\nruntime: base\nrootfs: ./Dockerfile\n');
  await put('app/Dockerfile', 'FROM scratch\nCOPY . /\n');
  await put('app/.dockerignore', 'secret\n');
  const left = ['!{workspaceRoot}/app/secret', '!{workspaceRoot}/app/secret/**/*'];
  expect(await rootfsFiles()).toEqual(expect.arrayContaining(left));
  await put('app/Dockerfile.dockerignore', '');
  expect(await rootfsFiles()).not.toEqual(expect.arrayContaining(left));
});
