import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';

const command = join(import.meta.dirname, '../../bin/nx-kraft.js');
const execute = promisify(execFile);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'completion-'));
  await writeFile(join(folder, 'Kraftfile'), '');
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { stdout } = await execute(process.execPath, [command, 'completion', shell]);
    await writeFile(join(folder, shell), stdout);
  }
});
afterAll(() => rm(folder, { recursive: true }));

async function shell(name: string, script: string, ...args: readonly string[]): Promise<string> {
  const flags = { zsh: ['-f'], fish: ['--no-config'], bash: ['--norc'] }[name] ?? [];
  const file = join(folder, `ask-${name}`);
  await writeFile(file, script);
  return (await execute(name, [...flags, file, ...args], { cwd: folder, timeout: 30_000 })).stdout;
}

test('bash completes commands, options and their values', async () => {
  const script = 'source ./bash; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _nx_kraft; echo "${COMPREPLY[*]}"';
  const offered = (...words: readonly string[]): Promise<string> => shell('bash', script, 'nx-kraft', ...words);
  expect(await offered('pk')).toBe('pkg\n');
  expect(await offered('pkg', 'pu')).toBe('pull push\n');
  expect(await offered('upgrade', '--d')).toBe('--dry-run\n');
  expect(await offered('upgrade', '--to', '')).toBe('v0.6 v0.7\n');
  // Nothing, so that bash offers names of files.
  expect(await offered('rootfs', '--output', '')).toBe('\n');
});

test('fish completes commands, options, their values and files, and says what they do', async () => {
  const script = 'source ./fish; complete -C $argv[1]';
  expect(await shell('fish', script, 'nx-kraft pk')).toMatch(/^pkg\tWorks with images/);
  expect(await shell('fish', script, 'nx-kraft pkg pu')).toMatch(/^pull\t.*\npush\t.*\n$/);
  expect(await shell('fish', script, 'nx-kraft upgrade --d')).toMatch(/^--dry-run\tprints/);
  expect(await shell('fish', script, 'nx-kraft upgrade --to ')).toMatch(/^v0\.6\t.*\nv0\.7\t.*\n$/);
  expect(await shell('fish', script, 'nx-kraft lint Kr')).toBe('Kraftfile\n');
  expect(await shell('fish', script, 'nx-kraft ps Kr')).toBe('');
});

test('zsh completes commands, options, their values and files on its terminal', async () => {
  await writeFile(
    join(folder, 'set-up'),
    'autoload -Uz compinit; compinit -u -D; source ./zsh\nnx-kraft() { print -r -- "GOT:$*:" }\nprint READY\n',
  );
  // A shell in a terminal of its own, where each line is typed with a tab at its end and then sent.
  const script = `
zmodload zsh/zpty
TERM=dumb zpty terminal zsh -f -i
zpty -w terminal 'source ./set-up'
while zpty -r terminal line; do [[ $line == READY* ]] && break; done
for typed; do
  zpty -n -w terminal "nx-kraft $typed"$'\\t\\n'
  while zpty -r terminal line; do [[ $line == *GOT:* ]] && break; done
  print -r -- "\${\${line#*GOT:}%%:*}"
done
`;
  const typed = ['pk', 'pkg pul', 'upgrade --dr', 'upgrade --to v0.7 Kr', 'rootfs --builder emb', 'lint Kr'];
  expect((await shell('zsh', script, ...typed)).split('\n').slice(0, -1)).toEqual([
    'pkg',
    'pkg pull',
    'upgrade --dry-run',
    'upgrade --to v0.7 Kraftfile',
    'rootfs --builder embedded',
    'lint Kraftfile',
  ]);
});
