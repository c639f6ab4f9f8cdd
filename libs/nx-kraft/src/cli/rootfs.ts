import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type ImageSource, type RootfsRequest, buildRootfs, describeRootfs, sourceTypes } from '@nx-kraft/rootfs';
import { buildkitHost } from '../tasks/kraft-config.ts';
import { sourceDateEpoch } from '../tasks/task.ts';
import { type Command, UsageFault } from './command.ts';
import { oneOf, pairs } from './values.ts';

export const rootfs: Command = {
  usage: 'rootfs SOURCE --output FILE [OPTION…]',
  summary: 'Makes a folder, archive, image or Dockerfile into one root file system.',
  help: [
    '  -o, --output FILE        where it goes',
    '      --format cpio|erofs  default: cpio',
    `      --type TYPE          what SOURCE is, where it should not be guessed: ${sourceTypes.join(', ')}`,
    '      --context DIR        the context of a Dockerfile',
    '      --build-arg NAME[=VALUE], --build-context NAME=DIR, --secret id=…, --ssh ID',
    '      --target STAGE, --platform OS/ARCH, --network host|none, --no-cache',
    '      --builder NAME       auto, embedded, buildkit, docker, podman or buildah',
    '      --buildkit-host ADDRESS  unix://, tcp:// or docker-container://; default: KRAFTKIT_BUILDKIT_HOST,',
    "                           buildkit_host in kraft's configuration, unix:///run/buildkit/buildkitd.sock",
    '      --json               the result as JSON',
    '',
    'SOURCE_DATE_EPOCH sets the times of all files; the default is 1970.',
  ].join('\n'),
  run: async (args) => {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        output: { type: 'string', short: 'o' },
        format: { type: 'string' },
        type: { type: 'string' },
        context: { type: 'string' },
        'build-arg': { type: 'string', multiple: true },
        'build-context': { type: 'string', multiple: true },
        secret: { type: 'string', multiple: true },
        ssh: { type: 'string', multiple: true },
        target: { type: 'string' },
        platform: { type: 'string' },
        network: { type: 'string' },
        'no-cache': { type: 'boolean' },
        builder: { type: 'string' },
        'buildkit-host': { type: 'string' },
        json: { type: 'boolean' },
      },
    });
    const [source, ...more] = positionals;
    if (source === undefined || more.length > 0) throw new UsageFault('rootfs needs one source');
    if (values.output === undefined) throw new UsageFault('rootfs needs --output FILE');
    const builders = ['auto', 'embedded', 'buildkit', 'docker', 'podman', 'buildah'] as const;
    const request: RootfsRequest = {
      source,
      baseDirectory: resolve(),
      time: sourceDateEpoch(),
      images: imagesWhenNeeded(),
      type: oneOf('--type', sourceTypes, values.type),
      format: oneOf('--format', ['cpio', 'erofs'] as const, values.format),
      context: values.context,
      buildArgs: pairs(values['build-arg']),
      buildContexts: pairs(values['build-context']),
      secrets: values.secret,
      ssh: values.ssh,
      target: values.target,
      platform: values.platform,
      network: values.network,
      noCache: values['no-cache'],
      builder: oneOf('--builder', builders, values.builder),
      buildkitHost: values['buildkit-host'] ?? buildkitHost(),
      onLine: (line) => process.stderr.write(`${line}\n`),
    };
    const result = await buildRootfs(request, values.output);
    process.stdout.write(
      values.json === true ? `${JSON.stringify(result, undefined, 2)}\n` : `${describeRootfs(result).join('\n')}\n`,
    );
    return 0;
  },
};

/** Most root file systems need no image, and loading what reads them takes longer than making those. */
function imagesWhenNeeded(): ImageSource {
  let loaded: Promise<ImageSource> | undefined;
  const load = async (): Promise<ImageSource> => (await import('../tasks/base-images.ts')).baseImages();
  return { open: async (name, platform) => (await (loaded ??= load())).open(name, platform) };
}
