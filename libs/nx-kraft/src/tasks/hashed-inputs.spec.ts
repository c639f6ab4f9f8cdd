import { expect, test } from 'vitest';
import { hashedInputs } from './hashed-inputs.ts';

const surroundings = { projectGraph: { nodes: {}, dependencies: {} }, nxJsonConfiguration: {} };
const inputsBy = (load: () => Promise<object>) => hashedInputs('/workspace', surroundings, 'app', 'package', load);

/** A module of Nx that tells this of a task. */
function inspecting(told: object): () => Promise<object> {
  class HashPlanInspector {
    readonly root: string;
    constructor(_graph: object, root: string) {
      this.root = root;
    }
    async init(): Promise<void> {}
    inspectTaskInputs({ project, target }: { project: string; target: string }) {
      return { [`${this.root}:${project}:${target}`]: told };
    }
  }
  return () => Promise.resolve({ HashPlanInspector });
}

test('what Nx hashes is told for the task', async () => {
  const told = { files: ['a'], environment: [], runtime: [], external: [] };
  expect(await inputsBy(inspecting(told))).toEqual([told]);
});

test('a version of Nx that tells it otherwise, or no more, is none that tells it', async () => {
  expect(await inputsBy(inspecting({ files: ['a'] }))).toBeUndefined();
  expect(await inputsBy(() => Promise.resolve({ HashPlanInspector: class {} }))).toBeUndefined();
  expect(await inputsBy(() => Promise.resolve({}))).toBeUndefined();
  const gone = Object.assign(new Error('not exported'), { code: 'ERR_PACKAGE_PATH_NOT_EXPORTED' });
  expect(await inputsBy(() => Promise.reject(gone))).toBeUndefined();
  await expect(inputsBy(() => Promise.reject(new TypeError('broken')))).rejects.toThrow('broken');
});
