import { availableParallelism } from 'node:os';
import type { Accelerator } from './accelerator.ts';
import { ConsoleCheck, type Mismatch } from './console-check.ts';
import { endEarly } from './early-end.ts';
import { startKernel, type KernelRun } from './kernel-run.ts';
import type { Machine, MachineOptions } from './machine.ts';
import { copyVolumes } from './private-volumes.ts';
import { checkBudgets, checkEnd, checkFiles, checkHttp, checkTcp, expectedEnd } from './scenario-checks.ts';
import type { Scenario } from './scenario.ts';

export interface ScenarioResult {
  readonly name: string;
  readonly mismatches: readonly Mismatch[];
  readonly accelerator: Accelerator;
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
 * free ones, and what the guest may write to is a copy, so that any number of runs can go on at once and none sees what
 * another one left.
 *
 * @param plan  the machine as the project has it; each scenario changes what it says
 * @returns results in the order of the scenarios
 * @throws MachineFault when a machine cannot be started at all
 */
export async function runScenarios(
  plan: KernelRun,
  scenarios: readonly Scenario[],
  options: TestOptions,
): Promise<readonly ScenarioResult[]> {
  const results: ScenarioResult[] = [];
  const queue = [...scenarios.entries()];
  const onNote = toldOnce(options.onNote);
  const failed = new AbortController();
  const signal = AbortSignal.any([failed.signal, ...(options.signal === undefined ? [] : [options.signal])]);
  const work = async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      signal.throwIfAborted();
      const result = await runScenario(plan, next[1], { ...options, signal, onNote });
      signal.throwIfAborted();
      results[next[0]] = result;
      options.onResult?.(result);
    }
  };
  const jobs = Math.min(options.jobs ?? availableParallelism(), scenarios.length);
  // Where one cannot be started the others end, too, before that is told: none is left running.
  await Promise.allSettled(
    Array.from({ length: jobs }, () =>
      work().catch((error: unknown) => {
        failed.abort(error);
      }),
    ),
  );
  signal.throwIfAborted();
  return results;
}

/** Passes on the first note only: each machine has the same to say. */
export function toldOnce(onNote: MachineOptions['onNote']): (note: string) => void {
  let isTold = false;
  return (note) => {
    if (!isTold) onNote?.(note);
    isTold = true;
  };
}

/** How often (milliseconds) the memory of a machine is looked at; the number is a high-water mark of the system's. */
const memoryInterval = 50;

async function runScenario(plan: KernelRun, scenario: Scenario, options: TestOptions): Promise<ScenarioResult> {
  const lines = new ConsoleCheck(scenario);
  const mismatches: Mismatch[] = [];
  const guestPorts = [...new Set([...scenario.http, ...scenario.tcp].map(({ port }) => port))];
  const copies = await copyVolumes(plan.volumes ?? [], options.folder);
  let machine: Machine;
  try {
    machine = await startKernel(scenarioPlan({ ...plan, volumes: copies.volumes }, scenario, guestPorts), {
      ...options,
      timeout: scenario.timeout * 1000,
      onLine: (line) => {
        lines.take(line);
      },
    });
  } catch (error) {
    await copies.remove();
    throw error;
  }
  const began = performance.now();
  const stop = () => void machine.kill();
  if (options.signal?.aborted === true) stop();
  options.signal?.addEventListener('abort', stop, { once: true });
  const memory = watchMemory(machine);
  const early = endEarly(machine, scenario, lines, mismatches);
  try {
    const readyAt = await exchange(machine, scenario, lines, mismatches);
    if (expectedEnd(scenario) === 'running') {
      await Promise.race([lines.complete(), machine.ended]);
      void machine.stop();
    }
    const end = await machine.ended;
    const ready = readyAt === undefined ? undefined : readyAt - began;
    const measured = { ready, duration: end.duration, peakMemory: memory.peak() };
    const seen = { name: scenario.name, accelerator: machine.accelerator, ...measured, lastLines: end.lastLines };
    const broken = early.mismatches();
    if (broken !== undefined) return { ...seen, mismatches: broken };
    mismatches.push(...lines.mismatches());
    checkEnd(scenario, end, mismatches);
    await checkFiles(scenario, copies.locate, mismatches);
    await checkBudgets(plan, scenario, measured, mismatches);
    return { ...seen, mismatches };
  } finally {
    early.release();
    memory.stop();
    options.signal?.removeEventListener('abort', stop);
    await machine.kill();
    await copies.remove();
  }
}

function scenarioPlan(plan: KernelRun, scenario: Scenario, guestPorts: readonly number[]): KernelRun {
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
