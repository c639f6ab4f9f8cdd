import { type SectionSizes, type SizeReport, buildKernel } from '@nx-kraft/kernel';
import { outputNames } from '@nx-kraft/kraftfile/outputs';
import { judgeDropped } from './dropped-options.ts';
import { findTarget, loadKraftproject } from './kraftproject.ts';
import { planKernel } from './plan-kernel.ts';
import { stepReporter } from './progress.ts';
import type { RuntimeOptions } from './runtime.ts';
import { sourceDateEpoch, tell } from './task.ts';
import { writeUsedComponents } from './used-components.ts';

export interface BuildOptions extends RuntimeOptions {
  /** The Kraftfile, relative to the workspace. */
  readonly kraftfile: string;
  /** The target's id. */
  readonly target: string;
  /** Parallel jobs of make. */
  readonly jobs?: number;
  /** Whether an option that did not stick fails the build (default: one that the Kraftfile itself asks for). */
  readonly strict?: boolean;
}

/**
 * Builds the kernel of one target from source and tells which options did not stick, or takes the kernel of the runtime.
 *
 * @returns the local files that compilers have read; absolute paths behind all links
 */
export async function buildTarget(
  workspaceRoot: string,
  options: BuildOptions,
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const project = await loadKraftproject(workspaceRoot, options.kraftfile);
  const target = findTarget(project, options.target);
  const { unikraft, template, runtime } = project.kraftfile;
  if (unikraft === undefined && template === undefined && runtime !== undefined) {
    const { takeRuntime } = await import('./runtime.ts');
    await takeRuntime(workspaceRoot, project, target, options);
    return new Set();
  }
  const { plan, downloads, components } = await planKernel(workspaceRoot, project, target, options, signal);
  const { end, ...progress } = stepReporter(process.stdout);
  const built = await buildKernel(plan, {
    signal,
    sourceDateEpoch: sourceDateEpoch(),
    downloads,
    onDropped: (dropped) => judgeDropped(project, target, dropped, options.strict),
    ...progress,
    ...(options.jobs && { jobs: options.jobs }),
  }).finally(end);

  if (!built.canonical) {
    tell(noNamespaces);
  }
  for (const url of await downloads.unpinned()) {
    tell(`warning: ${url} has no checksum, neither of its library nor in kraft.lock; nx sync adds it`);
  }
  await writeUsedComponents(project, target, components);
  const { kernel } = outputNames(project.kraftfile, target);
  tell(`${kernel}${built.shared ? ', from objects that another build had compiled' : ''}`);
  tell(describeSizes(built.sizes));
  return built.read;
}

const noNamespaces = `note: this system allows no mount namespaces, so the kernel holds paths of this machine, and objects are not shared
  A container allows them with --cap-add=SYS_ADMIN and --security-opt apparmor=unconfined, Ubuntu with
  sysctl kernel.apparmor_restrict_unprivileged_userns=0.`;

/** One line with the size of a kernel and of what takes most of it. */
function describeSizes({ total, libraries }: SizeReport): string {
  const largest = libraries.slice(0, 3).map((library) => `${library.name} ${inKibibytes(library)}`);
  return `${inKibibytes(total)} in memory${largest.length === 0 ? '' : `; largest: ${largest.join(', ')}`}`;
}

function inKibibytes({ text, rodata, data, bss }: SectionSizes): string {
  return `${Math.ceil((text + rodata + data + bss) / 1024)} KiB`;
}
