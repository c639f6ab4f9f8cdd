import type { OtherCompilerName } from '@nx-kraft/kernel/other-compilers';

/** The file beside the Kraftfile that says what the `test` task expects of the booted unikernel. */
export const testFileName = 'kraft.test.json';

/** The file beside the Kraftfile with the settings of its deployment, and which gives the project the tasks for it. */
export const deployFileName = 'kraft.deploy.json';

/** The lock of all components, at the workspace's root. */
export const lockFileName = 'kraft.lock';

/**
 * The file in a project's folder with a digest of the modes, links and empty folders of its root file system, which Nx's
 * hashes of files leave out; no file where there is nothing of the kind.
 */
export const fileDetailsName = '.unikraft/file-details';

/** The variables with Node's program and the script that tell the same, for an input of tasks that run after others. */
export const detailsVariables = { node: 'NX_KRAFT_NODE', script: 'NX_KRAFT_DETAILS' } as const;

/** The same for what a test's guest reads through volumes. */
export const volumeDetailsName = '.unikraft/volume-details';

/** The variable with the version of the QEMU that boots an architecture; part of the keys of tests. */
export function qemuVariable(architecture: string): string {
  return `NX_KRAFT_QEMU_${architecture.toUpperCase()}`;
}

/** The variable with the version of the Firecracker that boots tests. */
export const firecrackerVariable = 'NX_KRAFT_FIRECRACKER';

/**
 * The variable with the versions of the tools that build kernels for an architecture; part of the cache keys.
 *
 * @param other  a compiler that not all kernels need: its versions have a variable of their own
 */
export function toolchainVariable(architecture: string, other?: OtherCompilerName): string {
  return ['NX_KRAFT_TOOLCHAIN', architecture, ...(other === undefined ? [] : [other])].join('_').toUpperCase();
}
