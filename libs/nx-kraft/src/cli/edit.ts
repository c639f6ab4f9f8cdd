import { readFile, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { replaceAtomically } from '@nx-kraft/base';
import {
  type KconfigPlace,
  addLibrary,
  addTarget,
  removeLibrary,
  removeTarget,
  setKconfig,
  unsetKconfig,
  upgradeKraftfile,
} from '@nx-kraft/kraftfile';
import { type Command, UsageFault } from './command.ts';
import { oneOf } from './values.ts';

const places = {
  // Nx takes an option that is called target for itself, and the tasks set and unset hand all others on.
  for: { type: 'string' },
  library: { type: 'string' },
} as const;

const placeHelp = [
  "  --for ID        in a target's kconfig, such as qemu-x86_64's",
  "  --library NAME  in a library's kconfig; default: unikraft's",
].join('\n');

export const set: Command = {
  usage: 'set FILE OPTION=VALUE… [--for ID | --library NAME]',
  summary: 'Sets KConfig options in a Kraftfile; comments, order and quotes stay.',
  help: placeHelp,
  run: (args) => {
    const { file, words, place } = parseOptions('set', args);
    const options = words.map((word) => /^(CONFIG_\w+)=(.*)$/s.exec(word)?.slice(1) ?? badOption(word));
    return edit(file, (text) =>
      options.reduce((now, [name = '', value = '']) => setKconfig(now, place, name, value), text),
    );
  },
};

export const unset: Command = {
  usage: 'unset FILE OPTION… [--for ID | --library NAME]',
  summary: 'Removes KConfig options from a Kraftfile, so that defaults count again.',
  help: placeHelp,
  run: (args) => {
    const { file, words, place } = parseOptions('unset', args);
    return edit(file, (text) => words.reduce((now, name) => unsetKconfig(now, place, name), text));
  },
};

export const target: Command = {
  usage: 'target add FILE PLAT/ARCH [--name NAME] | target rm FILE ID',
  summary: 'Adds a target to a Kraftfile, or removes one.',
  run: (args) => {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { name: { type: 'string' } },
    });
    const [action, file, what] = threeWords('target', positionals);
    if (oneOf('target', ['add', 'rm'], action) === 'rm') return edit(file, (text) => removeTarget(text, what));
    const [platform = '', architecture = ''] = what.split('/');
    if (platform === '' || architecture === '') throw new UsageFault(`'${what}' is no PLAT/ARCH, such as qemu/x86_64`);
    const name = values.name === undefined ? {} : { name: values.name };
    return edit(file, (text) => addTarget(text, { platform, architecture, ...name }));
  },
};

export const lib: Command = {
  usage: 'lib add FILE NAME [--version VERSION] [--source SOURCE] | lib rm FILE NAME',
  summary: 'Adds a library to a Kraftfile, or removes one.',
  run: (args) => {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { version: { type: 'string' }, source: { type: 'string' } },
    });
    const [action, file, name] = threeWords('lib', positionals);
    if (oneOf('lib', ['add', 'rm'], action) === 'rm') return edit(file, (text) => removeLibrary(text, name));
    return edit(file, (text) => addLibrary(text, { name, version: 'stable', ...values }));
  },
};

export const upgrade: Command = {
  usage: 'upgrade FILE [--to v0.6|v0.7] [--dry-run]',
  summary: 'Rewrites a Kraftfile for a newer version of its specification.',
  help: [
    '  --to VERSION  default: v0.6',
    '  --dry-run     prints the new text and writes nothing',
    '',
    'What the newer version has no way to say is told, and the exit code is then 1 and nothing is written.',
    '  --force       writes it all the same',
  ].join('\n'),
  run: async (args) => {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { to: { type: 'string' }, 'dry-run': { type: 'boolean' }, force: { type: 'boolean' } },
    });
    const [file, ...more] = positionals;
    if (file === undefined || more.length > 0) throw new UsageFault('upgrade needs one file');
    const { text, losses } = upgradeKraftfile(
      await readFile(file, 'utf8'),
      oneOf('--to', ['v0.6', 'v0.7'], values.to) ?? 'v0.6',
    );
    for (const { message, line, column } of losses) process.stderr.write(`${file}:${line}:${column}: ${message}\n`);
    if (values['dry-run'] === true) process.stdout.write(text);
    else if (losses.length === 0 || values.force === true) await write(file, text);
    return losses.length === 0 || values.force === true ? 0 : 1;
  },
};

async function edit(file: string, change: (text: string) => string): Promise<number> {
  const before = await readFile(file, 'utf8');
  const after = change(before);
  if (after !== before) await write(file, after);
  return 0;
}

function write(file: string, text: string): Promise<void> {
  return replaceAtomically(file, (temporary) => writeFile(temporary, text));
}

function parseOptions(
  command: string,
  args: readonly string[],
): { file: string; words: readonly string[]; place: KconfigPlace } {
  const { values, positionals } = parseArgs({ args: [...args], allowPositionals: true, options: places });
  const [file, ...words] = positionals;
  if (file === undefined || words.length === 0) throw new UsageFault(`${command} needs a file and options`);
  if (values.for !== undefined && values.library !== undefined) {
    throw new UsageFault('an option is in one place: give --for or --library');
  }
  const place =
    values.for !== undefined
      ? { target: values.for }
      : values.library !== undefined
        ? { library: values.library }
        : 'unikraft';
  return { file, words, place };
}

function threeWords(command: string, words: readonly string[]): readonly [string, string, string] {
  const [action, file, what, ...more] = words;
  if (action !== undefined && file !== undefined && what !== undefined && more.length === 0)
    return [action, file, what];
  throw new UsageFault(`${command} needs add or rm, a file and a name`);
}

function badOption(word: string): never {
  throw new UsageFault(`'${word}' is no CONFIG_OPTION=VALUE`);
}
