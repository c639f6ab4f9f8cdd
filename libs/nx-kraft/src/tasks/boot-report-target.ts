import { readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { hasErrorCode, ProgramFault, replaceAtomically, run } from '@nx-kraft/base';
import type { SizeReport } from '@nx-kraft/kernel';
import { bootReportName, outputNames } from '@nx-kraft/kraftfile/outputs';
import { type BootReport, type LibrarySize, type Scenario, formatBootReport, measureBoots } from '@nx-kraft/machine';
import { type Kraftproject, ProjectFault, loadKraftproject } from './kraftproject.ts';
import { chooseTarget, planMachine } from './machine-plan.ts';
import { readScenarios } from './scenarios.ts';
import { tell } from './task.ts';

export interface BootReportOptions {
  /** The Kraftfile, relative to the workspace. */
  readonly kraftfile: string;
  /** The target's id; default: the one that this host runs best. */
  readonly for?: string;
  /** The scenario that is booted, by its name; default: the first. */
  readonly scenario?: string;
  readonly boots?: number;
  readonly accelerator?: 'auto' | 'kvm' | 'tcg';
  /** Where the report goes, relative to the Kraftfile's folder, as JSON and with `.md` as Markdown. */
  readonly output?: string;
  /** What it is compared with: the file of an earlier report, or a revision of git that has one at `output`. */
  readonly base?: string;
}

/** Boots a target many times, tells how long it takes and what it weighs, and what became of that since a base. */
export async function reportBoots(
  workspaceRoot: string,
  options: BootReportOptions,
  signal: AbortSignal,
): Promise<void> {
  const project = await loadKraftproject(workspaceRoot, options.kraftfile);
  const { folder, kraftfile } = project;
  const output = options.output ?? bootReportName(kraftfile);
  const base = options.base === undefined ? undefined : await readBase(folder, options.base, output);
  const plan = await planMachine(project, options);
  const { boots = 20 } = options;
  let count = 0;
  const report = await measureBoots(kraftfile.name, plan, await chooseScenario(project, options.scenario), {
    folder,
    signal,
    boots,
    libraries: await readLibraries(project, options.for),
    onNote: (note) => process.stderr.write(`${note}\n`),
    onResult: ({ ready = 0 }) => tell(`boot ${++count} of ${boots}: ready after ${ready.toFixed(1)} ms`),
  });
  const markdown = formatBootReport(report, base);
  await write(resolve(folder, output), `${JSON.stringify(report, undefined, 2)}\n`);
  await write(resolve(folder, output.replace(/(\.json)?$/, '.md')), markdown);
  tell(`\n${markdown}`);
}

async function chooseScenario(project: Kraftproject, name: string | undefined): Promise<Scenario> {
  const scenarios = await readScenarios(project.folder);
  const found = name === undefined ? scenarios[0] : scenarios.find((scenario) => scenario.name === name);
  if (found !== undefined) return found;
  throw new ProjectFault('KRAFTFILE_NO_SCENARIO', `there is no scenario '${name ?? ''}'`, {
    at: project.file,
    hint: `There are: ${scenarios.map((scenario) => scenario.name).join(', ') || 'none'}.`,
  });
}

/** What the kernel's build has told of its libraries; nothing for a runtime. */
async function readLibraries(project: Kraftproject, target: string | undefined): Promise<readonly LibrarySize[]> {
  const { sizes } = outputNames(project.kraftfile, chooseTarget(project, target));
  const text = await readIfThere(join(project.folder, sizes));
  if (text === undefined) return [];
  const { libraries } = JSON.parse(text) as SizeReport;
  return libraries.map(({ name, text: code, rodata, data, bss }) => ({
    library: name,
    code: code + rodata,
    data: data + bss,
  }));
}

/** An earlier report, out of a file or out of git; undefined, and told, where the revision has none yet. */
async function readBase(folder: string, base: string, output: string): Promise<BootReport | undefined> {
  const text = (await readIfThere(resolve(folder, base))) ?? (await readRevision(folder, base, output));
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as BootReport;
  } catch (error) {
    throw new ProjectFault('KRAFTFILE_NO_REPORT', `the report of ${base} is no JSON`, { cause: error });
  }
}

async function readRevision(folder: string, revision: string, output: string): Promise<string | undefined> {
  try {
    await run('git', ['rev-parse', '--verify', '--quiet', '--end-of-options', `${revision}^{commit}`], { cwd: folder });
  } catch (error) {
    if (!(error instanceof ProgramFault)) throw error;
    throw new ProjectFault('KRAFTFILE_NO_REPORT', `there is neither a report nor a revision of git '${revision}'`, {
      hint: 'Give the path of the JSON of an earlier report, or a branch, tag or commit.',
      cause: error,
    });
  }
  try {
    return await run('git', ['show', `${revision}:./${output}`], { cwd: folder });
  } catch (error) {
    if (!(error instanceof ProgramFault)) throw error;
    tell(`${revision} has no report at ${output} to compare with: commit one, made with --output=boot-report.json`);
    return undefined;
  }
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}

function write(path: string, text: string): Promise<void> {
  return replaceAtomically(path, (temporary) => writeFile(temporary, text));
}
