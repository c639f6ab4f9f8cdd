import { nearestWord } from '@nx-kraft/base';
import type { Reading } from './reading.ts';
import type { Entry, Value } from './tree.ts';
import {
  componentKeys,
  filesystemKeys,
  filesystemSourceKeys,
  ignoredKeys,
  targetKeys,
  templateKeys,
  topKeys,
  treeKeys,
  volumeKeys,
} from './words.ts';

/** Warns of repeated keys, keys that no one reads and keys that were meant to stand inside of another one. */
export function checkKeys(reading: Reading): void {
  checkRepeats(reading);
  const top = reading.entries(reading.tree.root);
  checkTop(reading, top);
  for (const entry of top) checkInside(reading, entry);
}

function checkRepeats(reading: Reading): void {
  for (const { key, keyNode, replaced } of reading.tree.repeated) {
    const { line } = reading.problems.source.positionAt(replaced?.range?.[0] ?? 0);
    const message = `'${key}' is there already in line ${line}; only this one is read`;
    reading.warn('DUPLICATE_KEY', keyNode, message, { hint: 'Keep one of them.' });
  }
}

function checkTop(reading: Reading, entries: readonly Entry[]): void {
  const known = reading.family === 'legacy' ? [...topKeys, ...treeKeys] : topKeys;
  let open: Entry | undefined;
  for (const entry of entries) {
    if (isOneOf(known, entry.key)) {
      open = entry.value === undefined ? entry : undefined;
      if (open !== undefined) warnEmpty(reading, entry, entries);
    } else if (!entry.key.startsWith('x-')) {
      warnUnknownTop(reading, entry, known, open);
    }
  }
}

function warnEmpty(reading: Reading, entry: Entry, entries: readonly Entry[]): void {
  const next = entries[entries.indexOf(entry) + 1];
  // What follows unindented is told where it stands.
  if (next !== undefined && isMappingKey(entry.key) && !isOneOf(topKeys, next.key)) return;
  const hint = ['libraries', 'targets'].includes(entry.key) ? { hint: 'Remove the key: kraft crashes here.' } : {};
  reading.warn('EMPTY_VALUE', entry.keyNode, `'${entry.key}' has no value`, hint);
}

function warnUnknownTop(reading: Reading, entry: Entry, known: readonly string[], open: Entry | undefined): void {
  if (open !== undefined && isMappingKey(open.key)) {
    reading.warn('NOT_INDENTED', entry.keyNode, `'${entry.key}' is not part of '${open.key}' and is ignored`, {
      hint: `Indent it below '${open.key}'.`,
    });
    return;
  }
  if (/^CONFIG_\w+$/.test(entry.key)) {
    reading.warn('NOT_INDENTED', entry.keyNode, `'${entry.key}' stands outside of any kconfig and is ignored`, {
      hint: 'Indent it below the kconfig of unikraft, of a library or of a target.',
    });
    return;
  }
  const hint = Object.hasOwn(ignoredKeys, entry.key) ? ignoredKeys[entry.key] : undefined;
  const suggestion = hint === undefined ? nearestWord(entry.key, known) : undefined;
  reading.warn('UNKNOWN_KEY', entry.keyNode, `No Kraftfile has a key '${entry.key}'; it is ignored`, {
    ...(suggestion === undefined ? {} : { suggestion }),
    ...(hint === undefined ? {} : { hint }),
  });
}

function checkInside(reading: Reading, { key, value }: Entry): void {
  switch (key) {
    case 'unikraft':
    case 'runtime':
      return checkMapping(reading, value, key, componentKeys);
    case 'template':
      return checkMapping(reading, value, key, templateKeys);
    case 'libraries':
      for (const library of reading.entries(value)) {
        checkMapping(reading, library.value, `libraries.${library.key}`, componentKeys);
      }
      return;
    case 'targets':
      for (const [index, target] of reading.items(value).entries()) {
        checkMapping(reading, target, `targets[${index}]`, targetKeys);
      }
      return;
    case 'volumes':
      for (const [index, volume] of reading.items(value).entries()) {
        checkMapping(reading, volume, `volumes[${index}]`, volumeKeys);
      }
      return;
    case 'rootfs':
      return checkFilesystem(reading, value, key);
    case 'roms':
      for (const [index, rom] of reading.items(value).entries()) checkFilesystem(reading, rom, `roms[${index}]`);
      return;
    default:
  }
}

function checkFilesystem(reading: Reading, value: Value | undefined, name: string): void {
  checkMapping(reading, value, name, filesystemKeys);
  const source = reading.entries(value).find((entry) => entry.key === 'source');
  checkMapping(reading, source?.value, `${name}.source`, filesystemSourceKeys);
}

function checkMapping(reading: Reading, value: Value | undefined, name: string, known: readonly string[]): void {
  for (const { key, keyNode, merged } of reading.entries(value)) {
    if (merged || known.includes(key) || key.startsWith('x-')) continue;
    const suggestion = nearestWord(key, known) ?? (key === 'config' ? 'kconfig' : undefined);
    reading.warn('UNKNOWN_KEY', keyNode, `'${name}' has no key '${key}'; it is ignored`, {
      expected: known.join(', '),
      ...(suggestion === undefined ? {} : { suggestion }),
    });
  }
}

/** Whether a key's value is a mapping, so that people may forget to indent what belongs to it. */
function isMappingKey(key: string): boolean {
  return ['env', 'kconfig', 'labels', 'libraries', 'rootfs', 'runtime', 'template', 'unikraft', 'volumes'].includes(
    key,
  );
}

function isOneOf(words: readonly string[], word: string): boolean {
  return words.includes(word);
}
