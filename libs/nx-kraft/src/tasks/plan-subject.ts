import { existsSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import type { Target } from '@nx-kraft/kraftfile';
import { isKraftfileName, kraftfileNames } from '@nx-kraft/kraftfile/names';
import { type KernelRun, MachineFault, inspectKernel, inspectLinuxProgram } from '@nx-kraft/machine';
import { hostTarget } from './host-target.ts';
import { type Kraftproject, loadKraftproject, plannedTargets, ProjectFault } from './kraftproject.ts';
import { machineSettings } from './machine-options.ts';
import { planMachine, type ProjectMachineOptions } from './machine-plan.ts';
import type { NetworkOptions } from './network.ts';

/** What to boot outside of an Nx project, and how. */
export interface SubjectOptions extends ProjectMachineOptions, NetworkOptions {
  /** Of a Kraftfile's target, an image, or a kernel file; default: qemu. */
  readonly platform?: string | undefined;
  /** Of a Kraftfile's target, or an image; default: the host's. */
  readonly architecture?: string | undefined;
  /** Any root file system, in place of the one that there is. */
  readonly rootfs?: string | undefined;
  /** The image that runs a Kraftfile's files or a program of Linux; default: the Kraftfile's own, and the public one. */
  readonly runtime?: string | undefined;
  /** Gets what a builder of the root file system says. */
  readonly onLine?: (line: string) => void;
}

/**
 * Plans a machine for whatever can be booted: a folder with a Kraftfile, or the Kraftfile, whose target has been built; a
 * kernel's file; a program of Linux, with a runtime for it; or else the name of an image, which is pulled where the store
 * does not have it. Paths are relative to the current folder.
 *
 * @throws ProjectFault, MachineFault, OciFault, RegistryFault, RootfsFault
 */
export async function planSubject(subject: string, options: SubjectOptions): Promise<KernelRun> {
  const path = resolve(subject);
  const stats = statSync(path, { throwIfNoEntry: false });
  let run: KernelRun;
  // What knows images and root file systems is loaded only where it has a part in the run.
  if (stats === undefined && !isPath(subject)) {
    refuseRuntime(subject, options);
    run = await (await import('./plan-image.ts')).planImage(subject, options);
  } else if (stats?.isDirectory() === true) run = await planProject(findKraftfile(path), options);
  else if (isKraftfileName(basename(path))) run = await planProject(path, options);
  else run = await planFile(path, options);
  if (options.rootfs === undefined) return run;
  const { withRootfs } = await import('./run-rootfs.ts');
  return withRootfs(run, options.rootfs, options);
}

/** Whether a word can only be meant as a path; that there is nothing is then told as such. */
function isPath(subject: string): boolean {
  return /^\.{0,2}\//.test(subject) || isKraftfileName(basename(subject));
}

function findKraftfile(folder: string): string {
  const name = kraftfileNames.find((candidate) => existsSync(join(folder, candidate)));
  if (name !== undefined) return join(folder, name);
  throw new ProjectFault('KRAFTFILE_NO_TARGET', 'there is no Kraftfile in this folder', {
    at: folder,
    hint: 'Name a folder with one, a kernel file, or an image.',
  });
}

async function planProject(kraftfile: string, options: SubjectOptions): Promise<KernelRun> {
  const project = await loadKraftproject('', kraftfile);
  const { rootfs: own, ...others } = project.kraftfile;
  // A root file system that gives way to another one need not have been made.
  const givesWay = own !== undefined && options.rootfs !== undefined;
  const chosen = options.for ?? chooseByParts(project, options)?.id;
  const planned = givesWay ? { ...project, kraftfile: others } : project;
  const planOptions = chosen === undefined ? options : { ...options, for: chosen };
  if (options.runtime === undefined) return planMachine(planned, planOptions, resolve());
  const { planOnRuntime } = await import('./plan-on-runtime.ts');
  return planOnRuntime(planned, options.runtime, planOptions);
}

/** The target that this host runs best of those with the platform and the architecture that were asked for. */
function chooseByParts(
  { file, kraftfile }: Kraftproject,
  { platform, architecture }: SubjectOptions,
): Target | undefined {
  if (platform === undefined && architecture === undefined) return undefined;
  const targets = plannedTargets(kraftfile);
  const fitting = targets.filter(
    (target) =>
      target.platform === (platform ?? target.platform) &&
      target.architecture === (architecture ?? target.architecture),
  );
  const chosen = hostTarget(fitting);
  if (chosen !== undefined) return chosen;
  throw new ProjectFault('KRAFTFILE_NO_TARGET', `there is no target ${platform ?? '*'}/${architecture ?? '*'}`, {
    at: file,
    hint: `Its targets: ${targets.map(({ id }) => id).join(', ')}.`,
  });
}

async function planFile(path: string, options: SubjectOptions): Promise<KernelRun> {
  const program = existsSync(path) ? await inspectLinuxProgram(path) : undefined;
  if (program === undefined) return planKernelFile(path, options);
  const { planProgram } = await import('./plan-program.ts');
  return planProgram(path, program, options);
}

async function planKernelFile(kernel: string, options: SubjectOptions): Promise<KernelRun> {
  refuseRuntime(kernel, options);
  const { architecture } = inspectKernel(kernel);
  const { args = [], platform = 'qemu' } = options;
  return { kernel, architecture, platform, args, ...(await machineSettings(options, resolve(), {})) };
}

/** An image and a kernel's file are run as they are. */
function refuseRuntime(subject: string, { runtime }: SubjectOptions): void {
  if (runtime === undefined) return;
  throw new MachineFault('MACHINE_BAD_ARGUMENT', `there is a kernel in ${subject}, which takes no other runtime`, {
    hint: 'A runtime is for a folder with a Kraftfile, or a program of Linux.',
  });
}
