import type { CloudInstance } from '../shapes.ts';

const reasons = [
  [16, 'f', 'it was forced to'],
  [8, 'u', 'somebody stopped it'],
  [4, 'p', 'the platform stopped it'],
  [2, 'a', 'the application ended'],
  [1, 'k', 'the kernel ended'],
] as const;

const errors = ['OK', 'EXP', 'MATH', 'INVLOP', 'PGFAULT', 'SEGFAULT', 'HWERR', 'SECERR'];

/** Why an instance stopped, in words and as the five letters that kraft shows: `the application ended (---ak), exit code 1`. */
export function describeEnding({ stop_reason: reason, stop_code: code, exit_code: exit }: CloudInstance): string {
  if (typeof reason !== 'number') return typeof exit === 'number' ? `exit code ${exit}` : 'for a reason unknown';
  const letters = stopLetters(reason);
  const words = reasons.find(([bit]) => (reason & bit) !== 0)?.[2] ?? 'for a reason unknown';
  const error = typeof code === 'number' ? errors[code & 0xff] : undefined;
  const number = typeof code === 'number' ? (code >> 16) & 0xff : 0;
  return [
    `${words} (${letters})`,
    ...(error === undefined || error === 'OK' ? [] : [error]),
    ...(number === 0 ? [] : [`errno ${number}`]),
    ...(typeof exit === 'number' ? [`exit code ${exit}`] : []),
  ].join(', ');
}

/** The five letters of kraft: forced, user, platform, application, kernel. */
export function stopLetters(reason: number): string {
  return reasons.map(([bit, letter]) => ((reason & bit) === 0 ? '-' : letter)).join('');
}
