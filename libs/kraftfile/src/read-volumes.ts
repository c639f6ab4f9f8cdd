import type { ModelPath, Volume } from './model.ts';
import type { Reading } from './reading.ts';
import type { Entry, Value } from './tree.ts';

/**
 * Reads `volumes`: one `host:guest[:mode]`, a list of those and of mappings, one such mapping, or the old mapping of
 * names to mappings. A volume without a destination is mounted at `/`, as kraft does.
 */
export function readVolumes(reading: Reading, value: Value | undefined): readonly Volume[] {
  const entries = reading.entries(value);
  if (entries.length > 0) {
    if (isOneVolume(reading, entries)) return [readVolume(reading, value, ['volumes', 0])];
    return entries.map((entry, index) => ({
      name: entry.key,
      ...readVolume(reading, entry.value, ['volumes', index], entry),
    }));
  }
  const items = reading.scalar(value) === undefined ? reading.items(value) : [value];
  return items.flatMap((item, index) => (item === undefined ? [] : [readVolume(reading, item, ['volumes', index])]));
}

function isOneVolume(reading: Reading, entries: readonly Entry[]): boolean {
  return entries.some(
    (entry) => ['source', 'destination'].includes(entry.key) && reading.scalar(entry.value) !== undefined,
  );
}

function readVolume(reading: Reading, value: Value | undefined, path: ModelPath, entry?: Entry): Volume {
  const at = entry?.keyNode ?? value;
  if (at !== undefined) reading.place(path, at);
  const text = reading.text(value);
  if (text !== undefined) return parseVolume(text);
  const fields = new Map(reading.entries(value).map((field) => [field.key, field.value]));
  const field = (key: string): string | undefined => reading.text(fields.get(key));
  const source = field('source');
  const driver = field('driver') ?? field('type');
  const mode = field('mode');
  const readOnly = reading.bareBoolean(fields.get('readonly') ?? fields.get('readOnly')) ?? mode === 'ro';
  return {
    ...(source === undefined ? {} : { source }),
    destination: field('destination') ?? '/',
    ...(driver === undefined ? {} : { driver }),
    ...(mode === undefined ? {} : { mode }),
    readOnly,
  };
}

function parseVolume(text: string): Volume {
  // A drive letter's colon separates nothing.
  const drive = /^[A-Za-z]:(?=[\\/])/.exec(text)?.[0] ?? '';
  const [source = '', destination, ...mode] = text.slice(drive.length).split(':');
  if (destination === undefined) return { source: drive + source, destination: '/', readOnly: false };
  return {
    source: drive + source,
    destination,
    ...(mode.length === 0 ? {} : { mode: mode.join(':') }),
    readOnly: mode.join(':').split(',').includes('ro'),
  };
}
