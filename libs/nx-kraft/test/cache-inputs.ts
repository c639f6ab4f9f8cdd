import { chmod, cp, mkdir, rename, rm, symlink, utimes } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { coreThat, imageFor } from './stand-in-core.ts';
import type { TestWorkspace } from './workspace.ts';

/** One thing that may change in the workspace of {@link writeSources}, and the tasks that must run again for it. */
export interface InputCase {
  readonly change: (workspace: TestWorkspace) => Promise<unknown>;
  readonly ran: readonly string[];
}

/** What runs in that workspace before and after each change. */
export const allTasks = ['run-many', '-t', 'build', 'rootfs', 'package', 'lint'] as const;

/** The Makefile of a core that joins its inputs: what counts is which tasks run. */
export const standInCore = coreThat(
  'cat $(C) $(A)/*.c $(A)/include/*.h $(foreach folder,$(subst :, ,$(L)),$(folder)/lib.c) > $(O)/image',
  imageFor('qemu-x86_64', 'fc-x86_64', 'qemu-arm64'),
);

const kraftfile = `spec: v0.6
name: web
unikraft: { source: ../../core, kconfig: { CONFIG_A: 'y' } }
libraries:
  one: { source: ../../libs/one, kconfig: { CONFIG_ONE: 'y' } }
  two: { source: ../../libs/two }
rootfs: ./rootfs
cmd: ["/web"]
env: { COLOR: "\${WEB_COLOR:-red}" }
labels: { team: a }
volumes: [./data:/data]
targets:
  - qemu/x86_64
  - { plat: fc, arch: x86_64, kconfig: { CONFIG_B: 'y' } }
`;

const image = `spec: v0.6
name: image
unikraft: { source: ../../core }
rootfs: ./Dockerfile
targets: [qemu/x86_64]
`;

const embedded = `spec: v0.6
name: embedded
unikraft: { source: ../../core, kconfig: { CONFIG_LIBVFSCORE_AUTOMOUNT_CI_EINITRD: 'y' } }
rootfs: ./files
targets: [qemu/x86_64]
`;

const flat = `spec: v0.7
name: flat
unikraft: { source: ../../core }
rootfs: { source: ./files, format: erofs }
libraries: { odd: { source: '../../libs/odd[1]' } }
roms: [{ source: ./rom, format: cpio }]
outdir: made
targets: [qemu/x86_64]
`;

const templated = `spec: v0.6
name: templated
template: { source: ../../template }
targets: [qemu/x86_64]
`;

const template = `spec: v0.6
name: template
unikraft: { source: ../core, kconfig: { CONFIG_T: 'y', CONFIG_V: "\${TEMPLATE_V:-y}" } }
targets: [fc/x86_64]
`;

const taken = `spec: v0.6
name: taken
runtime: kernel://./made/kernel
targets: [qemu/x86_64]
`;

const odd = `spec: v0.7
name: odd
runtime: kernel://./made/kernel
rootfs: ./Dockerfile
roms: [{ source: ./rom, format: cpio }]
targets: [qemu/x86_64, qemu/arm64]
`;

const withGo = 'LIBTWO_SRCS-y += $(LIBTWO_BASE)/two.go\nLIBTWO_CFLAGS-$(call have_clang) += -Wall\n';

/**
 * The sources that the cases change: `web` with a folder as its root file system, two local libraries and two targets,
 * `image` with a Dockerfile, `embedded` whose kernel holds its root file system, `flat` with an image of the EROFS kind and
 * a read-only image, `templated` with a template, `taken`, whose kernel is a file, and `odd`, whose Dockerfile takes what is
 * hard to see.
 * The core is a stand-in that joins its inputs: what counts is which tasks run.
 */
export async function writeSources(workspace: TestWorkspace): Promise<void> {
  const files: Readonly<Record<string, string>> = {
    'core/Makefile': standInCore,
    'core/plat/start.c': 'start',
    'libs/one/Makefile.uk': 'LIBONE_CINCLUDES-y += -I$(LIBONE_BASE)/../common\n',
    'libs/one/lib.c': 'one',
    'libs/one/COPYING.md': 'one',
    'libs/common/lib.h': 'common',
    'libs/deep/two/Makefile.uk': withGo,
    'libs/deep/two/lib.c': 'two',
    'libs/deep/other/Makefile.uk': withGo,
    'libs/deep/other/lib.c': 'other',
    'apps/web/Kraftfile': kraftfile,
    'apps/web/Makefile.uk':
      '$(eval $(call addlib,web))\nWEB_SRCS-y += $(WEB_BASE)/../common/common.c\ninclude $(APP_BASE)/../current/rules.mk\n' +
      'WEB_CFLAGS-y += -DMODE=$(MODE)\nWEB_SRCS-y += $(WEB_BASE)/out/part.c\n',
    'apps/web/.gitignore': 'gen.*\n/out\n',
    'apps/releases/one/rules.mk': 'one',
    'apps/releases/one/rules.h': 'one',
    'apps/releases/two/rules.mk': 'two',
    'apps/common/common.c': '#include "common.h"',
    'apps/common/common.h': 'common',
    'apps/web/parts/one/Makefile.uk':
      '$(eval $(call addlib,part))\nPART_SRCS-y += $(PART_BASE)/../../../shared/part.c\ninclude $(APP_BASE)/../rules/all.mk\n',
    'apps/shared/part.c': 'part',
    'apps/rules/all.mk': 'PART_SRCS-y += $(APP_BASE)/../further/further.c\n',
    'apps/further/further.c': 'further',
    'linked/deep/part.c': 'part',
    'single/one.h': 'one',
    'single/other.h': 'other',
    'single/README.md': 'single',
    'single/parts/deep/part.c': 'part',
    'single/others/deep/part.c': 'other',
    'apps/web/main.c': 'main',
    'apps/web/include/web.h': 'header',
    'apps/web/README.md': 'web',
    'apps/web/rootfs/etc/motd': 'hello',
    'apps/web/rootfs/bin/tool': 'tool',
    'apps/web/data/db': '1',
    'apps/web/project.json': '{ "name": "web" }',
    'apps/image/Kraftfile': image,
    'apps/image/Makefile.uk': 'IMAGE_SRCS-y += $(IMAGE_BASE)/part.rs\n',
    'apps/image/main.c': 'main',
    'apps/image/include/image.h': '',
    'apps/image/Dockerfile': 'FROM scratch\nARG WORD=a\nCOPY site /site\nENV WORD=$WORD\n',
    'apps/image/.dockerignore': 'site/*.log\nDockerfile\n',
    'apps/image/site/index.html': 'hello',
    'apps/image/site/debug.log': '1',
    'apps/image/unused': '1',
    'apps/image/project.json': JSON.stringify({
      name: 'image',
      targets: { rootfs: { options: { buildArgs: { WORD: 'a' } } } },
    }),
    'apps/embedded/Kraftfile': embedded,
    'apps/embedded/main.c': '#include "../api/api.h"\n',
    'apps/api/api.h': '#include "more.h"\n',
    'apps/api/more.h': 'more',
    'apps/api/other.h': 'other',
    'apps/embedded/include/embedded.h': '',
    'apps/embedded/Makefile.uk': 'EMBEDDED_SRCS-y += $(APP_BASE)/part/part.c $(APP_BASE)/nested/nested.c\n',
    'apps/embedded/part/project.json': '{ "name": "part" }',
    'apps/embedded/part/part.c': 'part',
    'apps/embedded/nested/Kraftfile': taken.replace('taken', 'nested'),
    'apps/embedded/nested/made/kernel': 'kernel',
    'apps/embedded/nested/nested.c': 'nested',
    'apps/embedded/apart/Kraftfile': taken.replace('taken', 'apart'),
    'apps/embedded/apart/made/kernel': 'kernel',
    'apps/embedded/apart/apart.c': 'apart',
    'apps/embedded/files/motd': 'hello',
    'apps/flat/Kraftfile': flat,
    'apps/flat/main.c': 'main',
    'apps/flat/include/flat.h': '',
    'apps/flat/Makefile.uk':
      'FLAT_SRCS-y += $(wildcard $(FLAT_BASE)/../net/part_*.c)\ninclude $(FLAT_BASE)/sources.list\n',
    'apps/flat/sources.list': 'FLAT_SRCS-y += $(FLAT_BASE)/../listed/listed.c\n',
    'apps/listed/listed.c': 'listed',
    'apps/net/part_one.c': 'one',
    'libs/odd[1]/Makefile.uk': '',
    'libs/odd[1]/lib.c': 'odd',
    'apps/flat/files/motd': 'hello',
    'apps/flat/rom/data': 'data',
    'apps/templated/Kraftfile': templated,
    'template/Kraftfile': template,
    'template/Makefile.uk': '',
    'template/main.c': 'template',
    'template/include/template.h': '',
    'apps/taken/Kraftfile': taken,
    'apps/taken/made/kernel': 'kernel',
    'apps/odd/Kraftfile': odd,
    'apps/odd/Dockerfile':
      'FROM scratch\nARG TARGETARCH\nCOPY for-$TARGETARCH /\nCOPY --exclude=*.md --exclude=left parted /parted/\nCOPY link.txt linked.txt enabled/*.conf a{1,2} inside d*/y e*/sub/z /x/\nCOPY --from=more . /more/\n',
    'apps/odd/.dockerignore': '.unikraft\nrom\n**/*.log\n',
    'apps/odd/rom/data.log': 'data',
    'apps/odd/made/kernel': 'kernel',
    'apps/odd/for-amd64/node_modules/m/index.js': 'm',
    'apps/odd/for-arm64/file': 'arm64',
    'apps/odd/parted/file': 'file',
    'apps/odd/parted/notes.md': 'notes',
    'apps/odd/parted/left/file': 'left',
    'apps/odd/linked.txt': 'linked',
    'apps/odd/available/site': 'site',
    'apps/odd/far/x': 'x',
    'apps/odd/far/y': 'y',
    'apps/odd/far/z': 'z',
    'apps/odd/a{1,2}': 'a',
    'apps/odd/[more]/file': 'more',
    'apps/odd/project.json': JSON.stringify({
      name: 'odd',
      targets: { rootfs: { options: { buildContexts: { more: './[more]' } } } },
    }),
    'tool/package.json': '{ "name": "tool", "version": "1.0.0" }',
  };
  for (const [path, text] of Object.entries(files)) await workspace.write(path, text);
  await symlink('motd', workspace.path('apps/web/rootfs/etc/issue'));
  await symlink('/bin/sh', workspace.path('apps/web/rootfs/bin/sh'));
  await symlink('../../linked', workspace.path('apps/web/linked'));
  await symlink('../../../single/one.h', workspace.path('apps/web/include/one.h'));
  await symlink('../../single/chain/deep', workspace.path('apps/web/chained'));
  await symlink('parts', workspace.path('single/chain'));
  await symlink('releases/one', workspace.path('apps/current'));
  await symlink('deep/two', workspace.path('libs/two'));
  await symlink('linked.txt', workspace.path('apps/odd/link.txt'));
  await symlink('/far/x', workspace.path('apps/odd/inside'));
  await symlink('far', workspace.path('apps/odd/dir'));
  await mkdir(workspace.path('apps/odd/enabled'));
  await symlink('../available/site', workspace.path('apps/odd/enabled/site.conf'));
  await symlink('../far', workspace.path('apps/odd/enabled/sub'));
  await symlink('../../single/README.md', workspace.path('apps/web/SINGLE.md'));
}

const kernels = ['web:build:fc-x86_64', 'web:build:qemu-x86_64'];
const web = [...kernels, 'web:package', 'web:rootfs'];
const files = ['web:package', 'web:rootfs'];
const inOdd = ['odd:package', 'odd:rootfs'];
const everyKernel = [
  ...kernels,
  ...['embedded', 'flat', 'image', 'templated'].map((app) => `${app}:build:qemu-x86_64`),
  'template:build:fc-x86_64',
];
/** A template's folder is a project, too. */
const byTemplate = ['template:build:fc-x86_64', 'template:package', 'templated:build:qemu-x86_64', 'templated:package'];
const nested = ['apart', 'nested'];
const whole = (app: string): string[] => [`${app}:build:qemu-x86_64`, `${app}:package`, `${app}:rootfs`];

const edit =
  (path: string, from: string, to: string) =>
  (workspace: TestWorkspace): Promise<unknown> =>
    workspace.edit(path, from, to);
const write =
  (path: string, text = 'new') =>
  (workspace: TestWorkspace): Promise<unknown> =>
    workspace.write(path, text);
const environment =
  (values: Readonly<Record<string, string>>) =>
  (workspace: TestWorkspace): Promise<unknown> =>
    Promise.resolve(Object.assign(workspace.environment, values));
/** Puts a program before all others of its name that tells another version, and else does what that one does. */
const otherVersion = (name: string, option = '--version') =>
  program(name, `[ "$1" = ${option} ] && echo "${name} 99.1" && exit; PATH=\${PATH#*:} exec ${name} "$@"`);
/** Puts a program before all others of its name. */
const program =
  (name: string, lines: string) =>
  async (workspace: TestWorkspace): Promise<unknown> => {
    await workspace.write(`.caches/bin/${name}`, `#!/bin/sh\n${lines}\n`);
    await chmod(workspace.path(`.caches/bin/${name}`), 0o755);
    return (workspace.environment.PATH = `${workspace.path('.caches/bin')}:${process.env.PATH}`);
  };
/** Lets a link lead to something else. */
const lead =
  (link: string, target: string) =>
  async (workspace: TestWorkspace): Promise<unknown> => {
    await rm(workspace.path(link));
    return symlink(target, workspace.path(link));
  };
const inWeb = (from: string, to: string) => edit('apps/web/Kraftfile', from, to);

/** Every input of every task, and what must be none. `lint` looks at its own Kraftfile as a text, so any change counts. */
export const inputCases: Readonly<Record<string, InputCase>> = {
  // The Kraftfile, field by field.
  'Kraftfile: cmd': { change: inWeb('"/web"', '"/web", "-v"'), ran: ['web:lint', 'web:package'] },
  'Kraftfile: env': { change: inWeb('COLOR:', 'COLOUR:'), ran: ['web:lint', 'web:package'] },
  'Kraftfile: labels': { change: inWeb('team: a', 'team: b'), ran: ['web:lint', 'web:package'] },
  'Kraftfile: volumes': { change: inWeb('./data:/data', './data:/srv'), ran: ['web:lint'] },
  'Kraftfile: kconfig of the core': {
    change: inWeb("CONFIG_A: 'y'", "CONFIG_A: 'n'"),
    ran: [...kernels, 'web:lint', 'web:package'],
  },
  'Kraftfile: kconfig of a library': {
    change: inWeb("CONFIG_ONE: 'y'", "CONFIG_ONE: 'n'"),
    ran: [...kernels, 'web:lint', 'web:package'],
  },
  'Kraftfile: kconfig of a target': {
    change: inWeb("CONFIG_B: 'y'", "CONFIG_B: 'n'"),
    ran: ['web:build:fc-x86_64', 'web:lint', 'web:package'],
  },
  'Kraftfile: one library less': {
    change: inWeb('  two: { source: ../../libs/two }\n', ''),
    ran: [...kernels, 'web:lint', 'web:package'],
  },
  'Kraftfile: another rootfs': { change: inWeb('./rootfs', './data'), ran: [...kernels, 'web:lint', ...files] },
  'Kraftfile: no rootfs': { change: inWeb('rootfs: ./rootfs\n', ''), ran: [...kernels, 'web:lint', 'web:package'] },
  'Kraftfile: its name, after which results are called': {
    change: inWeb('name: web', 'name: site'),
    ran: [...kernels, 'web:lint', ...files],
  },
  // What all tasks of a project are is part of the key of each of them: a rule of Nx.
  'Kraftfile: one target less': {
    change: inWeb('  - qemu/x86_64\n', ''),
    ran: ['web:build:fc-x86_64', 'web:lint', ...files],
  },
  'Kraftfile: the format of the root file system': {
    change: edit('apps/flat/Kraftfile', 'format: erofs', 'format: cpio'),
    ran: ['flat:lint', ...whole('flat')],
  },
  'Kraftfile: where results go': {
    change: edit('apps/flat/Kraftfile', 'outdir: made', 'outdir: elsewhere'),
    ran: ['flat:lint', ...whole('flat')],
  },
  'Kraftfile: one read-only image less': {
    change: edit('apps/flat/Kraftfile', 'roms: [{ source: ./rom, format: cpio }]\n', ''),
    ran: ['flat:lint', ...whole('flat')],
  },
  'Kraftfile of a template: kconfig': {
    change: edit('template/Kraftfile', "CONFIG_T: 'y'", "CONFIG_T: 'n'"),
    ran: [...byTemplate, 'template:lint'],
  },
  'Kraftfile: comments': { change: inWeb('rootfs:', '# where its files are\nrootfs:'), ran: ['web:lint'] },
  'Kraftfile: order of fields': {
    change: async (workspace) => {
      await inWeb('labels: { team: a }\n', '')(workspace);
      await inWeb('targets:', 'labels: { team: a }\ntargets:')(workspace);
    },
    ran: ['web:lint'],
  },
  'Kraftfile: order of libraries': {
    change: async (workspace) => {
      await inWeb('  two: { source: ../../libs/two }\n', '')(workspace);
      await inWeb('libraries:\n', 'libraries:\n  two: { source: ../../libs/two }\n')(workspace);
    },
    ran: ['web:lint'],
  },
  'Kraftfile: another way to say the same': { change: inWeb("CONFIG_A: 'y'", 'CONFIG_A: y'), ran: ['web:lint'] },

  // Sources of kernels.
  'a source': { change: edit('apps/web/main.c', 'main', 'other'), ran: [...kernels, 'web:package'] },
  'a header': { change: edit('apps/web/include/web.h', 'header', 'other'), ran: [...kernels, 'web:package'] },
  'a header that git ignores': { change: write('apps/web/include/gen.h'), ran: [...kernels, 'web:package'] },
  'a build file that git ignores': { change: write('apps/web/gen.mk'), ran: kernels },
  'a source that build files name in a folder that git ignores': { change: write('apps/web/out/part.c'), ran: kernels },
  'what else git ignores': { change: write('apps/web/gen.txt'), ran: [] },
  'Makefile.uk': { change: edit('apps/web/Makefile.uk', 'web', 'web2'), ran: kernels },
  'what a source beside the application includes': {
    change: edit('apps/common/common.h', 'common', 'other'),
    ran: kernels,
  },
  'a source beside the application that a build file further down names': {
    change: edit('apps/shared/part.c', 'part', 'other'),
    ran: kernels,
  },
  'a source that a build file beside the application names': {
    change: edit('apps/further/further.c', 'further', 'other'),
    ran: kernels,
  },
  'a source in a folder that a link in the application leads to': {
    change: edit('linked/deep/part.c', 'part', 'other'),
    ran: kernels,
  },
  'a header that a link in the application leads to': {
    change: edit('single/one.h', 'one', 'other'),
    ran: [...kernels, 'web:package'],
  },
  'what lies beside that header': { change: edit('single/other.h', 'other', 'new'), ran: [] },
  'a source behind a link that a link leads through': {
    change: edit('single/parts/deep/part.c', 'part', 'other'),
    ran: kernels,
  },
  'where that link leads': { change: lead('single/chain', 'others'), ran: kernels },
  'a build file behind a link beside the application': {
    change: edit('apps/releases/one/rules.mk', 'one', 'other'),
    ran: kernels,
  },
  'what lies beside that build file': { change: edit('apps/releases/one/rules.h', 'one', 'other'), ran: kernels },
  'where the link to it leads': { change: lead('apps/current', 'releases/two'), ran: kernels },
  'what that link may lead to': { change: edit('apps/releases/two/rules.mk', 'two', 'other'), ran: [] },
  'a new source beside the application that a wildcard matches': {
    change: write('apps/net/part_two.c'),
    ran: ['flat:build:qemu-x86_64'],
  },
  'a source that a build file of any name goes up to': {
    change: write('apps/listed/listed.c'),
    ran: ['flat:build:qemu-x86_64'],
  },
  'a header that only a source includes from beside the application': {
    change: edit('apps/api/api.h', '\n', '\n\n'),
    ran: ['embedded:build:qemu-x86_64'],
  },
  'what that header includes': { change: write('apps/api/more.h'), ran: ['embedded:build:qemu-x86_64'] },
  'what nobody includes beside it': { change: write('apps/api/other.h'), ran: [] },
  'a local library in a folder with letters that globs take for something else': {
    change: write('libs/odd[1]/lib.c'),
    ran: ['flat:build:qemu-x86_64', 'flat:package'],
  },
  'a source in a project within the application': {
    change: write('apps/embedded/part/part.c'),
    ran: ['embedded:build:qemu-x86_64'],
  },
  'a source in a unikernel within the application that build files name': {
    change: write('apps/embedded/nested/nested.c'),
    ran: ['embedded:build:qemu-x86_64'],
  },
  'a source in a unikernel within the application that no build file names': {
    change: write('apps/embedded/apart/apart.c'),
    ran: [],
  },
  'results that git does not ignore': { change: (workspace) => workspace.nx(...allTasks), ran: [] },
  'a document that a link leads to': { change: edit('single/README.md', 'single', 'other'), ran: [] },
  'a header beside a local library': { change: edit('libs/common/lib.h', 'common', 'other'), ran: kernels },
  'a new source': { change: write('apps/web/new.c', 'a new source'), ran: [...kernels, 'web:package'] },
  'a local library': { change: edit('libs/one/lib.c', 'one', '1'), ran: [...kernels, 'web:package'] },
  'a local library behind a link': {
    change: edit('libs/deep/two/lib.c', 'two', '2'),
    ran: [...kernels, 'web:package'],
  },
  'a local library that git ignores': {
    change: async (workspace) => {
      await workspace.edit('.gitignore', '.nx', '.nx\n/libs/o*');
      await workspace.nx(...allTasks);
      await workspace.edit('libs/one/lib.c', 'one', '1');
    },
    ran: [...kernels, 'web:package'],
  },
  // What a kernel is made of is told beside it.
  'a licence of a local library': { change: write('libs/one/COPYING.md'), ran: kernels },
  'a licence of a local library that git ignores': {
    change: async (workspace) => {
      await workspace.edit('.gitignore', '.nx', '.nx\n/libs/o*');
      await workspace.nx(...allTasks);
      await workspace.write('libs/one/deep/README.md', 'new');
      await workspace.write('libs/one/COPYING.md', 'SPDX-License-Identifier: MIT');
    },
    ran: [...kernels, 'web:package'],
  },
  'where the link to a local library leads': {
    change: lead('libs/two', 'deep/other'),
    ran: [...kernels, 'web:package'],
  },
  'the core': {
    change: edit('core/plat/start.c', 'start', 'begin'),
    ran: everyKernel,
  },
  'a source of a template': {
    change: edit('template/main.c', 'template', 'other'),
    ran: byTemplate,
  },
  'a document': { change: write('apps/web/README.md'), ran: [] },
  'a document of a library': { change: write('libs/one/README.md'), ran: [] },
  'an ignored file': { change: write('apps/web/.unikraft/work/rubbish'), ran: [] },

  'a kernel that is a file': {
    change: edit('apps/taken/made/kernel', 'kernel', 'other'),
    ran: ['taken:build:qemu-x86_64', 'taken:package'],
  },

  // Root file systems.
  'a file of the rootfs': { change: edit('apps/web/rootfs/etc/motd', 'hello', 'bye'), ran: files },
  'a new file of the rootfs': { change: write('apps/web/rootfs/new'), ran: files },
  'a removed file of the rootfs': { change: (workspace) => rm(workspace.path('apps/web/rootfs/bin/tool')), ran: files },
  'a renamed file of the rootfs': {
    change: (workspace) =>
      rename(workspace.path('apps/web/rootfs/bin/tool'), workspace.path('apps/web/rootfs/bin/tools')),
    ran: files,
  },
  'a file of the rootfs that git ignores': {
    change: async (workspace) => {
      await workspace.edit('.gitignore', '.nx', '.nx\n*.bin');
      await workspace.nx(...allTasks);
      await workspace.write('apps/web/rootfs/made.bin', '1');
    },
    ran: files,
  },
  'a mode': { change: (workspace) => chmod(workspace.path('apps/web/rootfs/bin/tool'), 0o755), ran: files },
  'a setuid bit': { change: (workspace) => chmod(workspace.path('apps/web/rootfs/bin/tool'), 0o4755), ran: files },
  'the target of a link': {
    change: async (workspace) => {
      await rm(workspace.path('apps/web/rootfs/etc/issue'));
      // Another name for a file of the same contents.
      await cp(workspace.path('apps/web/rootfs/etc/motd'), workspace.path('.caches/motd'));
      await symlink('../etc/motd', workspace.path('apps/web/rootfs/etc/issue'));
    },
    ran: files,
  },
  'an empty folder': { change: (workspace) => mkdir(workspace.path('apps/web/rootfs/tmp')), ran: files },
  'a umask': { change: (workspace) => chmod(workspace.path('apps/web/rootfs/etc/motd'), 0o600), ran: [] },
  'times of files': { change: (workspace) => utimes(workspace.path('apps/web/rootfs/etc/motd'), 1, 1), ran: [] },
  'order of files in their folders': {
    change: async (workspace) => {
      const folder = workspace.path('apps/web/rootfs');
      await cp(folder, workspace.path('.caches/rootfs'), { recursive: true, verbatimSymlinks: true });
      await rm(folder, { recursive: true });
      // Many file systems list what was made first before the rest.
      for (const path of ['etc/motd', 'etc/issue', 'etc', 'bin'].toReversed()) {
        await cp(workspace.path(`.caches/rootfs/${path}`), join(folder, path), {
          recursive: true,
          verbatimSymlinks: true,
          force: false,
        });
      }
    },
    ran: [],
  },
  'a file of a read-only image': {
    change: edit('apps/flat/rom/data', 'data', 'other'),
    ran: ['flat:package', 'flat:rootfs'],
  },
  'what the kernel embeds': { change: edit('apps/embedded/files/motd', 'hello', 'bye'), ran: whole('embedded') },

  // Dockerfiles.
  'the Dockerfile': { change: edit('apps/image/Dockerfile', '/site', '/www'), ran: ['image:package', 'image:rootfs'] },
  // All of the folder beside a Makefile.uk may be compiled, so what lies there counts for the kernel, too.
  'a copied file': { change: edit('apps/image/site/index.html', 'hello', 'bye'), ran: whole('image') },
  'a mode of a copied file': {
    change: (workspace) => chmod(workspace.path('apps/image/site/index.html'), 0o755),
    ran: ['image:package', 'image:rootfs'],
  },
  // Its check warns of it, and what needs the file system is not even tried.
  'a Dockerfile that is gone': {
    change: (workspace) => rm(workspace.path('apps/image/Dockerfile')),
    ran: ['image:lint', 'image:rootfs'],
  },
  '.dockerignore': { change: write('apps/image/.dockerignore', ''), ran: ['image:package', 'image:rootfs'] },
  'a file that .dockerignore leaves out': {
    change: write('apps/image/site/debug.log'),
    ran: ['image:build:qemu-x86_64'],
  },

  // Where Nx alone sees nothing, or globs mean something else.
  'a file in a folder that Nx passes over': {
    change: edit('apps/odd/for-amd64/node_modules/m/index.js', 'm', 'n'),
    ran: inOdd,
  },
  'what a Dockerfile copies for another architecture': {
    change: edit('apps/odd/for-arm64/file', 'arm64', 'other'),
    ran: inOdd,
  },
  'a file beside what --exclude leaves out': { change: edit('apps/odd/parted/file', 'file', 'other'), ran: inOdd },
  'a file that --exclude leaves out': { change: edit('apps/odd/parted/notes.md', 'notes', 'other'), ran: [] },
  'a file in a folder that --exclude leaves out': { change: edit('apps/odd/parted/left/file', 'left', 'x'), ran: [] },
  'the mode of a file that --exclude leaves out': {
    change: (workspace) => chmod(workspace.path('apps/odd/parted/notes.md'), 0o755),
    ran: [],
  },
  'a file that a copied link leads to': { change: edit('apps/odd/linked.txt', 'linked', 'other'), ran: inOdd },
  'a copied link that leads to another file that counts': { change: lead('apps/odd/link.txt', 'a{1,2}'), ran: inOdd },
  'a file that a link leads to which a pattern names': {
    change: edit('apps/odd/available/site', 'site', 'other'),
    ran: inOdd,
  },
  'a file of a read-only image that .dockerignore leaves out of the root file system': {
    change: write('apps/odd/rom/data.log'),
    ran: inOdd,
  },
  'a file that an absolute link leads to, which means one in the context': {
    change: edit('apps/odd/far/x', 'x', 'other'),
    ran: inOdd,
  },
  // BuildKit follows no link there; podman and buildah do.
  'a file in a linked folder that the middle of a pattern names': {
    change: edit('apps/odd/far/y', 'y', 'other'),
    ran: ['odd:rootfs'],
  },
  'a file in a linked folder below one that a pattern names': {
    change: edit('apps/odd/far/z', 'z', 'other'),
    ran: ['odd:rootfs'],
  },
  'a file whose name would be two in a glob': { change: edit('apps/odd/a{1,2}', 'a', 'b'), ran: inOdd },
  'a file in a context whose name would be a set in a glob': {
    change: edit('apps/odd/[more]/file', 'more', 'less'),
    ran: inOdd,
  },
  'a mode, where .dockerignore leaves out what builds write': {
    change: (workspace) => chmod(workspace.path('apps/odd/for-arm64/file'), 0o755),
    ran: inOdd,
  },

  // Tools, options and the environment.
  'the compiler': {
    change: program('gcc', 'echo "gcc (Other) 99.1"'),
    ran: everyKernel,
  },
  'the C++ compiler': { change: otherVersion('g++'), ran: everyKernel },
  'paths in kernels, where no mount namespaces are allowed': {
    change: program('unshare', 'echo "unshare failed: Operation not permitted" >&2; exit 1'),
    // The one with its root file system inside is another one then, as it says where that lies.
    ran: [...everyKernel, 'embedded:package'],
  },
  'the linker': { change: otherVersion('ld'), ran: everyKernel },
  make: { change: otherVersion('make'), ran: everyKernel },
  'a compiler for an architecture that nobody builds for': {
    change: program('aarch64-linux-gnu-gcc', 'echo "gcc (Other) 99.1"'),
    ran: [],
  },
  'a compiler for Rust, where a source is in Rust': {
    change: program('rustc', 'echo "rustc 9.1.0"'),
    ran: ['image:build:qemu-x86_64'],
  },
  'flags for Rust, where a source is in Rust': {
    change: async (workspace) => {
      await program('rustc', 'echo "rustc 9.1.0"')(workspace);
      await workspace.nx(...allTasks);
      workspace.environment.RUSTFLAGS = '-C opt-level=0';
    },
    ran: ['image:build:qemu-x86_64'],
  },
  'a compiler for Go, where a local library is in Go': { change: program('gccgo', 'echo "gccgo 9.1"'), ran: kernels },
  'a compiler that no build file calls': { change: program('clang', 'echo "clang version 99.1"'), ran: [] },
  // It makes the same image, so that nothing is packed again.
  'what makes EROFS images': { change: otherVersion('mkfs.erofs', '-V'), ran: ['flat:rootfs'] },
  'a builder that no Dockerfile needs': { change: program('docker', 'echo "Docker version 99.1"'), ran: [] },
  'an option of the plugin, since nx.json is an input of all tasks for Nx': {
    change: edit('nx.json', '"nx-kraft"', '{"plugin":"nx-kraft","options":{"runTargetName":"boot"}}'),
    ran: [
      ...web,
      'taken:build:qemu-x86_64',
      'taken:package',
      ...['odd:build:qemu-x86_64', 'odd:build:qemu-arm64', ...inOdd],
      ...byTemplate,
      ...['embedded', 'flat', 'image'].flatMap(whole),
      ...['web', 'embedded', 'flat', 'image', 'odd', 'taken', 'template', 'templated'].map((app) => `${app}:lint`),
      ...nested.flatMap((app) => [`${app}:build:qemu-x86_64`, `${app}:lint`, `${app}:package`]),
    ],
  },
  'no network': { change: environment({ NX_KRAFT_OFFLINE: '1' }), ran: [] },
  SOURCE_DATE_EPOCH: {
    change: environment({ SOURCE_DATE_EPOCH: '86400' }),
    ran: [
      ...web,
      ...byTemplate,
      ...['embedded', 'flat', 'image'].flatMap(whole),
      ...[...nested, 'taken'].map((app) => `${app}:package`),
      ...inOdd,
    ],
  },
  'a variable that a build file takes': { change: environment({ MODE: 'fast' }), ran: kernels },
  'a variable that the Kraftfile mentions': {
    change: environment({ WEB_COLOR: 'blue' }),
    ran: [...web, 'web:lint'],
  },
  'a variable that the Kraftfile of a template mentions': {
    change: environment({ TEMPLATE_V: 'n' }),
    ran: [...byTemplate, 'template:lint'],
  },
  'a build argument, an option, which Nx counts for its whole project': {
    change: write(
      'apps/image/project.json',
      JSON.stringify({ name: 'image', targets: { rootfs: { options: { buildArgs: { WORD: 'b' } } } } }),
    ),
    ran: ['image:lint', ...whole('image')],
  },
  'an entry of the lock that nobody uses': {
    change: write('kraft.lock', JSON.stringify({ components: { 'lib/musl@stable': { commit: 'a'.repeat(40) } } })),
    ran: [],
  },

  // What must never matter.
  'user, time zone and locale': {
    change: environment({
      USER: 'other',
      HOME: '/nonexistent',
      // Without that another home may mean another compiler, or none.
      RUSTUP_HOME: process.env.RUSTUP_HOME ?? join(homedir(), '.rustup'),
      TZ: 'Asia/Tokyo',
      LANG: 'de_DE.UTF-8',
      LC_ALL: 'C',
    }),
    ran: [],
  },
  'another variable': { change: environment({ SOMETHING: 'else' }), ran: [] },
  'another project': { change: write('tool/package.json', '{ "name": "tool", "version": "2.0.0" }'), ran: [] },
  'a new project': { change: write('apps/new/Kraftfile', 'spec: v0.6\nname: new\n'), ran: ['new:lint', 'new:package'] },
};
