import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { command } from './command.ts';
import { type Found, subcommandsOf } from './find-command.ts';
import { formatHelp } from './help.ts';
import { main } from './main.ts';
import { program } from './program.ts';

let written: { stdout: string; stderr: string };
beforeEach(() => {
  written = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    vi.spyOn(process[stream], 'write').mockImplementation((text) => {
      written[stream] += String(text);
      return true;
    });
  }
});
afterEach(() => {
  vi.restoreAllMocks();
});

async function nxKraft(...args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  written = { stdout: '', stderr: '' };
  return { code: await main(args), ...written };
}

/** The command and all below it. */
async function all(found: Found): Promise<readonly Found[]> {
  if ('run' in found.command) return [found];
  const below = await subcommandsOf({ ...found, command: found.command });
  return [found, ...(await Promise.all(below.map(all))).flat()];
}

test('every command explains itself, by help and by --help', async () => {
  const overview = await nxKraft();
  expect(await nxKraft('help')).toEqual(overview);
  expect(await nxKraft('--help')).toEqual(overview);
  for (const { path, summary } of await all(program)) {
    const words = path.split(' ').slice(1);
    const { code, stdout } = await nxKraft('help', ...words);
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`^${path} ?.*\n\n${summary.slice(0, 20).replaceAll(/\W/g, '.')}`));
    if (words.length > 0) expect((await nxKraft(...words, '--help')).stdout).toBe(stdout);
  }
});

/** What has nothing to report to programs, or reports it as JSON in any case. */
const withoutJson = ['info', 'logs', 'completion', 'cloud instance logs', 'cloud tunnel', 'ci plan', 'ci run'];

test('every command reports as JSON', async () => {
  for (const { path, command: described } of await all(program)) {
    const name = path.replace(/^nx-kraft ?/, '');
    if ('run' in described) expect([name, 'json' in described.options]).toEqual([name, !withoutJson.includes(name)]);
  }
});

test('help lists commands by subject, and reaches over no more than the width of a page', async () => {
  const { stdout } = await nxKraft('help');
  expect(stdout.match(/^\S.*:$/gm)).toEqual([
    'Kraftfiles:',
    'Images and components:',
    'Machines:',
    'Unikraft Cloud:',
    'This machine:',
    'Many machines:',
  ]);
  for (const { path, summary, command: described } of await all(program)) {
    for (const line of formatHelp(path, summary, described).split('\n')) expect(line.length).toBeLessThan(121);
  }
});

test('a command line that cannot be understood ends with 2, the reason and what to do', async () => {
  const cases: readonly (readonly [string, string, string])[] = [
    ['nonsense', "there is no command 'nx-kraft nonsense'", 'nx-kraft --help lists the commands.'],
    ['pgk ls', "there is no command 'nx-kraft pgk'", "Did you mean 'nx-kraft pkg'?"],
    ['pkg pul x', "there is no command 'nx-kraft pkg pul'", "Did you mean 'nx-kraft pkg pull'?"],
    ['build', "there is no command 'nx-kraft build'", 'A project is built by Nx: nx run APP:build'],
    ['--nonsense', 'there is no option --nonsense', 'nx-kraft --help lists the commands.'],
    ['lint', 'PATH… is missing', 'nx-kraft lint --help shows how it is called.'],
    ['lint --jsn .', 'there is no option --jsn', 'Did you mean --json?'],
    ['lint --json=x .', "--json' does not take an argument", 'nx-kraft lint --help shows how it is called.'],
    ['set Kraftfile', 'OPTION=VALUE… is missing', 'nx-kraft set --help shows how it is called.'],
    ['inspect a b', "'b' is one word too many", 'nx-kraft inspect --help shows how it is called.'],
    ['rootfs x', '-o, --output FILE is needed', 'nx-kraft rootfs --help shows how it is called.'],
    ['rootfs x -o y --format z', "--format is cpio, erofs, and not 'z'", 'nx-kraft rootfs --help'],
  ];
  for (const [line, message, hint] of cases) {
    const { code, stderr } = await nxKraft(...line.split(' '));
    expect({ line, code }).toEqual({ line, code: 2 });
    expect(stderr).toContain(`${message} (USAGE)\n  ${hint}`);
  }
});

test('wrong files are told as sentences, by the names that were written', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'wrong-'));
  vi.stubEnv('NX_KRAFT_IMAGES', join(folder, 'images'));
  try {
    const [text, empty, none] = ['text', 'empty', 'none'].map((name) => join(folder, name)) as [string, string, string];
    await writeFile(text, 'hello\n');
    await mkdir(empty);
    const cases: readonly (readonly [line: string, told: string])[] = [
      [`set ${none} CONFIG_X=y`, `nx-kraft: ${none}: there is no such file (KRAFTFILE_MISSING)\n  Name a Kraftfile`],
      [
        `target add ${empty} fc/arm64`,
        `nx-kraft: ${empty}: this is a folder (KRAFTFILE_MISSING)\n  Name the Kraftfile`,
      ],
      [`upgrade ${text}`, `nx-kraft: ${text}:1:1: A Kraftfile is a mapping`],
      [`lib add ${text} musl`, `nx-kraft: ${text}:1:1: A Kraftfile is a mapping`],
      [`inspect ${empty}`, `${empty}:1:1: error: This is a folder; name the Kraftfile in it`],
      [`rootfs ${empty} -o ${empty}`, `nx-kraft: ${empty}: this is a folder, and not a file (EISDIR)`],
      [`rootfs ${empty} -o ${text}/x`, `nx-kraft: ${text}: there is something of this name already (EEXIST)`],
      [`run ${none}/Kraftfile`, 'There is no such file (KRAFTFILE_BROKEN)'],
      [`pkg import ${none}`, `nx-kraft: ${none}: there is no such file or folder (ENOENT)`],
      [
        `pkg import ${text}`,
        'after 6 bytes (ARCHIVE_TRUNCATED)\n  It was cut off while it was written or copied, or is',
      ],
      [
        `pkg verify x --key ${text}`,
        `nx-kraft: ${text}: this is no key in PEM that can be read (KEY_INVALID)\n  Name the`,
      ],
    ];
    for (const [line, told] of cases) {
      const { code, stderr } = await nxKraft(...line.split(' '));
      expect({ line, code }).toEqual({ line, code: 1 });
      expect(stderr).toContain(told);
      expect(stderr).not.toMatch(/\n +at |: no such file or directory,|\.tmp/);
    }
  } finally {
    vi.unstubAllEnvs();
    await rm(folder, { recursive: true });
  }
});

test('a group alone is the command that it names as default, and other names of a command work', async () => {
  expect((await nxKraft('store', '--jsn')).stderr).toContain('Did you mean --json?');
  expect((await nxKraft('target')).stdout).toContain('nx-kraft target COMMAND …');
  expect((await nxKraft('help', 'pkg', 'list')).stdout).toMatch(/^nx-kraft pkg ls /);
});

test('the version is told in both spellings', async () => {
  expect((await nxKraft('--version')).stdout).toMatch(/^\d+\.\d+\.\d+\S*\n$/);
  expect(JSON.parse((await nxKraft('version', '--json')).stdout)).toHaveProperty('nxKraft');
});

test('options are typed and checked by their description, and words behind -- are taken as they are', async () => {
  const calls: unknown[] = [];
  const probe = command({
    arguments: 'FIRST [REST…]',
    options: {
      many: { type: 'string', multiple: true, summary: 'm' },
      kind: { type: 'string', short: 'k', choices: ['a', 'b'], summary: 'k' },
      yes: { type: 'boolean', summary: 'y' },
    },
    run: ({ values, words: [first, ...rest] }) => {
      calls.push({ ...values, first, rest });
      return Promise.resolve(undefined);
    },
  });
  expect(await probe.run(['--many', '1', 'x', '-k', 'a', '--many=2', '--yes', '--', '--help'])).toBe(0);
  expect(calls).toEqual([{ many: ['1', '2'], kind: 'a', yes: true, first: 'x', rest: ['--help'] }]);
  await expect(probe.run(['x', '-k', 'c'])).rejects.toThrow("--kind is a, b, and not 'c'");
  await expect(probe.run([])).rejects.toThrow('FIRST is missing');
});
