import { readIfPresent } from './context.ts';

/** A line of a Dockerfile to end a fault's message with, so that nobody has to look it up; '' where there is none. */
export function showLine(path: string, line: number | string | undefined): string {
  const text = line === undefined ? undefined : readIfPresent(path)?.split(/\r?\n/)[Number(line) - 1];
  return text === undefined || text.trim() === '' ? '' : `\n  ${line ?? ''} | ${text.trimEnd()}`;
}
