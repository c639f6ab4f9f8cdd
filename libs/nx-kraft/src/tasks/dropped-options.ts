import { type ExplainedOption, type Kconfig, librarySymbol, targetSymbols } from '@nx-kraft/kernel';
import type { Kraftfile, ModelPath, Target } from '@nx-kraft/kraftfile';
import type { ReadKraftproject } from './kraftproject.ts';

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
  return `warning: ${at}: ${symbol}=${asked}${origin} did not stick, ${outcome}${reason}`;
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
