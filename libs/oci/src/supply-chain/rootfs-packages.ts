import { CpioParser, readChunks, toText } from '@nx-kraft/archive';
import { closeSync, openSync, readSync } from 'node:fs';
import { z } from 'zod';
import { parseOrUndefined } from '../parse-json.ts';
import type { Component } from './sbom.ts';

/**
 * The packages that a root filesystem (CPIO newc) says it has: of Debian and distroless images, of Alpine, and of npm
 * and Python wherever they are installed. In order of their package-urls. What is linked into a program, or copied, is
 * in no database.
 *
 * @throws ArchiveFault when the archive is damaged
 */
export function rootfsPackages(cpioPath: string): readonly Component[] {
  const files = findDatabases(cpioPath);
  const release = files.find((file) => /^(usr\/lib|etc)\/os-release$/.test(file.path) && file.text !== '');
  const distribution = /^ID="?([a-z0-9]+)/m.exec(release?.text ?? '')?.[1];
  const packages = files.flatMap(({ path, text }) => readDatabase(path, text, distribution));
  const unique = new Map(packages.map((component) => [component.purl, component]));
  return [...unique.values()].toSorted((a, b) => ((a.purl ?? '') < (b.purl ?? '') ? -1 : 1));
}

interface DatabaseFile {
  readonly path: string;
  readonly text: string;
}

/** No package database of an image that is to boot is larger. */
const largestFile = 32 * 1024 * 1024;

const databases =
  /^((usr\/lib|etc)\/os-release|var\/lib\/dpkg\/status(\.d\/[^/]+)?|(usr\/)?lib\/apk\/db\/installed|(.*\/)?node_modules\/(@[^/]+\/)?[^/@]+\/package\.json|.*\.dist-info\/METADATA)$/;

function findDatabases(cpioPath: string): readonly DatabaseFile[] {
  const found: { path: string; offset: number; size: number }[] = [];
  const parser = new CpioParser(
    {
      entry: ({ name, mode, offset, size }) => {
        const path = toText(name).replace(/^(\.?\/)+/, '');
        const isFile = (mode & 0o170000) === 0o100000;
        if (isFile && size <= largestFile && databases.test(path)) found.push({ path, offset, size });
      },
    },
    cpioPath,
  );
  readChunks(cpioPath, (chunk) => parser.push(chunk));
  parser.end();
  const archive = openSync(cpioPath, 'r');
  try {
    return found.map(({ path, offset, size }) => {
      const bytes = Buffer.alloc(size);
      readSync(archive, bytes, 0, size, offset);
      return { path, text: bytes.toString('utf8') };
    });
  } finally {
    closeSync(archive);
  }
}

function readDatabase(path: string, text: string, distribution: string | undefined): readonly Component[] {
  if (path.startsWith('var/lib/dpkg/')) return debianPackages(text, distribution ?? 'debian');
  if (path.endsWith('apk/db/installed')) return alpinePackages(text, distribution ?? 'alpine');
  if (path.endsWith('/package.json')) return npmPackage(text);
  if (path.endsWith('/METADATA')) return pythonPackage(text);
  return [];
}

/** deb-control(5): stanzas between empty lines. */
function debianPackages(text: string, distribution: string): readonly Component[] {
  return text.split(/\n\n+/).flatMap((stanza) => {
    const field = (name: string) => new RegExp(`^${name}: *(.+)$`, 'm').exec(stanza)?.[1];
    const [name, version, architecture] = [field('Package'), field('Version'), field('Architecture')];
    const isInstalled = /^install ok installed$/.test(field('Status') ?? 'install ok installed');
    if (name === undefined || version === undefined || !isInstalled) return [];
    const suffix = architecture === undefined ? '' : `?arch=${architecture}`;
    return [component(name, version, `pkg:deb/${distribution}/${name}@${escape(version)}${suffix}`)];
  });
}

/** Alpine's installed database: a letter, a colon, a value; packages between empty lines. */
function alpinePackages(text: string, distribution: string): readonly Component[] {
  return text.split(/\n\n+/).flatMap((stanza) => {
    const field = (letter: string) => new RegExp(`^${letter}:(.+)$`, 'm').exec(stanza)?.[1];
    const [name, version, architecture] = [field('P'), field('V'), field('A')];
    if (name === undefined || version === undefined) return [];
    const suffix = architecture === undefined ? '' : `?arch=${architecture}`;
    return [component(name, version, `pkg:apk/${distribution}/${name}@${escape(version)}${suffix}`, field('L'))];
  });
}

const packageJson = z.object({ name: z.string(), version: z.string(), license: z.string().optional() });

function npmPackage(text: string): readonly Component[] {
  const result = packageJson.safeParse(parseOrUndefined(text));
  if (!result.success) return [];
  const { name, version, license } = result.data;
  return [component(name, version, `pkg:npm/${name.replace('@', '%40')}@${escape(version)}`, license)];
}

/** PyPA core metadata: headers as in mail, then the description. */
function pythonPackage(text: string): readonly Component[] {
  const headers = text.split(/\r?\n\r?\n/, 1)[0] ?? '';
  const field = (name: string) => new RegExp(`^${name}: *(.+?)\\r?$`, 'm').exec(headers)?.[1];
  const [name, version] = [field('Name'), field('Version')];
  if (name === undefined || version === undefined) return [];
  const normal = name.toLowerCase().replaceAll(/[-_.]+/g, '-');
  return [component(name, version, `pkg:pypi/${normal}@${escape(version)}`, field('License-Expression'))];
}

function component(name: string, version: string, purl: string, licence?: string): Component {
  return { name, version, kind: 'package', purl, ...(licence === undefined ? {} : { licence }) };
}

/** A version as a part of a package-url. */
function escape(version: string): string {
  return encodeURIComponent(version).replaceAll('%3A', ':');
}
