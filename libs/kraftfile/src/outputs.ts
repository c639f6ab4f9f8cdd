import type { FilesystemFormat, Kraftfile, Target } from './model.ts';
import { safeName } from './safe-name.ts';

/** The folder that kraft builds in when the Kraftfile names none. */
export const defaultOutdir = '.unikraft/build';

/** Paths of a target's outputs, relative to the Kraftfile's folder and never outside of it, with `/` between parts. */
export interface OutputNames {
  /** The folder of all outputs. */
  readonly directory: string;
  /** The kernel: `<name>_<platform>-<architecture>`, as in kraft. */
  readonly kernel: string;
  /** The kernel with its symbols: the kernel's name and `.dbg`, as in kraft. */
  readonly kernelDebug: string;
  /** The finished configuration: the kernel's name and `.config` (kraft writes `.config.<kernel>` beside the Kraftfile). */
  readonly config: string;
  /** The linker's map: the kernel's name and `.map`. */
  readonly map: string;
  /** What each library takes of the kernel, as JSON. */
  readonly sizes: string;
  /** The source trees that a kernel was made of, as JSON. */
  readonly components: string;
  /** Of a runtime's kernel: which image it is from and what that says of running it, as JSON. */
  readonly runtime: string;
  /** Of a runtime's kernel: the initrd that its image has for it. */
  readonly initrd: string;
  /** The OCI image layout of all targets, a folder. */
  readonly image: string;
}

/**
 * Decides the names of everything that is made for a target. Nobody else joins paths to them. A further Kraftfile of
 * the same folder (`Kraftfile.web`) has a folder of its own inside the build folder, so that the two never overwrite
 * each other.
 */
export function outputNames(kraftfile: Kraftfile, target: Target): OutputNames {
  const directory = outputDirectory(kraftfile);
  const kernel = `${directory}/${kernelName(kraftfile, target)}`;
  return {
    directory,
    kernel,
    kernelDebug: `${kernel}.dbg`,
    config: `${kernel}.config`,
    map: `${kernel}.map`,
    sizes: `${kernel}.sizes.json`,
    components: `${kernel}.components.json`,
    runtime: `${kernel}.runtime.json`,
    initrd: `${kernel}.initrd`,
    image: imageName(kraftfile),
  };
}

/** The root filesystem for an architecture: `initramfs-<architecture>.cpio`, as in kraft. */
export function rootfsName(kraftfile: Kraftfile, architecture: string, format: FilesystemFormat = 'cpio'): string {
  return `${outputDirectory(kraftfile)}/initramfs-${safeName(architecture)}.${format}`;
}

/** What an image or Dockerfile says of running its root filesystem, beside that as JSON. */
export function runDefaultsName(kraftfile: Kraftfile, architecture: string): string {
  return `${outputDirectory(kraftfile)}/initramfs-${safeName(architecture)}.json`;
}

/** The read-only image at an index of `roms` for an architecture. */
export function romName(
  kraftfile: Kraftfile,
  index: number,
  architecture: string,
  format: FilesystemFormat = 'erofs',
): string {
  return `${outputDirectory(kraftfile)}/rom${index}-${safeName(architecture)}.${format}`;
}

/** The OCI image layout of all targets, a folder. */
export function imageName(kraftfile: Kraftfile): string {
  return `${outputDirectory(kraftfile)}/${safeName(kraftfile.name)}.oci`;
}

/** The same image as one `.oci.tar`. */
export function archiveName(kraftfile: Kraftfile): string {
  return `${imageName(kraftfile)}.tar`;
}

/** The report of the project's tests, in the form of JUnit. */
export function testReportName(kraftfile: Kraftfile): string {
  return `${outputDirectory(kraftfile)}/junit.xml`;
}

/** What boots of the project took, as JSON. */
export function bootReportName(kraftfile: Kraftfile): string {
  return `${outputDirectory(kraftfile)}/boot-report.json`;
}

/** The folder of all outputs of a Kraftfile. */
export function outputDirectory({ outdir = defaultOutdir, variant }: Kraftfile): string {
  return variant === undefined ? outdir : `${outdir}/${safeName(variant)}`;
}

function kernelName(kraftfile: Kraftfile, target: Target): string {
  const base = ({ name, platform, architecture }: Target): string =>
    `${safeName(name)}_${safeName(platform)}-${safeName(architecture)}`;
  const wanted = base(target);
  // Names that differ in letter case only are one file on some systems.
  const sharing = kraftfile.targets.filter((other) => base(other).toLowerCase() === wanted.toLowerCase());
  const index = sharing.findIndex((other) => other.id === target.id);
  return index <= 0 ? wanted : `${wanted}-${index + 1}`;
}
