import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { findAbsolute, findClimbs } from './climbs.ts';
import { findOtherCompilers } from './other-compilers.ts';
import { surveyBuildFiles } from './survey.ts';
import { findTakenVariables } from './taken-variables.ts';
import { describeOtherCompiler } from './toolchain.ts';

describe('the paths that lead out of a folder', () => {
  test.each([
    ['Makefile.uk', 'APP_SRCS-y += $(APP_BASE)/../common/x.c', ['../common/x.c']],
    ['Makefile.uk', 'APP_SRCS-y += $(APP_BASE)/src/../../common/x.c', ['../common/x.c']],
    ['Makefile.uk', 'APP_SRCS-y += $(APP_BASE)/src/../main.c', []],
    ['Makefile.uk', 'CFLAGS-y += -I../include -I$(abspath $(APP_BASE)/..)/more', ['../include', '..']],
    ['Makefile.uk', 'SRCS := $(wildcard $(APP_BASE)/../*.c) ... a..b', ['..']],
    // In the folder of the library that it registers, or in the application's.
    ['src/Makefile.uk', '$(PART_BASE)/../../common/x.c', ['../../common/x.c', '../common/x.c']],
    ['src/Makefile.uk', '$(APP_BASE)/../../common/x.c', ['../../common/x.c']],
    ['src/part.mk', '$(WHERE)/../common', ['../common']],
    // Make of another kind starts where its file is.
    ['vendor/Makefile.in', 'top = ..\nCFLAGS = -I../include -I../../common', ['../common']],
    ['../common/all.mk', 'include ../more/more.mk', ['../more/more.mk']],
    ['Makefile.uk', '$(wildcard $(APP_BASE)/../common/net_*.c $(APP_BASE)/../[ab]*/x.c)', ['../common', '..']],
    ['Makefile.uk', '$(APP_BASE)/../common/part-$(PART)/x.c', ['../common']],
    ['Makefile.uk', '$(APP_BASE)/../größe/x.c', ['../größe/x.c']],
  ])('in %s: %s', (file, text, climbs) => {
    expect(findClimbs(file, text)).toEqual(climbs);
  });

  test.each([
    ['APP_SRCS-y += $(APP_BASE)/../a,b{1}/x=y.c', '../a,b{1}/x=y.c'],
    ['APP_SRCS-y += ${APP_BASE}/../a{1}/x.c', '../a{1}/x.c'],
    ['LDFLAGS += -Wl,-T../a=b/link.lds,-q', '../a=b/link.lds'],
    ['FLAGS:=-I../a=b,$(APP_BASE)/../more', '../a=b'],
    ['FLAGS:=-I../a=b,$(APP_BASE)/../more', '../more'],
  ])('may have signs that mostly end one, as in %s', (text, climb) => {
    expect(findClimbs('Makefile.uk', text)).toContain(climb);
  });
});

describe('the compilers beside GCC that lines may bring in', () => {
  test.each([
    ['APP_SRCS-y += $(APP_BASE)/main.rs', ['rust']],
    ['\t$(RUSTC) --print sysroot', ['rust']],
    ['\tcd $(APP_BASE) && cargo build --release', ['rust']],
    ['CONFIG_LIBUKRUST', ['rust']],
    ['lib/libgo', ['go']],
    ['GOC := $(CONFIG_CROSS_COMPILE)gccgo', ['go']],
    ['\tgo build -o $@', ['go']],
    ['CC := clang', ['clang']],
    ['LIBX_CFLAGS-$(call have_clang) += -Wno-trust-me', []],
    ['# compiled with go, clang or rustc', []],
    ['APP_SRCS-y += $(APP_BASE)/logo.c $(APP_BASE)/ego.c $(APP_BASE)/trust.c', []],
  ])('%s', (line, compilers) => {
    expect(findOtherCompilers([line])).toEqual(compilers);
  });
});

test('flags that compilers take from the environment belong to their versions', async () => {
  vi.stubEnv('RUSTFLAGS', '-C opt-level=0');
  vi.stubEnv('GOFLAGS', '-tags=x');
  const tell = (version: string) => describeOtherCompiler('rust', 'x86_64', () => Promise.resolve(version));
  expect(await tell('1.9')).toBe('rustc: 1.9\ncargo: 1.9\nRUSTFLAGS=-C opt-level=0');
  expect(await tell('missing')).toBe('');
  vi.unstubAllEnvs();
});

describe('the absolute paths that make is given', () => {
  test.each([
    ['APP_CINCLUDES-y += -I/opt/x/include -isystem /srv/y -I$(APP_BASE)/z', ['/opt/x/include', '/srv/y']],
    ['APP_SRCS-y += /opt/x/*.c \\\n  $(APP_BASE)/main.c', ['/opt/x']],
    ['-include /opt/rules.mk # and /opt/more.mk', ['/opt/rules.mk']],
    ['APP_CFLAGS-y += -DROOT="/var" -I/usr/include -L/usr/local/lib # -I/opt/x', ['/usr/local/lib']],
  ])('in %s: %s', (text, paths) => {
    expect(findAbsolute(text)).toEqual(paths);
  });
});

describe('the variables that build files take from the environment', () => {
  test.each([
    ['APP_CFLAGS-y += -DMODE=$(MODE) -DX=${X_LEVEL} # $(OTHER)', ['MODE', 'X_LEVEL']],
    ['MODE ?= fast', ['MODE']],
    ['MODE := $(if $(FAST),fast,slow)\nPARTS = a \\\n b\n$(MODE) $(PARTS)', ['FAST']],
    [
      'define RULES\nendef\n$(eval $(call addlib,libnet))\n$(RULES) $(LIBNET_ORIGIN) $(APP_BASE) $(CONFIG_X) $(CC) $(O)',
      [],
    ],
  ])('in %s: %s', (text, names) => {
    expect(findTakenVariables([text])).toEqual(names);
  });

  test('a value may stand in another file', () => {
    expect(findTakenVariables(['$(MODE) $(LEVEL)', 'override MODE = fast'])).toEqual(['LEVEL']);
  });
});

describe('a survey', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'survey-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  async function write(path: string, text = ''): Promise<void> {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }

  test('follows build files at any depth, and those around the folder to which they go up', async () => {
    await write('app/Makefile.uk', '$(eval $(call import_lib,$(APP_BASE)/a/b))\n');
    await write('app/a/b/Makefile.uk', 'include $(B_BASE)/../../../rules/all.mk\nB_SRCS-y += $(B_BASE)/../nothing/x.c');
    await write('rules/all.mk', 'ALL_SRCS-y += $(APP_BASE)/../far/far.c $(APP_BASE)/../gone/gone.c\n');
    await write('rules/near.c');
    await write('far/far.c');
    expect(surveyBuildFiles(join(folder, 'app'))).toMatchObject({
      files: ['Makefile.uk', 'a/b/Makefile.uk', '../rules/all.mk'],
      climbs: ['../rules/all.mk', '../far/far.c'],
      linked: [],
      compilers: [],
    });
  });

  test('reads what build files take in, whatever its name', async () => {
    await write(
      'app/Makefile.uk',
      'include $(APP_BASE)/flags.inc $(wildcard $(APP_BASE)/more/*.inc)\n-include $(X)/$(Y).list',
    );
    await write('app/Config.uk', 'rsource "deep/kconf"\n');
    await write('app/flags.inc', 'include $(APP_BASE)/../rules/all\n');
    await write('app/more/one.inc');
    await write('app/more/two.include');
    await write('app/a.list');
    await write('app/deep/kconf');
    await write('app/main.c');
    await write('rules/all', 'ALL_SRCS-y += $(APP_BASE)/../far/far.c\n');
    await write('far/far.c');
    expect(surveyBuildFiles(join(folder, 'app'))).toMatchObject({
      files: ['Config.uk', 'Makefile.uk', 'deep/kconf', 'a.list', 'flags.inc', 'more/one.inc', '../rules/all'],
      climbs: ['../rules/all', '../far/far.c'],
    });
  });

  test('leaves out what builds leave behind, and what is said to be no part of it', async () => {
    await write('app/Makefile.uk');
    await write('common/x.c');
    for (const place of ['.unikraft/work', 'node_modules/x', 'rootfs/usr']) {
      await write(`app/${place}/Makefile.uk`, 'X_SRCS-y += $(APP_BASE)/../common/x.c $(APP_BASE)/x.rs');
    }
    await symlink('nowhere', join(folder, 'app/Config.uk'));
    await symlink('..', join(folder, 'app/folder.mk'));
    expect(surveyBuildFiles(join(folder, 'app'), { isApart: (path) => path === 'rootfs' })).toMatchObject({
      files: ['Config.uk', 'Makefile.uk', 'folder.mk'],
      climbs: [],
      linked: ['..'],
      compilers: [],
    });
  });

  test('follows links out of the folder, and what these lead on to', async () => {
    await write('app/Makefile.uk', 'include $(APP_BASE)/shared/all.mk\n');
    await write('app/own/x.c');
    await write('common/all.mk', 'ALL_SRCS-y += $(APP_BASE)/../far/far.c\n');
    await write('common/part.rs');
    await write('far/far.c');
    await write('single.h');
    await symlink('../middle', join(folder, 'app/shared'));
    await symlink('common', join(folder, 'middle'));
    await symlink('../single.h', join(folder, 'common/single.h'));
    for (const [target, name] of [
      ['own', 'inside'],
      ['../nowhere', 'broken'],
      [join(folder, 'far'), 'absolute'],
      ['/bin/sh', 'sh'],
    ] as const)
      await symlink(target, join(folder, 'app', name));
    const survey = {
      files: ['Makefile.uk', '../common/all.mk'],
      climbs: ['../far/far.c'],
      linked: ['../middle', '../common', '../single.h'],
      compilers: ['rust'],
    };
    expect(surveyBuildFiles(join(folder, 'app'))).toMatchObject(survey);
    // Where it is known what belongs together, an absolute path within that is as good.
    expect(surveyBuildFiles(join(folder, 'app'), { within: folder })).toMatchObject({
      ...survey,
      linked: ['../far', ...survey.linked],
    });
  });

  test('follows links in the middle of a path, and what lies there from where it lies', async () => {
    await write('app/Makefile.uk', 'include $(APP_BASE)/../rules/all.mk\n');
    await write('deep/down/rules/all.mk', 'ALL_SRCS-y += ../far/far.c\n');
    await write('deep/down/far/far.c');
    await write('deep/down/parts/one/one.c');
    await write('deep/beside/part.rs');
    await write('beside/other.go');
    for (const [target, name] of [
      ['../down/parts/one', 'app/one'],
      ['below', 'down'],
      ['deep/down', 'below'],
      ['down/rules', 'rules'],
      ['../../../beside', 'deep/down/parts/one/beside'],
    ] as const)
      await symlink(target, join(folder, name));
    expect(surveyBuildFiles(join(folder, 'app'))).toMatchObject({
      files: ['Makefile.uk', '../deep/down/rules/all.mk'],
      climbs: ['../rules/all.mk', '../deep/down/far/far.c'],
      linked: [
        '../down/parts/one',
        '../below/parts/one',
        '../deep/down/parts/one',
        '../deep/beside',
        '../down/rules/all.mk',
        '../below/rules/all.mk',
        '../deep/down/rules/all.mk',
      ],
      compilers: ['rust'],
    });
  });

  test('follows what sources include from around the folder, and what that includes', async () => {
    await write('app/Makefile.uk', 'APP_SRCS-y += $(APP_BASE)/../common/x.c\n');
    await write('app/src/main.c', '# include "../../api/api.h"\n#include "../own.h"\n#include "../../gone/gone.h"\n');
    await write('app/odd.h', `#include "../${'x'.repeat(300)}"\n#include "../\0"\n#include "../api/api.h/x"\n`);
    await write('app/own.h', '#include <../angle/angle.h>\n// #include "../comment/comment.h"\n');
    await write('api/api.h', '#include "next.h"\n#include "../deep/list.inc"\n#include "../app/src/main.c"\n');
    await write('api/next.h', '#include "api.h"\n');
    await write('api/other.h', '#include "../far/far.h"\n');
    await write('deep/list.inc', '#embed "data.bin"\n');
    await write('deep/data.bin');
    await write('common/x.c', '#include "x.h"\n');
    await write('common/x.h');
    for (const place of ['angle/angle.h', 'comment/comment.h', 'far/far.h']) await write(place);
    expect(surveyBuildFiles(join(folder, 'app'))).toMatchObject({
      climbs: ['../common/x.c'],
      included: [
        '../api/api.h',
        '../api/next.h',
        '../deep/list.inc',
        '../deep/data.bin',
        // Where the application is seen by another name, these are found with what lies around it only.
        '../app/src/main.c',
        '../app/own.h',
        '../common/x.h',
      ],
    });
  });

  test('tells places outside of what belongs together, but does not look into them', async () => {
    await write('workspace/app/Makefile.uk');
    await write('workspace/app/main.c', '#include "../../elsewhere/one.h"\n');
    await write('elsewhere/one.h', '#include "two.h"\n');
    await write('elsewhere/two.h');
    await write('elsewhere/all.mk', 'ALL_SRCS-y += $(APP_BASE)/../../far/far.c\n');
    await write('far/far.c');
    await symlink('../../elsewhere', join(folder, 'workspace/app/out'));
    expect(surveyBuildFiles(join(folder, 'workspace/app'), { within: join(folder, 'workspace') })).toMatchObject({
      files: ['Makefile.uk'],
      climbs: [],
      linked: ['../../elsewhere'],
      included: ['../../elsewhere/one.h'],
      compilers: [],
    });
  });

  test('tells where links lead that are sources, or are named, and are not followed', async () => {
    await write('workspace/app/Makefile.uk', 'APP_SRCS-y += $(APP_BASE)/vendor/x.c\n');
    await write('elsewhere/all.mk', 'ALL_SRCS-y += $(APP_BASE)/../../far/far.c\n');
    for (const [target, name] of [
      ['elsewhere/main.c', 'main.c'],
      ['elsewhere', 'vendor'],
      ['elsewhere/sh', 'sh'],
      ['elsewhere', 'tools'],
    ] as const)
      await symlink(join(folder, target), join(folder, 'workspace/app', name));
    expect(surveyBuildFiles(join(folder, 'workspace/app'), { within: join(folder, 'workspace') })).toMatchObject({
      files: ['Makefile.uk'],
      linked: ['../../elsewhere/main.c', '../../elsewhere'],
    });
    expect(surveyBuildFiles(join(folder, 'workspace/app'))).toMatchObject({ linked: [] });
  });

  test('goes up to what is hidden and not there yet, but to nothing else that is not there', async () => {
    await write('app/Makefile.uk', 'APP_SRCS-y += $(APP_BASE)/../idl/gen/x.c $(APP_BASE)/../idl/gone/x.c\n');
    const isHidden = (path: string): boolean => path.startsWith('../idl/gen');
    expect(surveyBuildFiles(join(folder, 'app'), { isHidden }).climbs).toEqual(['../idl/gen/x.c']);
    const within = join(folder, 'app');
    expect(surveyBuildFiles(join(folder, 'app'), { isHidden, within }).climbs).toEqual([]);
  });

  test('tells what may have a part in the build, and is hidden', async () => {
    await write(
      'app/Makefile.uk',
      '-include $(APP_BASE)/more.list\nAPP_SRCS-y += $(APP_BASE)/gen/x.c $(APP_BASE)/data.bin',
    );
    for (const path of [
      'more.list',
      'gen/x.c',
      'gen/x.h',
      'gen/x.o',
      'data.bin',
      'src/gen.h',
      'src/gen.o',
      'build/x.h',
    ])
      await write(`app/${path}`);
    const hidden = /gen|^more|^build|^data/;
    expect(surveyBuildFiles(join(folder, 'app'), { isHidden: (path) => hidden.test(path) }).hidden).toEqual([
      'more.list',
      'data.bin',
      'gen/x.c',
      'gen/x.h',
      'src/gen.h',
    ]);
    expect(surveyBuildFiles(join(folder, 'app')).hidden).toEqual([]);
  });

  test('tells from what it was found', async () => {
    await write('app/Makefile.uk', 'include $(APP_BASE)/../rules/all.mk\nAPP_CFLAGS-y += -I/nowhere/include\n');
    await write('app/src/main.c', '#include "../../common/x.h"\n#include "../../common/none.h"\n');
    await write('app/data.bin');
    await mkdir(join(folder, 'app/empty'));
    await write('common/x.h');
    await write('rules/all.mk', 'APP_SRCS-y += $(APP_BASE)/../parts/a.c $(APP_BASE)/../gone/x.c\n');
    await write('parts/a.c');
    await write('linked/b.c');
    await symlink('../linked', join(folder, 'app/link'));
    const { folders, files, places } = surveyBuildFiles(join(folder, 'app')).basis;
    expect(folders.toSorted()).toEqual(['', '../linked', 'empty', 'src']);
    expect(files.toSorted()).toEqual([
      '../common/x.h',
      '../linked/b.c',
      '../parts/a.c',
      '../rules/all.mk',
      'Makefile.uk',
      'src/main.c',
    ]);
    expect(places.toSorted()).toEqual([
      '../common/none.h',
      '../gone/x.c',
      '../parts/a.c',
      '../rules/all.mk',
      '/nowhere/include',
      'link',
    ]);
  });

  test('finds compilers by sources, too', async () => {
    await write('app/Makefile.uk');
    await write('app/src/go.mod');
    await write('app/src/Cargo.toml');
    expect(surveyBuildFiles(join(folder, 'app')).compilers).toMatchObject(['go', 'rust']);
  });
});
