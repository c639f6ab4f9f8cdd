import type { Kraftfile } from './model.ts';
import type { Reading } from './reading.ts';
import type { Entry } from './tree.ts';

/** Warns of what is well formed and yet not what its author can have meant. */
export function checkModel(
  reading: Reading,
  top: ReadonlyMap<string, Entry>,
  kraftfile: Kraftfile,
  exists: ((path: string) => boolean) | undefined,
): void {
  checkKernel(reading, top, kraftfile);
  checkRefusals(reading, top);
  if (exists !== undefined) checkDockerfile(reading, top, kraftfile, exists);
}

function checkKernel(reading: Reading, top: ReadonlyMap<string, Entry>, kraftfile: Kraftfile): void {
  const { unikraft, template, runtime, rootfs, roms } = kraftfile;
  const runtimeEntry = top.get('runtime');
  if (runtimeEntry?.value !== undefined && runtime === undefined) {
    reading.warn('NO_KERNEL', runtimeEntry.keyNode, "'runtime' names no image", { expected: 'name:tag, or source' });
  }
  if (runtimeEntry !== undefined && runtime !== undefined && unikraft !== undefined) {
    const message = 'The kernel is built from unikraft, so that runtime is not used';
    reading.warn('KERNEL_AND_RUNTIME', runtimeEntry.keyNode, message, {
      hint: 'Keep unikraft to build a kernel, or runtime to use a prebuilt one.',
    });
  }
  const hasImages = reading.family === 'v0.7' && (rootfs !== undefined || roms.length > 0);
  if (unikraft === undefined && template === undefined && runtimeEntry === undefined && !hasImages) {
    const [first] = top.values();
    reading.warn('NO_KERNEL', first?.keyNode ?? [0, 0], 'The file names no kernel', {
      expected: 'unikraft or template to build one, or runtime for a prebuilt one',
    });
  }
}

/** Warns of forms that are read here and that kraft refuses or passes over. */
function checkRefusals(reading: Reading, top: ReadonlyMap<string, Entry>): void {
  const warn = (key: string, isRefused: (entry: Entry) => boolean, message: string, expected: string): void => {
    const entry = top.get(key);
    if (entry?.value === undefined || !isRefused(entry)) return;
    reading.warn('NOT_READ_BY_KRAFT', entry.keyNode, message, { expected });
  };
  warn(
    'kconfig',
    () => true,
    'kraft does not read a kconfig at the top',
    'kconfig below unikraft, a library or a target',
  );
  if (reading.family === 'legacy') {
    warn('roms', () => true, 'kraft reads roms with spec v0.7 only', 'spec: v0.7');
    return;
  }
  const isMapping = ({ value }: Entry): boolean => reading.map(value) !== undefined;
  const isText = ({ value }: Entry): boolean => reading.scalar(value) !== undefined;
  warn(
    'volumes',
    (entry) => isMapping(entry) || isText(entry),
    'With spec v0.7, kraft reads volumes as a list only',
    'a list',
  );
  warn('runtime', isMapping, 'With spec v0.7, kraft reads runtime as a text only', 'name:tag');
  warn('outdir', () => true, 'With spec v0.7, kraft no longer reads outdir', 'no outdir');
}

function checkDockerfile(
  reading: Reading,
  top: ReadonlyMap<string, Entry>,
  { rootfs }: Kraftfile,
  exists: (path: string) => boolean,
): void {
  const at = top.get('rootfs')?.value;
  if (rootfs === undefined || at === undefined) return;
  const path = rootfs.dockerfile === undefined ? rootfs.source : `${rootfs.source}/${rootfs.dockerfile}`;
  const isDockerfile = rootfs.type === 'dockerfile' || (rootfs.type === undefined && looksLikeDockerfile(path));
  if (!isDockerfile || exists(path)) return;
  reading.warn('DOCKERFILE_MISSING', at, `There is no Dockerfile at '${path}'`, {
    hint: "The path is relative to the Kraftfile's folder.",
  });
}

/** Whether a path's last part is what people call a Dockerfile: `Dockerfile`, `Dockerfile.web`, `web.dockerfile`. */
function looksLikeDockerfile(path: string): boolean {
  const last = path.split(/[/\\]/).at(-1) ?? '';
  return /^dockerfile([._-]|$)|\.dockerfile$/i.test(last);
}
