import { describe, expect, test } from 'vitest';
import { taskNames } from '../options.ts';
import { ExternalNodes } from './external-nodes.ts';
import type { LockSummary } from './lock.ts';
import { assignProjectNames } from './project-names.ts';
import { summarize } from './summary.ts';
import { inferProject } from './targets.ts';

const kraftfile = `
spec: v0.6
name: web
unikraft: { source: ../../core, kconfig: { CONFIG_A: 'y' } }
rootfs: ./rootfs
cmd: ["/web"]
targets:
  - qemu/x86_64
  - { plat: fc, arch: arm64, kconfig: { CONFIG_B: 'y' } }
`;

/** What lies around the Kraftfile. */
interface Around {
  readonly hasManifest: boolean;
  readonly declared: readonly string[];
  readonly missing: readonly string[];
  readonly haveKernels: boolean;
  readonly folder: string;
  /** The plugin's version. */
  readonly salt: string;
  /** The options that tasks may get. */
  readonly variants: Readonly<Record<string, readonly Readonly<Record<string, unknown>>[]>>;
}

const noLock: LockSummary = { components: new Map(), images: new Map() };

function infer(text: string, options = {}, lock = noLock, around: Partial<Around> = {}) {
  const {
    hasManifest = false,
    declared = [],
    missing = [],
    haveKernels = false,
    folder = 'apps/web',
    salt = '1',
  } = around;
  const file = `${folder}/Kraftfile`;
  const summary = summarize({ text, file, directoryName: 'web', env: {} });
  const remote = summary.components.filter(({ folder }) => folder === undefined).map(({ key }) => key);
  return inferProject(
    {
      name: 'web',
      kraftfile: file,
      summary,
      facts: {
        hasMakefile: true,
        hasManifest,
        isDeployed: false,
        missing,
        declared,
        kernels: {
          remote,
          folders: [{ path: 'core', isPassedOver: false }],
          files: [],
          taken: [],
          notCompiled: [],
          compilers: [],
          environment: [],
          reachesOutside: false,
        },
        rootfs: {
          files: ['apps/web/rootfs/**/*'],
          isLinked: false,
          isMade: false,
          images: [],
          environment: [],
          reachesOutside: false,
        },
        volumes: { files: [], isMade: false, reachesOutside: false },
      },
      settings: { variants: (task) => around.variants?.[task] ?? [{}], waits: () => false },
      neighbours: { images: {}, folders: ['core'], haveKernels },
      lock,
      nodes: new ExternalNodes(lock),
      salt,
      pluginInputs: [],
    },
    taskNames(options),
  );
}

/** The parts of the Kraftfile whose digest differs between two texts. */
function changedParts(before: string, after: string): readonly string[] {
  const [a, b] = [infer(before).externalNodes, infer(after).externalNodes];
  return Object.keys({ ...a, ...b })
    .filter((part) => a[part]?.data.version !== b[part]?.data.version)
    .map((part) => part.replace('kraft:web:', ''));
}

describe('the tasks of a Kraftfile', () => {
  test('are one for each target, and those for all of them', () => {
    const { targets = {} } = infer(kraftfile).project;
    expect(Object.keys(targets)).toEqual([
      'build',
      'build:qemu-x86_64',
      'build:fc-arm64',
      'rootfs',
      'package',
      'push',
      'load',
      'nx-release-publish',
      'test',
      'run',
      'stop',
      'debug',
      'boot-report',
      'config',
      'menuconfig',
      'set',
      'unset',
      'verify-reproducible',
      'lint',
    ]);
    expect(targets.build?.dependsOn).toEqual(['build:qemu-x86_64', 'build:fc-arm64']);
    // Without outputs that are named Nx takes folders like `dist` for those of tasks that are named so.
    expect(targets.build).toMatchObject({ cache: true, outputs: [] });
    expect(targets.run).toMatchObject({ continuous: true, dependsOn: ['build:qemu-x86_64', 'rootfs'] });
    expect(targets['build:fc-arm64']?.outputs).toEqual([
      '{projectRoot}/.unikraft/build/web_fc-arm64',
      '{projectRoot}/.unikraft/build/web_fc-arm64.dbg',
      '{projectRoot}/.unikraft/build/web_fc-arm64.config',
      '{projectRoot}/.unikraft/build/web_fc-arm64.map',
      '{projectRoot}/.unikraft/build/web_fc-arm64.sizes.json',
      '{projectRoot}/.unikraft/build/web_fc-arm64.components.json',
      '{projectRoot}/.unikraft/seals/build-fc-arm64.json',
    ]);
  });

  test('wait with the root file system for all that it may be made from, and for no kernels where that can be told', () => {
    const before = (around: Partial<Around>) => infer(kraftfile, {}, noLock, around).project.targets?.rootfs?.dependsOn;
    expect(before({})).toEqual(['^build']);
    expect(before({ haveKernels: true })).toEqual([]);
    expect(before({ haveKernels: true, declared: ['pages'] })).toEqual([{ projects: ['pages'], target: 'build' }]);
    // By a manifest Nx finds dependencies that are not known here.
    expect(before({ haveKernels: true, declared: ['pages'], hasManifest: true })).toEqual(['^build']);
  });

  test('can have other names', () => {
    const { targets = {} } = infer(kraftfile, { buildTargetName: 'kernel', runTargetName: 'boot' }).project;
    expect(Object.keys(targets)).toEqual(expect.arrayContaining(['kernel:fc-arm64', 'kernel', 'boot']));
    expect(targets.boot?.dependsOn).toEqual(['kernel:qemu-x86_64', 'rootfs']);
  });

  test('boot the targets that their options name, which are made before, and else the best of the host', () => {
    const variants = { test: [{ for: 'fc-arm64' }], run: [{}, { for: 'fc-arm64' }], debug: [{ for: 'none' }] };
    const { targets = {} } = infer(kraftfile, {}, noLock, { variants }).project;
    expect(targets.test?.dependsOn).toEqual(['build:fc-arm64', 'rootfs']);
    expect(targets.run?.dependsOn).toEqual(['build:qemu-x86_64', 'build:fc-arm64', 'rootfs']);
    expect(targets.debug?.dependsOn).toEqual(['rootfs']);
    expect(targets['boot-report']?.dependsOn).toEqual(['build:qemu-x86_64', 'rootfs']);
    expect(JSON.stringify(targets.test?.inputs)).toContain('NX_KRAFT_FIRECRACKER');
    expect(JSON.stringify(targets.test?.inputs)).not.toContain('NX_KRAFT_QEMU');
  });

  test('all say what they do', () => {
    for (const target of Object.values(infer(kraftfile).project.targets ?? {})) {
      expect(target.metadata?.description).toMatch(/^[A-Z].{10}/);
    }
  });

  test('keep the root file system out of the kernel’s inputs', () => {
    expect(infer(kraftfile).project.targets?.['build:qemu-x86_64']?.inputs).toEqual(
      expect.arrayContaining(['{projectRoot}/**/*', '!{projectRoot}/rootfs/**/*', '{workspaceRoot}/core/**/*']),
    );
  });

  test('of a folder that a glob would take for something else are found there all the same', () => {
    const { targets } = infer(kraftfile, {}, noLock, { folder: 'apps/[web]' }).project;
    expect(targets?.['build:fc-arm64']?.outputs).toContain('{workspaceRoot}/apps/?web?/.unikraft/build/web_fc-arm64');
    expect(targets?.['build:fc-arm64']?.inputs).toContain('{workspaceRoot}/apps/[[]web]/**/*');
  });

  test('of a broken Kraftfile tell what is wrong', () => {
    const { project } = infer('spec: v0.6\ntargets: [qemu]\n');
    expect(project.metadata?.description).toContain('apps/web/Kraftfile:2');
    expect(project.targets?.build).toMatchObject({ executor: 'nx-kraft:lint' });
  });
});

describe('a change of the Kraftfile reaches only the tasks that it concerns:', () => {
  const cases: readonly (readonly [string, string, string, readonly string[]])[] = [
    ['cmd', '/web', '/web2', ['package', 'test']],
    ['the kconfig of one target', "CONFIG_B: 'y'", "CONFIG_B: 'n'", ['build:fc-arm64']],
    ['the kconfig of the core', "CONFIG_A: 'y'", "CONFIG_A: 'n'", ['build:qemu-x86_64', 'build:fc-arm64']],
    ['a comment', 'spec: v0.6', '# note\nspec: v0.6', []],
    ['the order of keys', 'plat: fc, arch: arm64', 'arch: arm64, plat: fc', []],
  ];
  test.each(cases)('%s', (_what, from, to, parts) => {
    expect(kraftfile).toContain(from);
    expect(changedParts(kraftfile, kraftfile.replace(from, to))).toEqual(parts);
  });
});

test('another version of the plugin changes the part of the Kraftfile in every key', () => {
  const versions = (salt: string) =>
    Object.values(infer(kraftfile, {}, noLock, { salt }).externalNodes).map(({ data }) => data.version);
  const [before, after] = [versions('1'), versions('2')];
  expect(before).toHaveLength(5);
  expect(after.filter((version) => before.includes(version))).toEqual([]);
});

test('what is locked is an input by its field, and what is not keeps the task from being cached', () => {
  const remote = kraftfile.replace('source: ../../core', "version: '0.17'");
  const field = 'components.core/unikraft@0%2E17';
  const task = (lock: LockSummary) => infer(remote, {}, lock).project.targets?.['build:qemu-x86_64'];
  expect(task({ ...noLock, components: new Map([['core/unikraft@0.17', {}]]) })).toMatchObject({
    cache: true,
    inputs: expect.arrayContaining([{ json: '{workspaceRoot}/kraft.lock', fields: [field] }]) as unknown[],
  });
  expect(task(noLock)?.cache).toBe(false);
});

test('projects keep their Kraftfile’s name unless two share it or Nx could not take it', () => {
  const names = assignProjectNames(
    new Map([
      ['apps/a', 'nginx'],
      ['apps/b', 'nginx'],
      ['apps/c', 'redis'],
      ['apps/d', 'with space'],
      ['.', 'a:b'],
    ]),
  );
  expect([...names.values()]).toEqual(['apps-a', 'apps-b', 'redis', 'apps-d', 'a-b']);
});

test('a Kraftfile is checked anew by another version of the plugin, and without its Dockerfile', () => {
  const text = 'spec: v0.6\nruntime: base\nrootfs: ./Dockerfile\n';
  const inputs = (broken: string, around: Partial<Around>): string => {
    const { project, externalNodes } = infer(`${text}${broken}`, {}, noLock, around);
    const taken = JSON.stringify(project.targets?.lint?.inputs);
    const nodes = Object.values(externalNodes).filter(({ name }) => taken.includes(name));
    return `${taken} ${JSON.stringify(nodes)}`;
  };
  for (const broken of ['', 'targets: [qemu]\n']) {
    expect(inputs(broken, { salt: '1' })).not.toBe(inputs(broken, { salt: '2' }));
  }
  expect(inputs('', { missing: ['./Dockerfile'] })).not.toBe(inputs('', {}));
});
