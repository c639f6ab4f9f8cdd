import type { Component, Kconfig, ModelPath, Runtime } from './model.ts';
import { readKconfig } from './read-kconfig.ts';
import type { Reading } from './reading.ts';
import type { Value } from './tree.ts';

/** Reads `unikraft` or one of `libraries`: a version, a place with a version, or a mapping. */
export function readComponent(reading: Reading, value: Value | undefined, name: string, path: ModelPath): Component {
  const text = reading.text(value);
  if (text !== undefined && value !== undefined) {
    reading.place([...path, isPlace(text, reading.family) ? 'source' : 'version'], value);
    return { name, ...readName(reading, text, value), kconfig: {} };
  }
  return { name, ...readMapping(reading, value, path) };
}

/** Reads `template`: a name with an optional `:version`, a place, or a mapping. */
export function readTemplate(reading: Reading, value: Value | undefined, path: ModelPath): Component {
  const text = reading.text(value);
  if (text !== undefined && value !== undefined) {
    const [, name, version] = /^(?:apps?\/)?([^/:]+)(?::([^/]+))?$/.exec(text) ?? [];
    if (name !== undefined && !isPlace(name, 'legacy')) {
      return { name, ...(version === undefined ? {} : { version }), kconfig: {} };
    }
    const place = splitPlace(text);
    return { name: nameOfPlace(place.source), ...place, kconfig: {} };
  }
  const mapping = readMapping(reading, value, path);
  const named = reading.entries(value).find((entry) => entry.key === 'name');
  return { name: reading.text(named?.value) ?? nameOfPlace(mapping.source ?? ''), ...mapping };
}

/** Reads `runtime`: an image, `oci://image`, `kernel://path`, or a mapping with `source` and `version`. */
export function readRuntime(reading: Reading, value: Value | undefined, path: ModelPath): Runtime | undefined {
  const text = reading.text(value);
  if (text !== undefined) return { ...runtimePlace(text), kconfig: {} };
  const { source, version, kconfig } = readMapping(reading, value, path, false);
  if (source === undefined) return undefined;
  const place = runtimePlace(source);
  if (place.kernel !== undefined || version === undefined) return { ...place, kconfig };
  const separator = version.startsWith('sha256:') ? '@' : ':';
  return { reference: `${place.reference}${separator}${version}`, kconfig };
}

function runtimePlace(text: string): Pick<Runtime, 'reference' | 'kernel'> {
  return text.startsWith('kernel://')
    ? { kernel: text.slice('kernel://'.length) }
    : { reference: text.replace(/^oci:\/\//, '') };
}

interface Mapping {
  readonly source?: string;
  readonly version?: string;
  readonly kconfig: Kconfig;
}

function readMapping(reading: Reading, value: Value | undefined, path: ModelPath, split = true): Mapping {
  let place: { source?: string; version?: string } = {};
  let version: string | undefined;
  let kconfig: Kconfig = {};
  for (const entry of reading.entries(value)) {
    const text = reading.text(entry.value);
    if (entry.value !== undefined && text !== undefined) reading.place([...path, entry.key], entry.value);
    if (entry.key === 'source' && text !== undefined) place = split ? splitPlace(text) : { source: text };
    if (entry.key === 'version') version = text;
    if (entry.key === 'kconfig') kconfig = readKconfig(reading, entry.value, [...path, 'kconfig']);
  }
  return { ...place, ...(version === undefined ? {} : { version }), kconfig };
}

function readName(reading: Reading, text: string, value: Value): { source?: string; version?: string } {
  if (!isPlace(text, reading.family)) return { version: text };
  if (reading.family === 'v0.7') {
    reading.warn('SOURCE_AS_VERSION', value, `With spec v0.7, kraft takes '${text}' for a version`, {
      expected: 'a version, or a mapping with source',
      hint: 'Write a mapping with source, and version where needed.',
    });
  }
  return splitPlace(text);
}

/**
 * Whether a short form names a place and no version. Before v0.7 kraft asks the disk whether there is such a folder;
 * here each text with a slash is a place. The rules of v0.7 know versions only, so there only what cannot be one is.
 */
function isPlace(text: string, family: Reading['family']): boolean {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text) || /^(\.{1,2}$|\.{0,2}\/|~\/)/.test(text)) return true;
  if (/^[\w.-]+@[\w.-]+:/.test(text)) return true;
  return family === 'legacy' && text.includes('/');
}

/**
 * Takes the version out of a place: `url@version`, `path@version`, `url.git:version`, `url#version`, or one of `?branch=`,
 * `?tag=` and `?version=`.
 */
function splitPlace(text: string): { source: string; version?: string } {
  const query = /^([^?#]*)\?(.*)$/.exec(text);
  if (query?.[1] !== undefined && query[2] !== undefined) {
    const parameters = new URLSearchParams(query[2]);
    const key = ['branch', 'tag', 'version'].find((candidate) => parameters.get(candidate));
    const version = key === undefined ? undefined : parameters.get(key);
    if (key !== undefined && typeof version === 'string') {
      parameters.delete(key);
      const rest = parameters.toString();
      return { source: `${query[1]}${rest === '' ? '' : `?${rest}`}`, version };
    }
  }
  const match =
    /^(.*\.git)[@:#](.+)$/.exec(text) ??
    /^([a-z][a-z0-9+.-]*:\/\/[^#]+)#(.+)$/i.exec(text) ??
    /^(.*\/[^/@]+)@([^/@:]+)$/.exec(text);
  if (match?.[1] === undefined || match[2] === undefined) return { source: text };
  return { source: match[1], version: match[2] };
}

/** The name of what lies at a place: its last part without `.git`, `.tar.gz` and the prefix `app-`. */
function nameOfPlace(place: string): string {
  const last =
    place
      .split(/[?#]/)[0]
      ?.split(/[/:\\]/)
      .findLast((part) => part !== '') ?? '';
  return last.replace(/\.(git|tar\.gz|tgz|tar)$/, '').replace(/^app-/, '') || 'template';
}
