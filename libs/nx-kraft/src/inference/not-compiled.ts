import { posix } from 'node:path';
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

/** Globs of what lies in an application's folder and is surely no source of its kernel, relative to that folder. */
export function notCompiled({ filesystems }: Summary): readonly string[] {
  const rootfs = posix.normalize(filesystems[0]?.source ?? '.').replace(/\/$/, '');
  const isApart = rootfs !== '.' && !rootfs.startsWith('..') && !rootfs.startsWith('/') && !rootfs.includes(':');
  return [...never, ...(isApart ? [rootfs, `${rootfs}/**/*`] : [])];
}
