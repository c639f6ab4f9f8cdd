import { posix } from 'node:path';
import type { Filesystem } from '@nx-kraft/kraftfile';
import { globOf, globTest } from '@nx-kraft/rootfs/globs';
import { testFileName } from '../tasks/files.ts';
import type { Summary } from './summary.ts';

const never = [
  '**/*.md',
  'Dockerfile*',
  '.dockerignore',
  'project.json',
  'package.json',
  testFileName,
  'kraft.deploy*.json',
];

const neverTests = never.map(globTest);

/** Whether what a path in an application's folder names, a link perhaps, is surely no source of any kernel. */
export function isNeverCompiled(path: string): boolean {
  return neverTests.some((test) => test(path));
}

/** Globs of what lies in an application's folder and is surely no source of its kernel, relative to that folder. */
export function notCompiled(summary: Summary): readonly string[] {
  return [
    ...never,
    ...apartFolders(summary)
      .map(globOf)
      .flatMap((folder) => [folder, `${folder}/**/*`]),
  ];
}

/** The parts of an application's folder that its file systems are made from, and that results go to. */
export function apartFolders({
  filesystems,
  image,
}: {
  readonly filesystems: readonly Pick<Filesystem, 'source'>[];
  readonly image: string;
}): readonly string[] {
  const outputs = posix.dirname(image);
  return [...filesystemFolders(filesystems), ...(outputs.startsWith('.unikraft/') || outputs === '.' ? [] : [outputs])];
}

/** The parts of an application's folder that its file systems are made from. */
function filesystemFolders(filesystems: readonly Pick<Filesystem, 'source'>[]): readonly string[] {
  return filesystems.map(({ source }) => posix.normalize(source).replace(/\/$/, '')).filter(liesApart);
}

/** Whether a file system's source is a part of the folder, and not all of it, something outside or an image. */
function liesApart(source: string): boolean {
  return source !== '.' && !source.startsWith('..') && !source.startsWith('/') && !source.includes(':');
}
