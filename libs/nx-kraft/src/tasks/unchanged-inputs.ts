import { lstatSync, realpathSync } from 'node:fs';
import { join, posix, relative, sep } from 'node:path';
import type { ExecutorContext, ProjectConfiguration, ProjectGraph } from '@nx/devkit';
import { unlessNowhere } from '@nx-kraft/base';
import { globOf, globsOf, globsTest } from '@nx-kraft/rootfs/globs';
import type { Reading } from '@nx-kraft/rootfs/left-out';
import { readEntries } from '@nx-kraft/rootfs/touched';
import { Disk } from '../inference/disk.ts';
import type { Input } from '../inference/inputs.ts';
import { changed } from './source-changed.ts';
import { tell } from './task.ts';
import { keyOf } from './unchanged-sources.ts';

/**
 * Does the work of a task that reads what its inputs say to Nx, and fails if anybody touched these since the key was made
 * under which its result is kept.
 * The work may write among them what was not there before, as rules of make do, and single files that git ignores. What it
 * has read in the workspace and is no input is told.
 *
 * @param work  gives files that it has read, by absolute paths behind all links
 * @throws ProjectFault SOURCE_CHANGED
 */
export async function withUnchangedInputs(
  context: ExecutorContext,
  work: () => Promise<ReadonlySet<string>>,
): Promise<void> {
  const { root, projectName = '', targetName = '', projectGraph } = context;
  const project = projectGraph.nodes[projectName]?.data;
  const target = project?.targets?.[targetName];
  if (project === undefined || target?.cache !== true) {
    await work();
    return;
  }
  const { isTouched, isWrittenAnyTime } = keyOf(context);
  const { ignored } = new Disk(root);
  const isNoSource = (path: string): boolean => neverSources.test(path) || isWrittenAnyTime(path);
  const files: string[] = [];
  const readings = readingsOf(target.inputs ?? [], project, projectGraph);
  for (const { isWithIgnored, ...reading } of readings) {
    const isApart = (path: string): boolean => isNoSource(path) || (!isWithIgnored && ignored.has(path));
    const single = new Set(reading.files);
    for (const entry of readEntries(root, reading, isApart)) {
      const { path, stats } = entry;
      if (await isTouched(entry)) throw changed(path);
      const mayBeMade = single.has(globOf(path)) && ignored.has(path);
      if (!stats.isDirectory() && !mayBeMade) files.push(path);
    }
  }
  const read = await work();
  for (const path of files) {
    const stats = unlessNowhere(() => lstatSync(join(root, path)));
    if (stats === undefined || (await isTouched({ path, stats }))) throw changed(path, own);
  }
  const isInput = inputTest(readings);
  const real = realpathSync(root);
  for (const path of read) {
    const place = relative(real, path).split(sep).join('/');
    if (place.startsWith('../') || isNoSource(place) || isInput(place)) continue;
    tell(`warning: a compiler read ${place}, which is no input of this task; Makefile.uk can name its folder`);
  }
}

function inputTest(readings: readonly Reading[]): (path: string) => boolean {
  const tests = readings.map(({ files, excluded }) => ({ isRead: globsTest(files), isExcluded: globsTest(excluded) }));
  return (path) => tests.some(({ isRead, isExcluded }) => isRead(path) && !isExcluded(path));
}

const neverSources = /(^|\/)(\.git|\.nx|node_modules)(\/|$)/;

const own = 'If another task writes it, let this one depend on that task; if its own build does, let git ignore it.';

interface InputReading extends Reading {
  /** Whether what git and Nx pass over is read, too. */
  readonly isWithIgnored: boolean;
}

/** The filesets among a task's inputs, of which Nx applies each kind for itself. Globs are relative to the workspace. */
function readingsOf(
  inputs: readonly Input[],
  project: ProjectConfiguration,
  { nodes }: ProjectGraph,
): readonly InputReading[] {
  const filesets = inputs.flatMap((input) => filesetOf(input, project));
  const below = Object.values(nodes)
    .map(({ data }) => data.root)
    .filter((root) => root !== project.root && (project.root === '.' || root.startsWith(`${project.root}/`)));
  const kinds = [
    { isWithIgnored: false, isOwn: true },
    { isWithIgnored: false, isOwn: false },
    { isWithIgnored: true, isOwn: false },
  ];
  return kinds.map(({ isWithIgnored, isOwn }) => {
    const ofKind = filesets.filter((one) => one.isWithIgnored === isWithIgnored && one.isOwn === isOwn);
    return {
      isWithIgnored,
      files: ofKind.flatMap(({ glob, isExcluded }) => (isExcluded ? [] : [glob])),
      excluded: [
        ...ofKind.flatMap(({ glob, isExcluded }) => (isExcluded ? [glob] : [])),
        // Other projects within this one are none of its files.
        ...(isOwn ? below : []),
      ],
    };
  });
}

interface Fileset {
  readonly glob: string;
  readonly isExcluded: boolean;
  readonly isWithIgnored: boolean;
  /** Whether the project's own files are meant, and nobody else's. */
  readonly isOwn: boolean;
}

function filesetOf(input: Input, { root }: ProjectConfiguration): readonly Fileset[] {
  const text = textOf(input);
  const includeIgnored = typeof input !== 'string' && 'includeIgnored' in input && input.includeIgnored === true;
  const [, sign, place, rest] = /^(!?)\{(projectRoot|workspaceRoot)\}\/(.+)$/.exec(text) ?? [];
  if (rest === undefined) return [];
  const isOwn = place === 'projectRoot' && !includeIgnored;
  const glob = place === 'projectRoot' ? posix.join(root, rest) : rest;
  return globsOf(glob).map((one) => ({ glob: one, isExcluded: sign === '!', isWithIgnored: includeIgnored, isOwn }));
}

/** Of a file of which Nx takes some fields, the whole: who changes it mostly means those. */
function textOf(input: Input): string {
  if (typeof input === 'string') return input;
  return 'fileset' in input ? input.fileset : 'json' in input ? input.json : '';
}
