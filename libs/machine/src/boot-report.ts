import { stat } from 'node:fs/promises';
import { MachineFault } from './fault.ts';
import type { Accelerator } from './accelerator.ts';
import type { KernelRun } from './kernel-run.ts';
import type { Scenario } from './scenario.ts';
import { formatScenario } from './test-report.ts';
import { runScenarios, toldOnce, type ScenarioResult, type TestOptions } from './test-run.ts';

/** What a library takes in the machine's memory, in bytes. */
export interface LibrarySize {
  readonly library: string;
  /** Instructions and constants. */
  readonly code: number;
  /** Variables, those that begin as zero included. */
  readonly data: number;
}

/** The middle and the slow end of many measurements. */
export interface Distribution {
  readonly p50: number;
  readonly p95: number;
}

/** How a unikernel boots, fit to be stored as JSON and compared with that of another commit. */
export interface BootReport {
  readonly name: string;
  readonly architecture: string;
  /** Times with one cannot be compared with times with another. */
  readonly accelerator: Accelerator;
  readonly boots: number;
  /** Milliseconds from the first instruction until the guest was ready. */
  readonly ready: Distribution;
  /** The most memory of the machine on the host, in bytes. */
  readonly memory: Distribution;
  /** Bytes. */
  readonly kernelSize: number;
  /** Bytes; 0 without one. */
  readonly initrdSize: number;
  /** The largest first; empty where they were not given. */
  readonly libraries: readonly LibrarySize[];
}

export interface BootReportOptions extends Omit<TestOptions, 'jobs'> {
  /** How often it is booted, one machine after the other so that they do not slow each other (default 20). */
  readonly boots?: number;
  /** What each library takes of the kernel, the largest first. */
  readonly libraries?: readonly LibrarySize[];
}

/**
 * Boots a unikernel many times as a scenario says, which tells when it is ready, and measures.
 *
 * @throws MachineFault MACHINE_BOOT_FAILED when a boot is not as the scenario says
 */
export async function measureBoots(
  name: string,
  plan: KernelRun,
  scenario: Scenario,
  options: BootReportOptions,
): Promise<BootReport> {
  const { boots = 20, libraries = [] } = options;
  const results: ScenarioResult[] = [];
  const onNote = toldOnce(options.onNote);
  for (let boot = 0; boot < boots; boot++) {
    const [result] = await runScenarios(plan, [scenario], { ...options, onNote });
    if (result === undefined || result.mismatches.length > 0) {
      const report = result === undefined ? '' : `:\n${formatScenario(result)}`;
      throw new MachineFault('MACHINE_BOOT_FAILED', `boot ${boot + 1} of ${boots} was not as it should${report}`);
    }
    results.push(result);
  }
  return {
    name,
    architecture: plan.architecture,
    accelerator: results[0]?.accelerator ?? 'tcg',
    boots,
    ready: distribution(results.map(({ ready = 0 }) => ready)),
    memory: distribution(results.map(({ peakMemory }) => peakMemory)),
    kernelSize: (await stat(plan.kernel)).size,
    initrdSize: plan.initrd === undefined ? 0 : (await stat(plan.initrd)).size,
    libraries,
  };
}

/** Percentiles by the nearest rank, so that each is a value that was measured. */
export function distribution(values: readonly number[]): Distribution {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (part: number) => sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)] ?? 0;
  return { p50: at(0.5), p95: at(0.95) };
}

/** How much (a part of the base's value) a time or size may differ before it is worth a sign. */
const noteworthy = 0.1;

/** A report in Markdown, for a pull request; with the report of the base branch, what became more or less. */
export function formatBootReport(report: BootReport, base?: BootReport): string {
  const milliseconds = (value: number) => `${value.toFixed(1)} ms`;
  const row = (what: string, of: (each: BootReport) => number, unit: (value: number) => string) =>
    tableRow(what, of(report), base === undefined ? undefined : of(base), unit);
  const heading = base === undefined ? ['', 'value'] : ['', 'base', 'now', 'change'];
  return [
    `### Boot of ${report.name} (${report.architecture}, ${report.accelerator}, ${report.boots} boots)`,
    '',
    ...(base === undefined || base.accelerator === report.accelerator
      ? []
      : [`The base was measured with ${base.accelerator}: its times are no measure for these.`, '']),
    `| ${heading.join(' | ')} |`,
    `| ${heading.map((_, column) => (column === 0 ? '---' : '---:')).join(' | ')} |`,
    row('ready, p50', ({ ready }) => ready.p50, milliseconds),
    row('ready, p95', ({ ready }) => ready.p95, milliseconds),
    row('memory, p50', ({ memory }) => memory.p50, kibibytes),
    row('memory, p95', ({ memory }) => memory.p95, kibibytes),
    row('kernel', ({ kernelSize }) => kernelSize, kibibytes),
    row('initrd', ({ initrdSize }) => initrdSize, kibibytes),
    ...report.libraries.map(({ library }) => row(`\`${library}\``, (each) => librarySize(each, library), kibibytes)),
    '',
  ].join('\n');
}

function librarySize({ libraries }: BootReport, name: string): number {
  const found = libraries.find(({ library }) => library === name);
  return found === undefined ? 0 : found.code + found.data;
}

function tableRow(what: string, now: number, before: number | undefined, unit: (value: number) => string): string {
  if (before === undefined) return `| ${what} | ${unit(now)} |`;
  const change = before === 0 ? (now === 0 ? 0 : 1) : (now - before) / before;
  const text = `${change > 0 ? '+' : ''}${(change * 100).toFixed(1)} %`;
  const sign = Math.abs(change) < noteworthy ? text : `**${text}**`;
  return `| ${what} | ${unit(before)} | ${unit(now)} | ${sign} |`;
}

function kibibytes(value: number): string {
  return `${(value / 1024).toFixed(1)} KiB`;
}
