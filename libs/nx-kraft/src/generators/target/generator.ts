import { addTarget, readKraftfile } from '@nx-kraft/kraftfile';
import { type CommonOptions, asGenerator, tellAfterwards } from '../generator.ts';
import { findKraftproject } from '../kraftprojects.ts';
import { readTarget } from '../target-words.ts';

export interface TargetOptions extends CommonOptions {
  readonly project: string;
  /** Platform and architecture. */
  readonly target: string;
  readonly targetName?: string;
}

/** Adds a target to a project's Kraftfile; one that is there already stays as it is. */
export default asGenerator<TargetOptions>(async (tree, options) => {
  const { kraftfile: file, name } = await findKraftproject(tree, options.project);
  const { platform, architecture } = readTarget(options.target);
  const text = tree.read(file, 'utf8') ?? '';
  const { kraftfile } = readKraftfile(text, { file, directoryName: name });
  const named = options.targetName === undefined ? {} : { name: options.targetName };
  const isThere = kraftfile?.targets.some(
    (target) =>
      target.platform === platform &&
      target.architecture === architecture &&
      target.name === (options.targetName ?? kraftfile.name),
  );
  if (isThere === true) return tellAfterwards(`${name} has ${platform}/${architecture} already.`);
  tree.write(file, addTarget(text, { platform, architecture, ...named }, file));
  return tellAfterwards(`${name} is built for ${platform}/${architecture}, too: npx nx run ${name}:build`);
});
