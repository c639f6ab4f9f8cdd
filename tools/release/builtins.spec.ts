import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '@nx-kraft/base';
import { build } from 'rolldown';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { builtins } from './builtins.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nx-kraft-builtins-'));
});
afterEach(() => rm(folder, { recursive: true }));

test("a module of Node's is loaded when the first of its functions is called, and not by an import", async () => {
  const printed = await bundled(`
    import { basename } from 'node:path';
    import { createHash as hash } from 'node:crypto';
    import { createGunzip } from 'node:zlib';
    const loaded = (name) => process.moduleLoadList.includes('NativeModule ' + name);
    const before = loaded('crypto');
    const digest = hash('sha256').update(basename('/etc/hosts')).digest('hex').slice(0, 8);
    console.log(before, digest, loaded('crypto'), loaded('zlib'), typeof createGunzip);`);
  expect(printed).toBe('false 4f8a2cc3 true false function');
});

test('classes, constants, whole modules and functions with another form for promises stay what they are', async () => {
  const printed = await bundled(`
    import path, { sep as slash } from 'node:path';
    import * as os from 'node:os';
    import { execFile } from 'node:child_process';
    import { Transform } from 'node:stream';
    import { promisify } from 'node:util';
    class Upper extends Transform {}
    const { stdout } = await promisify(execFile)(process.execPath, ['-p', '1 + 1']);
    console.log(path.sep === slash, typeof os.arch(), new Upper() instanceof Transform, stdout.trim());`);
  expect(printed).toBe('true string true 2');
});

async function bundled(source: string): Promise<string> {
  await writeFile(join(folder, 'entry.js'), source);
  const file = join(folder, 'out.mjs');
  await build({
    input: join(folder, 'entry.js'),
    platform: 'node',
    external: /^node:/,
    plugins: [builtins],
    output: { file },
  });
  return run(process.execPath, [file]);
}
