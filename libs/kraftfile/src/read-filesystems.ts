import type { Filesystem, FilesystemFormat, FilesystemSourceType, ModelPath } from './model.ts';
import type { Reading } from './reading.ts';
import type { Value } from './tree.ts';
import { filesystemFormats, filesystemSourceTypes } from './words.ts';

/**
 * Reads `rootfs` or one of `roms`: a path or image, or a mapping. Before v0.7, `type` names what is made (kraft 0.12
 * reads `{source, type: erofs}` so); v0.7 calls that `format`, and `type` names what the source is.
 */
export function readFilesystem(reading: Reading, value: Value | undefined, path: ModelPath): Filesystem | undefined {
  const text = reading.text(value);
  if (text !== undefined) return { source: text };
  const fields = new Map(reading.entries(value).map((entry) => [entry.key, entry.value]));
  for (const [key, field] of fields) if (field !== undefined) reading.place([...path, key], field);
  const source = fields.get('source');
  const inner = new Map(reading.entries(source).map((entry) => [entry.key, entry.value]));
  const dockerfile = reading.text(inner.get('dockerfile'));
  const place = reading.text(source) ?? reading.text(inner.get('path')) ?? (dockerfile === undefined ? undefined : '.');
  if (place === undefined) return undefined;

  const outerType = reading.text(fields.get('type'));
  const typeAsFormat = reading.family === 'legacy' ? asFormat(outerType) : undefined;
  const format = asFormat(reading.text(fields.get('format'))) ?? typeAsFormat;
  const type =
    dockerfile === undefined
      ? (asSourceType(reading.text(inner.get('type'))) ??
        (typeAsFormat === undefined ? asSourceType(outerType) : undefined))
      : 'dockerfile';
  if ((type === 'cpio' || type === 'erofs') && format !== undefined && type !== format && value !== undefined) {
    reading.error('FILESYSTEM_TYPE', value, `A finished ${type} cannot be made into ${format}`, { expected: type });
  }
  return {
    source: place,
    ...(dockerfile === undefined ? {} : { dockerfile }),
    ...(type === undefined ? {} : { type }),
    ...(format === undefined ? {} : { format }),
  };
}

function asFormat(text: string | undefined): FilesystemFormat | undefined {
  return filesystemFormats.find((format) => format === text);
}

function asSourceType(text: string | undefined): FilesystemSourceType | undefined {
  return filesystemSourceTypes.find((type) => type === text);
}
