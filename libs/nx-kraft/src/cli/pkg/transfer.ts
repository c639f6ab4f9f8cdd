import { join } from 'node:path';
import {
  BlobSources,
  Repository,
  formatReference,
  parseReference,
  pullImage,
  pushImage,
  readPublicKey,
  unpackImage,
  updateCatalog,
} from '@nx-kraft/oci';
import { platforms } from '../../tasks/host-target.ts';
import { transferReporter } from '../../tasks/image-progress.ts';
import { userPolicy } from '../../tasks/registry.ts';
import { settleStrategy } from '../../tasks/strategy.ts';
import { command, jsonOption, print } from '../command.ts';
import { componentOptions, isAboutComponents, runComponentAction } from '../components.ts';
import { readOptionFile } from '../option-file.ts';
import { UsageFault } from '../usage-fault.ts';
import { filterOf, platformOptions, registryOptions, withRegistries } from './options.ts';

export const strategyOption = {
  strategy: {
    type: 'string',
    value: 'WORD',
    choices: ['overwrite', 'merge', 'abort', 'prompt'],
    summary: 'when the name has another image (default: overwrite)',
  },
} as const;

export const pull = command({
  arguments: '[NAME…]',
  options: {
    ...platformOptions,
    kconfig: { type: 'string', short: 'k', value: 'OPTION', multiple: true, summary: 'CONFIG_X=y that it must have' },
    output: { type: 'string', short: 'o', value: 'DIR', summary: 'unpacks kernel and root file system there, too' },
    key: { type: 'string', value: 'FILE', summary: 'the public key that must have signed it, as PEM' },
    ...componentOptions,
    locked: { type: 'boolean', summary: 'components: all that kraft.lock has, for work without a network' },
    ...registryOptions,
    ...jsonOption,
  },
  notes:
    'Without --plat the platform is the one that most hosts run: qemu before fc and xen. A policy for signatures in\nNX_KRAFT_POLICY, in the form of containers-policy.json(5), holds for all pulls.',
  run: async ({ values, words }) => {
    if (isAboutComponents(values, words)) return runComponentAction('pull', values, words);
    if (words.length === 0) throw new UsageFault('pull needs images or components');
    const policy =
      values.key === undefined
        ? await userPolicy()
        : { rules: [{ prefix: '', keys: [readPublicKey(await readOptionFile('--key', values.key), values.key)] }] };
    return withRegistries(values, async (client, store) => {
      const pulled: { reference: string; digest: string; platforms: readonly string[] }[] = [];
      for (const word of words) {
        const reference = parseReference(word);
        const wanted = { ...filterOf(values), ...(values.kconfig === undefined ? {} : { kconfig: values.kconfig }) };
        const { end, progress } = transferReporter(process.stderr, 'received');
        const { digest, entries } = await pullImage(client, reference, store, {
          ...progress,
          ...(values.all === true ? {} : { wanted, prefer: platforms }),
          ...(policy === undefined ? {} : { policy }),
          sources: new BlobSources(store),
        }).finally(end);
        const [first] = entries;
        if (values.output !== undefined && first !== undefined) {
          await unpackImage(store.layout, first.digest, join(process.cwd(), values.output, 'unikraft/bin'));
        }
        const names = entries.map(({ platform }) => `${platform.os}/${platform.architecture}`);
        pulled.push({ reference: formatReference(reference), digest, platforms: names });
      }
      print(values, pulled.length === 1 ? pulled[0] : pulled, () =>
        pulled
          .map(({ reference, digest, platforms: names }) => `${reference}@${digest}\n  ${names.join(', ')}`)
          .join('\n'),
      );
    });
  },
});

export const push = command({
  arguments: 'NAME [TO]',
  options: { ...strategyOption, ...registryOptions, ...jsonOption },
  run: ({ values, words: [name, other] }) =>
    withRegistries(values, async (client, store) => {
      const from = await store.resolve(parseReference(name));
      const to = parseReference(other ?? name);
      const strategy = await settleStrategy(values.strategy, formatReference(to), async () => {
        const there = await new Repository(client, to).digestOf(to.tag ?? from.descriptor.digest);
        return there !== undefined && there !== from.descriptor.digest;
      });
      const { end, progress } = transferReporter(process.stderr, 'sent');
      const sources = new BlobSources(store);
      const pushed = await pushImage(client, store.layout, from, to, { sources, strategy, ...progress }).finally(end);
      print(values, pushed, () => `${pushed.reference}@${pushed.digest}${pushed.wasThere ? ' was there already' : ''}`);
    }),
});

export const update = command({
  arguments: '[REGISTRY]',
  options: { ...componentOptions, ...registryOptions, ...jsonOption },
  run: ({ values, words: [registry = 'unikraft.org'] }) => {
    if (isAboutComponents(values, [])) return runComponentAction('update', values, []);
    return withRegistries(values, async (client, store) => {
      const { updated, skipped } = await updateCatalog(client, registry, store);
      print(
        values,
        { updated: updated.map(formatReference), skipped: skipped.map(formatReference) },
        () => `${updated.length} images known, ${skipped.length} others passed over`,
      );
    });
  },
});
