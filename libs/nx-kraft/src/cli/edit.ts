import { readFile, realpath, writeFile } from 'node:fs/promises';
import { hasErrorCode, regularFile, replaceAtomically } from '@nx-kraft/base';
import {
  type KconfigPlace,
  KraftfileFault,
  addLibrary,
  addTarget,
  removeLibrary,
  removeTarget,
  setKconfig,
  unsetKconfig,
  upgradeKraftfile,
} from '@nx-kraft/kraftfile';
import { type Group, type Values, command, jsonOption, print } from './command.ts';
import { UsageFault } from './usage-fault.ts';

const places = {
  // Nx takes an option that is called target for itself, and the tasks set and unset hand all others on.
  for: { type: 'string', value: 'ID', summary: "in a target's kconfig, such as qemu-x86_64's" },
  library: { type: 'string', value: 'NAME', summary: "in a library's kconfig; default: unikraft's" },
  ...jsonOption,
} as const;

export const set = command({
  arguments: 'FILE OPTION=VALUE…',
  options: places,
  run: ({ values, words: [file, ...words] }) => {
    const place = placeOf(values);
    const options = words.map((word) => /^(CONFIG_\w+)=(.*)$/s.exec(word)?.slice(1) ?? badOption(word));
    return edit(values, file, `${words.join(', ')} in ${describePlace(place)}`, (text) =>
      options.reduce((now, [name = '', value = '']) => setKconfig(now, place, name, value, file), text),
    );
  },
});

export const unset = command({
  arguments: 'FILE OPTION…',
  options: places,
  run: ({ values, words: [file, ...words] }) => {
    const place = placeOf(values);
    return edit(values, file, `${words.join(', ')} removed from ${describePlace(place)}`, (text) =>
      words.reduce((now, name) => unsetKconfig(now, place, name, file), text),
    );
  },
});

export const target: Group = {
  commands: {
    add: {
      summary: 'Adds a target.',
      load: () =>
        command({
          arguments: 'FILE PLAT/ARCH',
          options: {
            name: { type: 'string', value: 'NAME', summary: 'its name; default: the platform and architecture' },
            ...jsonOption,
          },
          run: ({ values, words: [file, what] }) => {
            const [platform = '', architecture = ''] = what.split('/');
            if (platform === '' || architecture === '') {
              throw new UsageFault(`'${what}' is no PLAT/ARCH, such as qemu/x86_64`);
            }
            const named = values.name === undefined ? {} : { name: values.name };
            return edit(values, file, `target ${what} added`, (text) =>
              addTarget(text, { platform, architecture, ...named }, file),
            );
          },
        }),
    },
    rm: {
      summary: 'Removes a target.',
      aliases: ['remove'],
      load: () =>
        command({
          arguments: 'FILE ID',
          options: jsonOption,
          run: ({ values, words: [file, id] }) =>
            edit(values, file, `target ${id} removed`, (text) => removeTarget(text, id, file)),
        }),
    },
  },
};

export const lib: Group = {
  commands: {
    add: {
      summary: 'Adds a library.',
      load: () =>
        command({
          arguments: 'FILE NAME',
          options: {
            version: { type: 'string', value: 'VERSION', summary: 'a release, a channel or a commit; default: stable' },
            source: { type: 'string', value: 'SOURCE', summary: 'a folder or URL; default: what the indexes name' },
            ...jsonOption,
          },
          run: ({ values, words: [file, name] }) => {
            const { version = 'stable', source } = values;
            const from = source === undefined ? {} : { source };
            return edit(values, file, `library ${name} added`, (text) =>
              addLibrary(text, { name, version, ...from }, file),
            );
          },
        }),
    },
    rm: {
      summary: 'Removes a library.',
      aliases: ['remove'],
      load: () =>
        command({
          arguments: 'FILE NAME',
          options: jsonOption,
          run: ({ values, words: [file, name] }) =>
            edit(values, file, `library ${name} removed`, (text) => removeLibrary(text, name, file)),
        }),
    },
  },
};

export const upgrade = command({
  arguments: 'FILE',
  options: {
    to: { type: 'string', choices: ['v0.6', 'v0.7'], summary: 'default: v0.6' },
    'dry-run': { type: 'boolean', summary: 'prints the new text and writes nothing' },
    force: { type: 'boolean', summary: 'writes it in spite of losses' },
    ...jsonOption,
  },
  notes: 'What the newer version has no way to say is told, and the exit code is then 1 and nothing is written.',
  run: async ({ values, words: [file] }) => {
    const version = values.to ?? 'v0.6';
    const before = await read(file);
    const { text, losses } = upgradeKraftfile(before, version, file);
    for (const { message, line, column } of losses) process.stderr.write(`${file}:${line}:${column}: ${message}\n`);
    const isDry = values['dry-run'] === true;
    const isFine = losses.length === 0 || values.force === true;
    if (!isDry && isFine) await write(file, text);
    print(values, { file, written: !isDry && isFine, text, losses }, () =>
      isDry ? text : isFine ? `${file}: written as ${version}` : '',
    );
    return isFine ? 0 : 1;
  },
});

/** Changes a file and tells, in one line, what it says now. */
async function edit(
  values: Values<typeof jsonOption>,
  file: string,
  result: string,
  change: (text: string) => string,
): Promise<number> {
  const before = await read(file);
  const after = change(before);
  const changed = after !== before;
  if (changed) await write(file, after);
  print(values, { file, changed }, () => `${file}: ${changed ? result : 'nothing to change'}`);
  return 0;
}

function describePlace(place: KconfigPlace): string {
  // Either what it is and its name, or unikraft, which is both.
  const words = place === 'unikraft' ? [place] : Object.entries(place).flat();
  return `the kconfig of ${words.join(' ')}`;
}

/** @throws KraftfileFault KRAFTFILE_MISSING for what is no file */
async function read(file: string): Promise<string> {
  try {
    return await readFile(regularFile(file), 'utf8');
  } catch (error) {
    if (!hasErrorCode(error, 'ENOENT', 'ENOTDIR', 'EISDIR')) throw error;
    const isFolder = hasErrorCode(error, 'EISDIR');
    throw new KraftfileFault('KRAFTFILE_MISSING', isFolder ? 'this is a folder' : 'there is no such file', {
      at: file,
      hint: isFolder ? 'Name the Kraftfile in it.' : 'Name a Kraftfile, such as apps/hello/Kraftfile.',
      cause: error,
    });
  }
}

/** Several projects may share a Kraftfile by links, which stay. */
async function write(file: string, text: string): Promise<void> {
  await replaceAtomically(await realpath(file), (temporary) => writeFile(temporary, text));
}

function placeOf({ for: target, library }: Values<typeof places>): KconfigPlace {
  if (target !== undefined && library !== undefined) {
    throw new UsageFault('an option is in one place: give --for or --library');
  }
  return target !== undefined ? { target } : library !== undefined ? { library } : 'unikraft';
}

function badOption(word: string): never {
  throw new UsageFault(`'${word}' is no CONFIG_OPTION=VALUE`);
}
