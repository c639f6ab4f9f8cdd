import { readFile, stat } from 'node:fs/promises';
import { hasErrorCode } from '@nx-kraft/base';
import { show, type Mismatch } from './console-check.ts';
import type { MachineEnd } from './ending.ts';
import { exchangeHttp, exchangeTcp, untilAnswered } from './exchange.ts';
import type { MachinePlan } from './machine.ts';
import { parseQuantity } from './memory.ts';
import { describeText, matches } from './expected-text.ts';
import type { Scenario } from './scenario.ts';
import type { ScenarioResult } from './test-run.ts';

export async function checkHttp(
  exchanged: Scenario['http'][number],
  port: number,
  signal: AbortSignal,
  mismatches: Mismatch[],
): Promise<void> {
  const what = `${exchanged.method} ${exchanged.path} on port ${exchanged.port}`;
  const { status, headers, body } = exchanged.expect;
  try {
    const answer = await untilAnswered((each) => exchangeHttp(port, exchanged, each), signal);
    if (answer.status !== status) {
      mismatches.push({ what: `${what}: status`, expected: String(status), seen: String(answer.status) });
    }
    for (const [name, text] of Object.entries(headers)) {
      const seen = answer.headers[name.toLowerCase()];
      if (seen === undefined || !matches(text, String(seen))) {
        mismatches.push({ what: `${what}: header ${name}`, expected: describeText(text), seen: show(String(seen)) });
      }
    }
    if (body !== undefined && !matches(body, answer.body)) {
      mismatches.push({ what: `${what}: body`, expected: describeText(body), seen: show(answer.body) });
    }
  } catch (error) {
    mismatches.push({ what, expected: 'an answer', seen: reasonOf(error, signal) });
  }
}

export async function checkTcp(
  { port, send, expect }: Scenario['tcp'][number],
  hostPort: number,
  signal: AbortSignal,
  mismatches: Mismatch[],
): Promise<void> {
  const what = `TCP on port ${port}`;
  let seen = '';
  try {
    await untilAnswered((each) => exchangeTcp(hostPort, send, (text) => matches(expect, (seen = text)), each), signal);
    if (!matches(expect, seen)) mismatches.push({ what, expected: describeText(expect), seen: show(seen) });
  } catch (error) {
    mismatches.push({ what, expected: describeText(expect), seen: seen === '' ? reasonOf(error, signal) : show(seen) });
  }
}

function reasonOf(error: unknown, signal: AbortSignal): string {
  const cause: unknown = signal.aborted ? signal.reason : error;
  return `none: ${cause instanceof Error ? cause.message : String(cause)}`;
}

/** How the machine must end; where there are exchanges, that it does not. */
export function expectedEnd({ end, http, tcp }: Scenario): number | 'crash' | 'running' {
  return end ?? (http.length + tcp.length > 0 ? 'running' : 0);
}

export function describeEnd(scenario: Scenario): string {
  const expected = expectedEnd(scenario);
  return { running: 'that it runs on', crash: 'a crash' }[String(expected)] ?? `exit code ${expected}`;
}

export function checkEnd(scenario: Scenario, end: MachineEnd, mismatches: Mismatch[]): void {
  const expected = expectedEnd(scenario);
  const isAsExpected =
    expected === 'running'
      ? end.reason === 'stopped'
      : expected === 'crash'
        ? end.reason === 'crash'
        : end.exitCode === expected && end.reason !== 'crash' && end.reason !== 'timeout';
  if (isAsExpected) return;
  const seen = `${end.message} (exit code ${end.exitCode})`;
  mismatches.push({ what: 'end', expected: describeEnd(scenario), seen });
}

/** Where a file is that the scenario names by its path in the project. */
export type Locate = (path: string) => string;

export async function checkFiles({ files }: Scenario, locate: Locate, mismatches: Mismatch[]): Promise<void> {
  for (const { path, content } of files) {
    try {
      const seen = await readFile(locate(path), 'utf8');
      if (content !== undefined && !matches(content, seen)) {
        mismatches.push({ what: `file ${path}`, expected: describeText(content), seen: show(seen) });
      }
    } catch (error) {
      if (!hasErrorCode(error, 'ENOENT', 'ENOTDIR')) throw error;
      mismatches.push({ what: `file ${path}`, expected: 'that it is there', seen: 'no such file' });
    }
  }
}

export async function checkBudgets(
  { kernel, initrd }: MachinePlan,
  { budgets }: Scenario,
  measured: Pick<ScenarioResult, 'ready' | 'duration' | 'peakMemory'>,
  mismatches: Mismatch[],
): Promise<void> {
  const check = (what: string, most: number | undefined, seen: number | undefined, unit: (value: number) => string) => {
    if (most === undefined || (seen !== undefined && seen <= most)) return;
    mismatches.push({ what, expected: `at most ${unit(most)}`, seen: seen === undefined ? 'never' : unit(seen) });
  };
  check('time until ready', milliseconds(budgets.ready), measured.ready, seconds);
  check('time in total', milliseconds(budgets.total), measured.duration, seconds);
  check('peak memory', quantity(budgets.memory), measured.peakMemory, kibibytes);
  if (budgets.imageSize !== undefined) {
    const sizes = await Promise.all(
      [kernel, ...(initrd === undefined ? [] : [initrd])].map(async (path) => (await stat(path)).size),
    );
    check(
      'image size',
      quantity(budgets.imageSize),
      sizes.reduce((sum, size) => sum + size),
      kibibytes,
    );
  }
}

function milliseconds(budget: number | undefined): number | undefined {
  return budget === undefined ? undefined : budget * 1000;
}

function quantity(budget: string | undefined): number | undefined {
  return budget === undefined ? undefined : parseQuantity(budget);
}

function seconds(value: number): string {
  return `${(value / 1000).toFixed(2)} s`;
}

function kibibytes(value: number): string {
  return `${Math.ceil(value / 1024)} KiB`;
}
