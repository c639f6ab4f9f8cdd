import { readFile, stat } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { hasErrorCode } from '@nx-kraft/base';
import { ConsoleCheck, show, type Mismatch } from './console-check.ts';
import type { MachineEnd } from './ending.ts';
import { exchangeHttp, exchangeTcp, untilAnswered } from './exchange.ts';
import { startMachine, type Machine, type MachineOptions, type MachinePlan } from './machine.ts';
import { parseMemory } from './memory.ts';
import { describeText, matches, type Scenario } from './scenario.ts';

export interface ScenarioResult {
  readonly name: string;
  readonly mismatches: readonly Mismatch[];
  /** Milliseconds from the first instruction until the guest was ready; undefined when it never was. */
  readonly ready: number | undefined;
  /** Milliseconds from the first instruction to the end. */
  readonly duration: number;
  /** The most memory of QEMU and guest together, in bytes. */
  readonly peakMemory: number;
  /** The last lines of the console, oldest first. */
  readonly lastLines: readonly string[];
}

export interface TestOptions extends Pick<MachineOptions, 'cacheFolder' | 'onNote'> {
  /** How many machines run at once (default: as many as there are processors). */
  readonly jobs?: number;
  /** The project's folder, for the files of scenarios. */
  readonly folder: string;
  readonly signal?: AbortSignal | undefined;
  /** Called as each scenario ends. */
  readonly onResult?: (result: ScenarioResult) => void;
}

/**
 * Boots the unikernel once for each scenario and looks whether all is as the scenario says. Ports of the host are any
 * free ones, so that any number of runs can go on at once.
 *
 * @param plan  the machine as the project has it; each scenario changes what it says
 * @returns results in the order of the scenarios
 * @throws MachineFault when a machine cannot be started at all
 */
export async function runScenarios(
  plan: MachinePlan,
  scenarios: readonly Scenario[],
  options: TestOptions,
): Promise<readonly ScenarioResult[]> {
  const results: ScenarioResult[] = [];
  const queue = [...scenarios.entries()];
  let noted = false;
  const onNote = (note: string) => {
    // Each machine has the same to say.
    if (!noted) options.onNote?.(note);
    noted = true;
  };
  const work = async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      options.signal?.throwIfAborted();
      const result = await runScenario(plan, next[1], { ...options, onNote });
      results[next[0]] = result;
      options.onResult?.(result);
    }
  };
  const jobs = Math.min(options.jobs ?? availableParallelism(), scenarios.length);
  await Promise.all(Array.from({ length: jobs }, work));
  return results;
}

/** How often (milliseconds) the memory of a machine is looked at; the number is a high-water mark of the system's. */
const memoryInterval = 50;

async function runScenario(plan: MachinePlan, scenario: Scenario, options: TestOptions): Promise<ScenarioResult> {
  const lines = new ConsoleCheck(scenario);
  const mismatches: Mismatch[] = [];
  const guestPorts = [...new Set([...scenario.http, ...scenario.tcp].map(({ port }) => port))];
  const machine = await startMachine(scenarioPlan(plan, scenario, guestPorts), {
    ...options,
    timeout: scenario.timeout * 1000,
    onLine: (line) => {
      lines.take(line);
    },
  });
  const began = performance.now();
  const stop = () => void machine.kill();
  options.signal?.addEventListener('abort', stop, { once: true });
  const memory = watchMemory(machine);
  try {
    const readyAt = await exchange(machine, scenario, lines, mismatches);
    if (expectedEnd(scenario) === 'running') {
      await Promise.race([lines.complete(), machine.ended]);
      void machine.stop();
    }
    const end = await machine.ended;
    mismatches.push(...lines.mismatches());
    checkEnd(expectedEnd(scenario), end, mismatches);
    await checkFiles(scenario, options.folder, mismatches);
    const ready = readyAt === undefined ? undefined : readyAt - began;
    const measured = { ready, duration: end.duration, peakMemory: memory.peak() };
    await checkBudgets(plan, scenario, measured, mismatches);
    return { name: scenario.name, mismatches, ...measured, lastLines: end.lastLines };
  } finally {
    memory.stop();
    options.signal?.removeEventListener('abort', stop);
    await machine.kill();
  }
}

function scenarioPlan(plan: MachinePlan, scenario: Scenario, guestPorts: readonly number[]): MachinePlan {
  return {
    ...plan,
    ...(scenario.args === undefined ? {} : { args: scenario.args }),
    ...(scenario.memory === undefined ? {} : { memory: scenario.memory }),
    ...(scenario.cpus === undefined ? {} : { cpus: scenario.cpus }),
    env: { ...plan.env, ...scenario.env },
    kernelArgs: [...(plan.kernelArgs ?? []), ...(scenario.kernelArgs ?? [])],
    ports: guestPorts.map((guestPort) => ({ hostAddress: '127.0.0.1', hostPort: 0, guestPort, protocol: 'tcp' })),
  };
}

function expectedEnd({ end, http, tcp }: Scenario): number | 'crash' | 'running' {
  return end ?? (http.length + tcp.length > 0 ? 'running' : 0);
}

function watchMemory(machine: Machine): { peak: () => number; stop: () => void } {
  let peak = 0;
  const look = () => {
    machine.peakMemory().then(
      (bytes) => (peak = Math.max(peak, bytes)),
      () => undefined,
    );
  };
  look();
  const timer = setInterval(look, memoryInterval);
  return {
    peak: () => peak,
    stop: () => {
      clearInterval(timer);
    },
  };
}

/** Waits for readiness and does all exchanges; gives when the guest was ready, unless it ended before. */
async function exchange(
  machine: Machine,
  scenario: Scenario,
  lines: ConsoleCheck,
  mismatches: Mismatch[],
): Promise<number | undefined> {
  const gone = new AbortController();
  const ended = machine.ended.then(() => {
    gone.abort(new Error('the machine ended'));
    return undefined;
  });
  let readyAt = await Promise.race([lines.ready().then(() => performance.now()), ended]);
  if (readyAt === undefined) return undefined;
  if (scenario.input !== undefined) machine.write(scenario.input);
  const hostPort = (guestPort: number) => machine.ports.find((port) => port.guestPort === guestPort)?.hostPort ?? 0;
  const steps = [
    ...scenario.http.map((each) => () => checkHttp(each, hostPort(each.port), gone.signal, mismatches)),
    ...scenario.tcp.map((each) => () => checkTcp(each, hostPort(each.port), gone.signal, mismatches)),
  ];
  for (const [index, step] of steps.entries()) {
    await step();
    if (index === 0) readyAt = performance.now();
  }
  return readyAt;
}

async function checkHttp(
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

async function checkTcp(
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

function checkEnd(expected: number | 'crash' | 'running', end: MachineEnd, mismatches: Mismatch[]): void {
  const seen = `${end.message} (exit code ${end.exitCode})`;
  const isAsExpected =
    expected === 'running'
      ? end.reason === 'stopped'
      : expected === 'crash'
        ? end.reason === 'crash'
        : end.exitCode === expected && end.reason !== 'crash' && end.reason !== 'timeout';
  if (isAsExpected) return;
  const wanted = { running: 'that it runs on', crash: 'a crash' }[String(expected)] ?? `exit code ${expected}`;
  mismatches.push({ what: 'end', expected: wanted, seen });
}

async function checkFiles({ files }: Scenario, folder: string, mismatches: Mismatch[]): Promise<void> {
  for (const { path, content } of files) {
    try {
      const seen = await readFile(join(folder, path), 'utf8');
      if (content !== undefined && !matches(content, seen)) {
        mismatches.push({ what: `file ${path}`, expected: describeText(content), seen: show(seen) });
      }
    } catch (error) {
      if (!hasErrorCode(error, 'ENOENT', 'ENOTDIR')) throw error;
      mismatches.push({ what: `file ${path}`, expected: 'that it is there', seen: 'no such file' });
    }
  }
}

async function checkBudgets(
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
  return budget === undefined ? undefined : parseMemory(budget);
}

function seconds(value: number): string {
  return `${(value / 1000).toFixed(2)} s`;
}

function kibibytes(value: number): string {
  return `${Math.ceil(value / 1024)} KiB`;
}
