import { type Tree, generateFiles } from '@nx/devkit';
import { defaultTargets, readTarget } from './target-words.ts';
import { templateFolder } from './template-files.ts';

export interface RuntimeKraftfile {
  readonly name: string;
  /** An image. */
  readonly runtime: string;
  /** Relative to the folder; undefined for an image that has all it needs. */
  readonly dockerfile?: string | undefined;
  /** Such as `qemu/x86_64`. */
  readonly targets?: readonly string[] | undefined;
}

/**
 * Writes a Kraftfile that builds no kernel but takes an image's.
 *
 * @throws GeneratorFault BAD_NAME for a target that there is not
 */
export function writeRuntimeKraftfile(
  tree: Tree,
  folder: string,
  { name, runtime, dockerfile, targets = defaultTargets }: RuntimeKraftfile,
): void {
  generateFiles(tree, templateFolder(), folder, {
    tmpl: '',
    name,
    runtime,
    dockerfile,
    targets: targets.map(readTarget).map(({ platform, architecture }) => `${platform}/${architecture}`),
  });
}
