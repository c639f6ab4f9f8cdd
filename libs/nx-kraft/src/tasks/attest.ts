import type { ExecutorContext } from '@nx/devkit';
import {
  type Digest,
  type Reference,
  type RegistryClient,
  attachToImage,
  provenanceAttachment,
  repositoryName,
  signImage,
} from '@nx-kraft/oci';
import { hashedMaterials } from './materials.ts';
import { readText } from './registry.ts';
import { openSigningKey } from './signing-key.ts';
import { tell } from './task.ts';
import { pluginVersion } from './version.ts';

/** What is said about an image in its registry. */
export interface AttestOptions {
  /** Whether it is told how the image came about. */
  readonly provenance?: boolean;
  /** Who builds, as a URI. */
  readonly builder?: string;
  /** PEM file of the private key that signs, relative to the current folder. */
  readonly key?: string;
}

/** What a task knows of the workspace around it. */
export type TaskSurroundings = Pick<ExecutorContext, 'projectGraph' | 'nxJsonConfiguration' | 'projectName'>;

/** Attaches provenance to an image that the registry has, and signs it, as far as the options say so. */
export async function attestImage(
  workspaceRoot: string,
  client: RegistryClient,
  reference: Reference,
  digest: Digest,
  options: AttestOptions,
  surroundings: TaskSurroundings,
): Promise<void> {
  const { provenance, builder, key: file } = options;
  const key = file === undefined ? undefined : await openSigningKey(readText(file, 'the key'), file);
  if (provenance === true) {
    const { task, materials } = await hashedMaterials(workspaceRoot, surroundings);
    const plan = {
      name: repositoryName(reference),
      digest,
      builder: builder ?? runnerOf(process.env),
      toolVersion: pluginVersion,
      parameters: { task },
      materials,
    };
    await attachToImage(client, reference, digest, provenanceAttachment(plan, key));
    tell(`provenance with ${materials.length} materials attached`);
  }
  if (key === undefined) return;
  await signImage(client, reference, digest, key);
  tell('signed');
}

/** Who builds: the workflow of GitHub, the job of GitLab, or somebody's own machine. */
function runnerOf({
  GITHUB_SERVER_URL,
  GITHUB_WORKFLOW_REF,
  CI_SERVER_URL,
  CI_PROJECT_PATH,
}: NodeJS.ProcessEnv): string {
  if (GITHUB_SERVER_URL !== undefined && GITHUB_WORKFLOW_REF !== undefined) {
    return `${GITHUB_SERVER_URL}/${GITHUB_WORKFLOW_REF}`;
  }
  if (CI_SERVER_URL !== undefined && CI_PROJECT_PATH !== undefined) return `${CI_SERVER_URL}/${CI_PROJECT_PATH}`;
  return 'urn:nx-kraft:unattested-builder';
}
