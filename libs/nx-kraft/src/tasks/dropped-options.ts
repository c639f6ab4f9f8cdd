import { type ExplainedOption, type Kconfig, librarySymbol, targetSymbols } from '@nx-kraft/kernel';
import type { Kraftfile, ModelPath, Target } from '@nx-kraft/kraftfile';
import { ProjectFault, type ReadKraftproject } from './kraftproject.ts';
import { tell } from './task.ts';

/**
 * Tells which options did not stick, before anything is compiled, and refuses to go on without those that the Kraftfile
 * itself asks for: a kernel that lacks what its file says is no success. What a template asks for is not the user's to
 * mend, and an option that is on although the Kraftfile wants it off mostly is what another one needs: these are warnings.
 *
 * @param strict  true refuses all of them, false none
 * @throws ProjectFault KRAFTFILE_OPTIONS_DROPPED
 */
export function judgeDropped(
  project: ReadKraftproject,
  target: Target,
  dropped: readonly ExplainedOption[],
  strict: boolean | undefined,
): void {
  const refused = dropped.filter((option) => strict ?? isAskedFor(project.kraftfile, target, option));
  for (const option of dropped) {
    tell(`${refused.includes(option) ? 'error' : 'warning'}: ${describeDropped(project, target, option)}`);
  }
  if (refused.length === 0) return;
  throw new ProjectFault(
    'KRAFTFILE_OPTIONS_DROPPED',
    `KConfig did not take ${refused.map(({ symbol }) => symbol).join(', ')}`,
    {
      at: project.file,
      hint:
        'Mend or remove them there, or set them in the kconfig of those targets that have them. The option strict=false\n' +
        '  of the build tasks, in project.json or nx.json, makes warnings of them: see docs/tasks.md of nx-kraft.',
    },
  );
}

/** Whether it is the Kraftfile that wants an option, or what it names: a target, a library. */
function isAskedFor(kraftfile: Kraftfile, target: Target, { symbol, asked }: ExplainedOption): boolean {
  // The name of an image is no part of a kernel here.
  if (asked === 'n' || symbol === 'CONFIG_UK_NAME') return false;
  if (findOption(kraftfile, target, symbol) !== undefined) return true;
  const bringer = findBringer(kraftfile, target, symbol);
  return bringer !== undefined && bringer.name !== 'template';
}

/** One line for an option that did not stick, at its place in the Kraftfile or that of whatever brought it. */
export function describeDropped(
  project: ReadKraftproject,
  target: Target,
  { symbol, asked, got, why }: ExplainedOption,
): string {
  const { kraftfile, file } = project;
  const place = findOption(kraftfile, target, symbol);
  const bringer = place === undefined ? findBringer(kraftfile, target, symbol) : undefined;
  const path = place === undefined ? bringer?.path : [...place, symbol];
  const at = path === undefined ? file : positionText(project, path);
  const origin = bringer === undefined ? '' : ` of the ${bringer.name}`;
  const outcome = got === undefined ? 'the configuration does not have it' : `it is ${got}`;
  const reason = why === undefined ? '' : `: ${why}`;
  return `${at}: ${symbol}=${asked}${origin} did not stick, ${outcome}${reason}`;
}

function positionText({ file, positionOf }: ReadKraftproject, path: ModelPath): string {
  const { line, column } = positionOf(path);
  return `${file}:${line}:${column}`;
}

/** Where the Kraftfile itself sets an option, the place that wins first. */
function findOption(
  { targets, libraries, unikraft, template, kconfig }: Kraftfile,
  target: Target,
  symbol: string,
): ModelPath | undefined {
  const places: readonly (readonly [ModelPath, Kconfig | undefined])[] = [
    [['targets', targets.findIndex(({ id }) => id === target.id), 'kconfig'], target.kconfig],
    [['kconfig'], kconfig],
    ...libraries.map((library, index) => [['libraries', index, 'kconfig'], library.kconfig] as const).toReversed(),
    [['unikraft', 'kconfig'], unikraft?.kconfig],
    [['template', 'kconfig'], template?.kconfig],
  ];
  return places.find(([, values]) => values !== undefined && symbol in values)?.[0];
}

/** What stands for an option that the Kraftfile does not name itself. */
function findBringer(
  { targets, libraries, template }: Kraftfile,
  target: Target,
  symbol: string,
): { readonly name: string; readonly path: ModelPath } | undefined {
  const targetIndex = targets.findIndex(({ id }) => id === target.id);
  if (targetIndex !== -1 && symbol in targetSymbols(target.architecture, target.platform)) {
    return { name: 'target', path: ['targets', targetIndex] };
  }
  const library = libraries.findIndex(({ name }) => librarySymbol(name) === symbol);
  if (library !== -1) return { name: 'library', path: ['libraries', library] };
  return template === undefined ? undefined : { name: 'template', path: ['template'] };
}
