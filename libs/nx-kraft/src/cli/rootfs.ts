import { resolve } from 'node:path';
import { parseMemory } from '@nx-kraft/machine/memory';
import { type RootfsRequest, buildRootfs, describeRootfs, sourceTypes } from '@nx-kraft/rootfs/build';
import { imagesWhenNeeded } from '../tasks/images-when-needed.ts';
import { buildkitHost } from '../tasks/kraft-config.ts';
import { sourceDateEpoch } from '../tasks/task.ts';
import { cleanUpOnSignal } from './clean-up-on-signal.ts';
import { command, jsonOption, print } from './command.ts';
import { pairs } from './values.ts';

export const rootfs = command({
  arguments: 'SOURCE',
  options: {
    output: { type: 'string', short: 'o', value: 'FILE', required: true, summary: 'where it goes' },
    format: { type: 'string', choices: ['cpio', 'erofs'], summary: 'default: cpio' },
    type: {
      type: 'string',
      value: 'TYPE',
      choices: sourceTypes,
      summary: 'what SOURCE is, where it should not be guessed',
    },
    context: { type: 'string', value: 'DIR', summary: 'the context of a Dockerfile' },
    'build-arg': { type: 'string', value: 'NAME[=VALUE]', multiple: true, summary: "an argument of a Dockerfile's" },
    'build-context': { type: 'string', value: 'NAME=DIR', multiple: true, summary: 'a folder that a Dockerfile names' },
    secret: { type: 'string', value: 'id=…', multiple: true, summary: 'a secret for RUN --mount=type=secret' },
    ssh: { type: 'string', value: 'ID', multiple: true, summary: 'an agent for RUN --mount=type=ssh' },
    target: { type: 'string', value: 'STAGE', summary: 'the stage to build; default: the last' },
    platform: { type: 'string', value: 'OS/ARCH', summary: "of images; default: this host's" },
    network: { type: 'string', value: 'host|none', summary: 'what RUN may reach' },
    'no-cache': { type: 'boolean', summary: 'runs every step again' },
    builder: {
      type: 'string',
      choices: ['auto', 'embedded', 'buildkit', 'docker', 'podman', 'buildah'],
      value: 'NAME',
      summary: 'what builds a Dockerfile (default: auto)',
    },
    owners: { type: 'string', choices: ['root', 'keep'], summary: 'whose the files are (default: root)' },
    modes: {
      type: 'string',
      choices: ['git', 'keep'],
      summary: "modes of this disk's files: as git knows them, or all of them (default: git)",
    },
    'hard-links': { type: 'string', choices: ['copy', 'link'], summary: 'what becomes of them (default: copy)' },
    memory: { type: 'string', value: 'SIZE', summary: 'of the machine, to tell when it is too little' },
    'buildkit-host': {
      type: 'string',
      value: 'ADDRESS',
      summary:
        "unix://, tcp:// or docker-container://; default: KRAFTKIT_BUILDKIT_HOST, buildkit_host in kraft's configuration, unix:///run/buildkit/buildkitd.sock",
    },
    ...jsonOption,
  },
  notes: 'SOURCE_DATE_EPOCH sets the times of all files; the default is 1970.',
  run: ({ values, words: [source] }) =>
    cleanUpOnSignal(async (signal) => {
      const memory = values.memory === undefined ? undefined : parseMemory(values.memory);
      const request: RootfsRequest = {
        source,
        baseDirectory: resolve(),
        time: sourceDateEpoch(),
        images: imagesWhenNeeded(undefined, {}, {}, signal),
        type: values.type,
        format: values.format,
        context: values.context,
        buildArgs: pairs(values['build-arg']),
        buildContexts: pairs(values['build-context']),
        secrets: values.secret,
        ssh: values.ssh,
        target: values.target,
        platform: values.platform,
        network: values.network,
        noCache: values['no-cache'],
        builder: values.builder,
        buildkitHost: values['buildkit-host'] ?? buildkitHost(),
        owners: values.owners ?? 'root',
        modes: values.modes ?? 'git',
        hardLinks: values['hard-links'] ?? 'copy',
        onLine: (line) => process.stderr.write(`${line}\n`),
        signal,
      };
      const result = await buildRootfs(request, values.output);
      print(values, result, () => describeRootfs(result, memory).join('\n'));
      return 0;
    }),
});
