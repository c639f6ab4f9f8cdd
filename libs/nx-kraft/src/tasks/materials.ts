import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Material } from '@nx-kraft/oci';
import type { TaskSurroundings } from './attest.ts';
import { type HashedInputs, hashedInputs } from './hashed-inputs.ts';
import { ProjectFault, loadKraftproject } from './kraftproject.ts';
import { tell } from './task.ts';
import { readUsedComponents } from './used-components.ts';

/**
 * What went into a project's image: all that Nx hashes for its package task and the tasks that this needs, so far as
 * this version of Nx tells. Files are told with their digests, components of kernels with their commits, variables by
 * their names alone, since some are secret.
 */
export async function hashedMaterials(
  workspaceRoot: string,
  { projectGraph, nxJsonConfiguration, projectName = '' }: TaskSurroundings,
): Promise<{ readonly task: string; readonly materials: readonly Material[] }> {
  const targets = projectGraph.nodes[projectName]?.data.targets ?? {};
  const [target, config] = Object.entries(targets).find(([, { executor }]) => executor === 'nx-kraft:package') ?? [];
  if (target === undefined) {
    throw new ProjectFault('KRAFTFILE_NOT_BUILT', 'there is no package task to tell the inputs of', {
      at: projectName,
    });
  }
  const inputs = await hashedInputs(workspaceRoot, { projectGraph, nxJsonConfiguration }, projectName, target);
  if (inputs === undefined) {
    tell('warning: this version of Nx does not tell what it hashes, so the provenance names sources with commits only');
  }
  const all = (pick: (input: HashedInputs) => readonly string[]) => [...new Set((inputs ?? []).flatMap(pick))];
  const files = all((input) => input.files).map(async (path) => ({
    uri: `file:${path}`,
    digest: { sha256: await digestFile(join(workspaceRoot, path)) },
  }));
  const project = await loadKraftproject(
    workspaceRoot,
    String((config?.options as { kraftfile?: string } | undefined)?.kraftfile),
  );
  const components = (await readUsedComponents(project)).flatMap(({ url, revision }) =>
    url === undefined || revision === undefined ? [] : [{ uri: `git+${url}`, digest: { gitCommit: revision } }],
  );
  return {
    task: `${projectName}:${target}`,
    materials: [
      ...(await Promise.all(files)),
      ...new Map(components.map((component) => [component.uri, component])).values(),
      ...all((input) => input.environment).map((name) => ({ uri: `env:${name}`, digest: {} })),
      ...all((input) => input.runtime).map((command) => ({ uri: `runtime:${command}`, digest: {} })),
      ...all((input) => input.external).map((name) => ({ uri: `nx:${name}`, digest: hashOf(projectGraph, name) })),
    ],
  };
}

function hashOf({ externalNodes }: TaskSurroundings['projectGraph'], name: string): Readonly<Record<string, string>> {
  const hash = externalNodes?.[name]?.data.hash;
  return hash === undefined ? {} : { nx: hash };
}

async function digestFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}
