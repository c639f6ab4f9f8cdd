import { type Group, command, jsonOption } from './command.ts';
import { runComponentAction } from './components.ts';

const source = command({
  arguments: '[INDEX]',
  options: jsonOption,
  notes: 'An index is the URL or the path of an index.yaml, or a git URL. Without one those in use are listed.',
  run: ({ values, words }) => runComponentAction('source', values, words),
});

const unsource = command({
  arguments: 'INDEX',
  options: jsonOption,
  run: ({ values, words }) => runComponentAction('unsource', values, words),
});

export const pkg: Group = {
  default: 'ls',
  commands: {
    ls: {
      summary: 'What the store has, or registries, or the indexes of components.',
      aliases: ['list'],
      load: async () => (await import('./pkg/ls.ts')).ls,
    },
    pull: {
      summary: 'Gets images from their registries, or components into the store of sources.',
      load: async () => (await import('./pkg/transfer.ts')).pull,
    },
    push: {
      summary: 'Sends an image to its registry, or under another name to any.',
      load: async () => (await import('./pkg/transfer.ts')).push,
    },
    info: {
      summary: 'An image: manifests, layers and what is run; or a component: channels, versions and origin.',
      load: async () => (await import('./pkg/local.ts')).info,
    },
    tag: {
      summary: 'Gives an image of the store another name as well.',
      load: async () => (await import('./pkg/local.ts')).tag,
    },
    rm: {
      summary: 'Removes names of images; prune then frees what nothing needs any more.',
      aliases: ['remove'],
      load: async () => (await import('./pkg/local.ts')).rm,
    },
    prune: {
      summary: 'Removes what no image in the store needs any more.',
      load: async () => (await import('./pkg/local.ts')).prune,
    },
    export: {
      summary: 'Writes an image into one .oci.tar, the store of kraft, or containerd.',
      load: async () => (await import('./pkg/local.ts')).exportImage,
    },
    import: {
      summary: 'Takes images from an .oci.tar, a layout, the store of kraft, or containerd.',
      load: async () => (await import('./pkg/local.ts')).importImages,
    },
    update: {
      summary: 'Learns what a registry has (unikraft.org), without pulling it; or asks the indexes of components.',
      load: async () => (await import('./pkg/transfer.ts')).update,
    },
    sign: {
      summary: 'Signs what a registry has under a name.',
      load: async () => (await import('./pkg/supply-chain.ts')).sign,
    },
    verify: {
      summary: 'Checks who has signed what a registry has under a name.',
      load: async () => (await import('./pkg/supply-chain.ts')).verify,
    },
    attachments: {
      summary: 'Lists or prints what a registry has about an image: components, provenance.',
      load: async () => (await import('./pkg/supply-chain.ts')).attachments,
    },
    login: {
      summary: 'Keeps a log-in for a registry, as nx-kraft login.',
      load: async () => (await import('./login.ts')).login,
    },
    source: { summary: 'Adds an index of components, or lists them.', load: () => source },
    unsource: { summary: 'Removes an index of components.', load: () => unsource },
  },
  notes: [
    'Components are called core/unikraft, lib/NAME and app/NAME, with :VERSION or @URL behind; or NAME alone, with',
    '--core, --libs or --apps. kraft.lock decides about versions where it has them.',
    'Only pull, push, update, sign, verify, attachments and --remote ask other machines.',
  ].join('\n'),
};
