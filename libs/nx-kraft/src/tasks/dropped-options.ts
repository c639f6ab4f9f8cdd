import type { ExplainedOption, Kconfig } from '@nx-kraft/kernel';
import type { Kraftfile, ModelPath, Target } from '@nx-kraft/kraftfile';
import type { Kraftproject } from './kraftproject.ts';

/** One line for an option that did not stick, at its place in the Kraftfile. */
export function describeDropped(
  project: Kraftproject,
  target: Target,
  { symbol, asked, got, why }: ExplainedOption,
): string {
  const place = findOption(project.kraftfile, target, symbol);
  // Templates, libraries and targets bring options of their own.
  const at = place === undefined ? project.file : positionText(project, [...place, symbol]);
  const outcome = got === undefined ? 'the configuration does not have it' : `it is ${got}`;
  const reason = why === undefined ? '' : `: ${why}`;
  return `warning: ${at}: ${symbol}=${asked} did not stick, ${outcome}${reason}`;
}

function positionText({ file, positionOf }: Kraftproject, path: ModelPath): string {
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
