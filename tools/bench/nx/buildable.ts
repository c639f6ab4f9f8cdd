// Applications that are built in no time: what is measured is all but the compiler.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { coreThat, imageFor } from '../../../libs/nx-kraft/test/stand-in-core.ts';
import type { Files } from './shapes.ts';

/** A core that joins its inputs, at the place where {@link buildable} applications look for it. */
export async function writeCore(workspace: string): Promise<void> {
  await mkdir(join(workspace, 'core'), { recursive: true });
  await writeFile(
    join(workspace, 'core/Makefile'),
    coreThat('cat $(C) $(A)/src/*.c > $(O)/image', imageFor('qemu-x86_64', 'fc-x86_64')),
  );
}

/** Two kernels, a root file system, and an image of them. */
export function buildable(index: number): Files {
  return {
    Kraftfile: `spec: v0.6
name: app${index}
unikraft: { source: ../../../core, kconfig: { CONFIG_APP: '${index}' } }
rootfs: ./rootfs
cmd: ["/app${index}"]
targets: [qemu/x86_64, fc/x86_64]
`,
    'Makefile.uk': '',
    'src/main.c': `int main(void) { return ${index}; }\n`,
    'rootfs/file': `${index}\n`,
  };
}
