import { posix } from 'node:path';
import type { Tree } from '@nx/devkit';
import { type Loss, addTarget, readKraftfile, upgradeKraftfile } from '@nx-kraft/kraftfile';
import { GeneratorFault } from '../fault.ts';
import { type CommonOptions, asGenerator, tellAfterwards } from '../generator.ts';
import { findKraftfiles } from '../kraftprojects.ts';
import { defaultRuntime } from '../../tasks/needs.ts';
import { findPlace, readFolder } from '../place.ts';
import { writeRuntimeKraftfile } from '../runtime-kraftfile.ts';
import { defaultTargets, readTarget } from '../target-words.ts';
import { checkCommitted } from '../uncommitted.ts';

export interface ConvertOptions extends CommonOptions {
  readonly directory: string;
  readonly to?: 'v0.6' | 'v0.7';
  readonly runtime?: string;
  readonly targets?: readonly string[];
  readonly force?: boolean;
}

/** Takes over what was made for kraft or for Docker: Kraftfiles of older versions, or a folder with a Dockerfile. */
export default asGenerator<ConvertOptions>(async (tree, options) => {
  const folder = readFolder(tree, options.directory);
  if (!tree.exists(folder)) throw new GeneratorFault('NOT_FOUND', `there is no folder ${folder}`);
  const inside = folder === '.' ? '' : `${folder}/`;
  const kraftfiles = (await findKraftfiles(tree)).filter((file) => file.startsWith(inside));
  if (kraftfiles.length > 0) return upgrade(tree, kraftfiles, options);
  const dockerfile = ['Dockerfile', 'Containerfile'].find((name) => tree.exists(posix.join(folder, name)));
  if (dockerfile !== undefined) return adopt(tree, folder, dockerfile, options);
  throw new GeneratorFault('NOTHING_TO_DO', `${folder} has neither a Kraftfile nor a Dockerfile`, {
    hint: 'For something new: nx g nx-kraft:app apps/web',
  });
});

async function upgrade(tree: Tree, files: readonly string[], options: ConvertOptions) {
  const { to = 'v0.6', force = false, targets = defaultTargets } = options;
  const results = files.map((file) => {
    const before = tree.read(file, 'utf8') ?? '';
    const { text, losses } = upgradeOne(before, to, file);
    return { file, losses, isChanged: text !== before, text: withTargets(text, file, targets) };
  });
  const losses = results.flatMap(({ file, losses }) => losses.map((loss) => formatLoss(file, loss)));
  if (losses.length > 0 && !force) {
    throw new GeneratorFault('WOULD_LOSE', `${to} cannot say all that is there:\n  ${losses.join('\n  ')}`, {
      hint: 'Nothing was changed. Give --force to go on without it.',
    });
  }
  const changed = results.filter(({ file, text }) => text !== tree.read(file, 'utf8'));
  for (const { file, text } of changed) {
    if (!force) await checkCommitted(tree, file, 'would be rewritten');
    tree.write(file, text);
  }
  return tellAfterwards(
    ...(changed.length === 0
      ? [`Everything is ${to} or newer already.`]
      : changed.map(({ file }) => `${file} is ${to} now.`)),
    ...losses.map((loss) => `Lost: ${loss}`),
  );
}

/** @throws KraftfileFault with the file in its place */
function upgradeOne(text: string, to: 'v0.6' | 'v0.7', file: string): ReturnType<typeof upgradeKraftfile> {
  const { kraftfile } = readKraftfile(text, { file, directoryName: 'app' });
  if (kraftfile !== undefined && kraftfile.spec >= to) return { text, losses: [] };
  return upgradeKraftfile(text, to, file);
}

/** Without a target there is nothing to build. */
function withTargets(text: string, file: string, targets: readonly string[]): string {
  const { kraftfile } = readKraftfile(text, { file, directoryName: 'app' });
  if (kraftfile === undefined || kraftfile.targets.length > 0) return text;
  return targets.map(readTarget).reduce((now, target) => addTarget(now, target, file), text);
}

async function adopt(tree: Tree, folder: string, dockerfile: string, options: ConvertOptions) {
  const { runtime = defaultRuntime, targets } = options;
  const { name } = await findPlace(tree, { directory: folder });
  writeRuntimeKraftfile(tree, folder, { name, runtime, dockerfile, targets });
  return tellAfterwards(
    `${name} has a Kraftfile now. Next:`,
    `  npx nx run ${name}:lint     # look whether all is well`,
    `  npx nx run ${name}:run      # build and boot it; --ports=8080:8080 to reach it, --memory=256Mi for more memory`,
  );
}

function formatLoss(file: string, { message, line, column }: Loss): string {
  return `${file}:${line}:${column}: ${message}`;
}
