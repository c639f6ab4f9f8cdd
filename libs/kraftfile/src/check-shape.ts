import type { core } from 'zod';
import type { DiagnosticCode, DiagnosticDetails } from './diagnostics.ts';
import { nearestWord } from '@nx-kraft/base';
import type { Reading } from './reading.ts';
import { shapeOf } from './shape.ts';
import type { Value } from './tree.ts';

type Issue = core.$ZodIssue;
type Path = readonly PropertyKey[];

/** Checks the whole file against the shape of its family and tells each value that does not fit, where it stands. */
export function checkShape(reading: Reading): void {
  const result = shapeOf(reading.family).safeParse(reading.tree.plain(reading.tree.root, 'kconfig'));
  for (const issue of result.error?.issues ?? []) {
    if (reading.problems.isFull) return;
    for (const problem of settle(issue, [])) report(reading, problem);
  }
}

interface Problem {
  readonly path: Path;
  /** What would be right there, in words of people, without repeats. */
  readonly expected: readonly string[];
  /** Words that would be right there. */
  readonly words: readonly string[];
}

/**
 * What an issue is about. Of a union, the forms that the value has as a whole are followed to what is wrong inside, the
 * one with the least wrong winning; if it has none of the forms, all of them are what was expected.
 */
function settle(issue: Issue, before: Path): readonly Problem[] {
  const path = [...before, ...issue.path];
  if (issue.code !== 'invalid_union') return [{ path, ...expectation(issue) }];
  const forms = issue.errors.map((errors) => errors.flatMap((error) => settle(error, path)));
  const fitting = forms.filter((problems) => problems.every((problem) => problem.path.length > path.length));
  if (fitting.length > 0) return fitting.reduce((a, b) => (b.length < a.length ? b : a));
  const all = forms.flat().filter((problem) => problem.path.length === path.length);
  return [
    {
      path,
      expected: [...new Set(all.flatMap((problem) => problem.expected))],
      words: all.flatMap((problem) => problem.words),
    },
  ];
}

function expectation(issue: Issue): Pick<Problem, 'expected' | 'words'> {
  if (issue.code === 'invalid_type') return { expected: [typeNames[issue.expected] ?? issue.expected], words: [] };
  if (issue.code === 'invalid_value') return { expected: issue.values.map(String), words: issue.values.map(String) };
  // Patterns carry what they expect as their message.
  return { expected: [issue.message], words: [] };
}

const typeNames: Readonly<Record<string, string>> = {
  array: 'a list',
  boolean: 'true or false',
  number: 'a number',
  object: 'a mapping',
  record: 'a mapping',
  string: 'a text',
};

function report(reading: Reading, { path, expected, words }: Problem): void {
  const { value, at } = find(reading, path);
  if (at === undefined || isToldBetter(reading, path, value)) return;
  const what = pathText(path);
  const text = reading.scalar(value)?.source;
  const suggestion = text === undefined ? undefined : nearestWord(text, words);
  const details: DiagnosticDetails = {
    ...(expected.length === 0 ? {} : { expected: expected.join(', ').replace(/, (?=[^,]*$)/, ' or ') }),
    ...(suggestion === undefined ? {} : { suggestion }),
  };
  const [code, message] = describe(reading, path, value, what, text);
  reading.error(code, at, message, details);
}

function describe(
  reading: Reading,
  path: Path,
  value: Value | undefined,
  what: string,
  text: string | undefined,
): readonly [DiagnosticCode, string] {
  const isInKconfig = path.at(-2) === 'kconfig';
  if (isInKconfig && typeof path.at(-1) === 'number') return ['KCONFIG_ITEM', `${what} is no KEY=value`];
  if (isInKconfig && value === undefined) return ['KCONFIG_VALUE', `${what} has no value`];
  if (value === undefined) return ['WRONG_TYPE', `${what} has no value`];
  if (reading.map(value) !== undefined) return ['WRONG_TYPE', `${what} cannot be a mapping`];
  if (reading.list(value) !== undefined) return ['WRONG_TYPE', `${what} cannot be a list`];
  return ['WRONG_VALUE', `${what} cannot be '${text ?? ''}'`];
}

/** Whether the reader of this part tells the same with more knowledge. */
function isToldBetter(reading: Reading, path: Path, value: Value | undefined): boolean {
  const [top] = path;
  if (top === 'specification') return true;
  // With both of them, spec is looked at by nobody else.
  if (top === 'spec') return !reading.entries(reading.tree.root).some(({ key }) => key === 'specification');
  if (top !== 'targets') return false;
  const key = path[2];
  return typeof key === 'string'
    ? ['platform', 'plat', 'architecture', 'arch'].includes(key)
    : path.length === 2 && reading.scalar(value) !== undefined;
}

/** The value at a path, and the nearest place to it that there is. */
function find(reading: Reading, path: Path): { value: Value | undefined; at: Value | undefined } {
  let value: Value | undefined = reading.tree.root;
  let at: Value | undefined = value;
  for (const key of path) {
    if (typeof key === 'number') {
      value = reading.items(value)[key];
    } else {
      const entry = reading.entries(value).find((candidate) => candidate.key === key);
      value = entry?.value;
      at = entry?.keyNode ?? at;
    }
    at = value ?? at;
  }
  return { value, at };
}

function pathText(path: Path): string {
  return path
    .map((key, index) => (typeof key === 'number' ? `[${key}]` : `${index === 0 ? '' : '.'}${String(key)}`))
    .join('');
}
