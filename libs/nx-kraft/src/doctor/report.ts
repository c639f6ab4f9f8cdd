import { type System, installLine } from '@nx-kraft/base/packages';
import type { Result } from './check.ts';

const marks = { ok: '✓', missing: '–', broken: '!' } as const;

/** The report for a terminal: by subject, and for what is not in order its cost and what to do. */
export function formatResults(system: System, results: readonly Result[]): string {
  const subjects = [...new Set(results.map(({ subject }) => subject))];
  const width = Math.max(...results.map(({ name }) => name.length));
  const sections = subjects.map((subject) => {
    const own = results.filter((result) => result.subject === subject);
    return `${subject}\n${own.map((result) => formatResult(result, width)).join('\n')}`;
  });
  return [`This machine: ${system.name}`, ...sections, conclusion(system, results)].join('\n\n');
}

function formatResult({ name, state, detail, needed, cost, remedy }: Result, width: number): string {
  const mark = state !== 'ok' && needed ? '✗' : marks[state];
  const lines = [`  ${mark} ${name.padEnd(width)}  ${detail}`];
  if (state !== 'ok') lines.push(...[cost, remedy].flatMap((text) => (text === undefined ? [] : [`      ${text}`])));
  return lines.join('\n');
}

function conclusion({ family }: System, results: readonly Result[]): string {
  const lacking = results.filter(({ needed, state }) => needed && state !== 'ok');
  if (lacking.length === 0) return 'All that is needed is there.';
  const names = lacking.map(({ name }) => name).join(', ');
  const programs = lacking.flatMap(({ program }) => program ?? []);
  const line = family === undefined ? undefined : installLine(family, programs);
  return `Needed and not in order: ${names}.${line === undefined ? '' : `\n${line}`}`;
}
