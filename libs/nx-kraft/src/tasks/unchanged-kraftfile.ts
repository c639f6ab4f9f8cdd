import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { TaskContext } from '../local-cache/taken.ts';
import { beganVariable } from './began.ts';
import { changed } from './source-changed.ts';

/**
 * Makes sure that nobody has touched the Kraftfile of a task whose result is kept: what counts of it was put into the key when
 * the command began, whatever the task has waited for since.
 *
 * @throws ProjectFault SOURCE_CHANGED
 */
export function checkKraftfile({ root, projectName = '', targetName = '', projectGraph }: TaskContext): void {
  const target = projectGraph.nodes[projectName]?.data.targets?.[targetName];
  const { kraftfile } = (target?.options ?? {}) as { readonly kraftfile?: string };
  const began = process.env[beganVariable];
  if (target?.cache !== true || kraftfile === undefined || began === undefined) return;
  const stats = statSync(join(root, kraftfile), { throwIfNoEntry: false });
  if (stats !== undefined && stats.ctimeMs > Number(began)) throw changed(kraftfile, '');
}
