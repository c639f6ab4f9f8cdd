import { existsSync } from 'node:fs';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseScenarios } from '@nx-kraft/machine/scenario';
import { beforeAll, expect, test } from 'vitest';
import { findCommand } from '../../libs/nx-kraft/src/cli/find-command.ts';
import { program } from '../../libs/nx-kraft/src/cli/program.ts';
import { exceptions } from './exceptions.ts';
import { kraftCommands } from './kraft-commands.ts';
import { type Page, blocksOf, codeOf, commandsOf, linksOf, readPages, root } from './pages.ts';
import { referencePages } from './reference.ts';

let pages: readonly Page[];
beforeAll(async () => {
  pages = await readPages();
});

function page(path: string): Page {
  const found = pages.find((other) => other.path === path);
  if (found === undefined) throw new Error(`there is no page ${path}`);
  return found;
}

test('the reference is what the code says: npx node tools/docs/reference.ts writes it', async () => {
  for (const [name, text] of await referencePages()) expect(page(`docs/reference/${name}`).text).toBe(text);
});

test('--help of each executor and generator says what it does', async () => {
  for (const kind of ['executors', 'generators']) {
    const all = JSON.parse(await readFile(join(root, `libs/nx-kraft/${kind}.json`), 'utf8')) as Record<
      string,
      Readonly<Record<string, { readonly schema: string; readonly description: string }>>
    >;
    for (const { schema, description } of Object.values(all[kind] ?? {})) {
      const help = JSON.parse(await readFile(join(root, 'libs/nx-kraft', schema), 'utf8')) as { description?: string };
      if (kind === 'executors') expect(help.description).toBe(description);
      else expect(help.description).toBeDefined();
    }
  }
});

test('links lead to files that are there', () => {
  const dead = pages.flatMap((from) => linksOf(from).filter((path) => !existsSync(join(root, path))));
  expect(dead).toEqual([]);
});

test('exceptions are commands of some page', () => {
  const commands = pages.flatMap(commandsOf);
  expect(Object.keys(exceptions).filter((command) => !commands.includes(command))).toEqual([]);
});

test('examples in JSON are JSON, and scenarios are scenarios', () => {
  const examples = pages.flatMap((from) => blocksOf(from, 'json')).map((text) => JSON.parse(text) as object);
  expect(examples.length).toBeGreaterThan(0);
  for (const example of examples) if ('scenarios' in example) parseScenarios(example.scenarios, 'docs');
});

/** The commands of `nx-kraft` in running text, without what is around them. */
function ownCommands(from: Page): readonly string[] {
  return codeOf(from).filter((code) => /^nx-kraft( [a-z]|$)/.test(code));
}

test.each(['nx-kraft', 'nx run', 'nx g'])('what pages say of %s in running text is there', async (start) => {
  const wrong: string[] = [];
  for (const from of pages.filter(({ path }) => !path.startsWith('docs/reference'))) {
    const codes =
      start === 'nx-kraft' ? ownCommands(from) : codeOf(from).filter((code) => code.startsWith(`${start} `));
    for (const code of codes) {
      const problem = await (start === 'nx-kraft' ? problemOfCommand(code) : problemOfNx(code));
      if (problem !== undefined) wrong.push(`${from.path}: ${code}: ${problem}`);
    }
  }
  expect(wrong).toEqual([]);
});

async function problemOfCommand(code: string): Promise<string | undefined> {
  try {
    const { found, rest } = await findCommand(program, code.split(' ').slice(1));
    const options = 'run' in found.command ? found.command.options : {};
    const unknown = flagsOf(rest.join(' ')).filter((flag) => flag !== 'help' && !Object.hasOwn(options, flag));
    return unknown.length === 0 ? undefined : `it has no --${unknown.join(', --')}`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Options of Nx itself that pages name. */
const nxFlags = ['skip-nx-cache', 'dry-run', 'offline', 'frozen'];

async function problemOfNx(code: string): Promise<string | undefined> {
  const [, kind, name = ''] = /^nx (run|g) \S+?:([\w-]+)/.exec(code) ?? [];
  // They are named by the task; set and unset are commands of nx-kraft.
  if (kind === undefined || (kind === 'run' && ['set', 'unset'].includes(name))) return undefined;
  const schema = join(root, 'libs/nx-kraft/src', kind === 'run' ? 'executors' : 'generators', name, 'schema.json');
  if (!existsSync(schema)) return `there is no ${name}`;
  const { properties } = JSON.parse(await readFile(schema, 'utf8')) as { properties: object };
  const unknown = flagsOf(code).filter((flag) => !nxFlags.includes(flag) && !Object.hasOwn(properties, flag));
  return unknown.length === 0 ? undefined : `it has no --${unknown.join(', --')}`;
}

function flagsOf(text: string): readonly string[] {
  return [...text.matchAll(/(?:^|\s)--([\w-]+)/g)].map(([, flag = '']) => flag);
}

test('each command and flag of kraft is on the page for those who come from there', async () => {
  const rows = page('docs/coming-from-kraft.md')
    .text.split('\n')
    .filter((line) => line.startsWith('| '))
    .map((line) => line.split(/(?<!\\)\|/).map((cell) => cell.trim()))
    .map(([, kraft = '', here = '']) => ({ kraft, here }));
  const everywhere = rows
    .filter(({ kraft }) => kraft.startsWith('everywhere'))
    .flatMap(({ kraft }) => longFlags(kraft));
  const missing: string[] = [];
  for (const [command, flags] of Object.entries(kraftCommands)) {
    const own = rows.filter(({ kraft }) => kraft.includes(`\`${command}\``));
    const named = own.flatMap(({ kraft }) => longFlags(kraft));
    if (own.length === 0) missing.push(command);
    missing.push(
      ...flags.filter((flag) => ![...named, ...everywhere].includes(flag)).map((flag) => `${command} --${flag}`),
    );
  }
  expect(missing).toEqual([]);
  // Where the same flags are promised, they are the same.
  for (const { kraft, here } of rows.filter((row) => row.here.includes('with the same flags'))) {
    const called = /`(nx-kraft [a-z ]+)`, with the same flags/.exec(here)?.[1] ?? '';
    expect(
      await problemOfCommand(
        `${called} ${longFlags(kraft)
          .map((flag) => `--${flag}`)
          .join(' ')}`,
      ),
    ).toBeUndefined();
  }
});

function longFlags(cell: string): readonly string[] {
  return [...cell.matchAll(/`--([\w-]+)`/g)].map(([, flag = '']) => flag);
}

test('each variable that is read is on the page of variables', async () => {
  const { text } = page('docs/reference/environment.md');
  const read = new Set<string>();
  for (const room of await readdir(join(root, 'libs'))) {
    for (const name of await readdir(join(root, 'libs', room, 'src'), { recursive: true })) {
      if (!name.endsWith('.ts') || /\.(spec|e2e)\.ts$/.test(name)) continue;
      const source = await readFile(join(root, 'libs', room, 'src', name), 'utf8');
      for (const [variable] of source.matchAll(/\b(NX_KRAFT|KRAFTKIT|UKC)_[A-Z_]*[A-Z]\b/g)) read.add(variable);
    }
  }
  expect([...read].filter((variable) => !text.includes(variable))).toEqual([]);
});
