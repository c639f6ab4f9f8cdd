import { chmodSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { tarEnd, tarHeader, tarPadding } from '@nx-kraft/archive';
import { run } from '@nx-kraft/base';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Workspace } from '../test/workspace.ts';
import { type RootfsRequest, RootfsFault } from './index.ts';

let workspace: Workspace;
beforeEach(() => {
  workspace = new Workspace();
  workspace.put('a');
});
afterEach(() => workspace.remove());

/** Builds a Dockerfile with the embedded builder alone, owners and modes as they are. What is expected is what BuildKit 0.32 makes. */
async function build(lines: readonly string[], request: Partial<RootfsRequest> = {}) {
  workspace.put('Dockerfile', `FROM scratch\n${lines.join('\n')}\n`);
  const options = { owners: 'keep', modes: 'keep', env: {}, architecture: 'x86_64' } as const;
  return workspace.build('Dockerfile', { builder: 'embedded', ...options, ...request });
}

interface Entry {
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly content?: string;
}

function putTar(name: string, entries: Readonly<Record<string, Entry>>): void {
  const parts = Object.entries(entries).flatMap(([entry, { mode = 0o755, uid = 0, gid = uid, content = '' }]) => [
    tarHeader({ name: entry, type: entry.endsWith('/') ? 'directory' : 'file', mode, uid, gid, size: content.length }),
    Buffer.from(content),
    Buffer.alloc(tarPadding(content.length)),
  ]);
  workspace.put(name, Buffer.concat([...parts, tarEnd]));
}

describe('--chmod', () => {
  test('in octal digits is the mode of directories on the way as well, but for its special bits', async () => {
    mkdirSync(workspace.path('dir/sub'), { recursive: true });
    await build([
      'COPY --chmod=4711 a /on/way/a',
      'COPY --chmod=1777 dir /dir',
      'COPY --chmod=7 a /seven',
      'COPY --chmod= a /as-it-is',
    ]);
    expect(workspace.list()).toEqual([
      '644 0 as-it-is=a',
      '777 0 dir',
      '1777 0 dir/sub',
      '711 0 on',
      '711 0 on/way',
      '4711 0 on/way/a=a',
      '7 0 seven=a',
    ]);
  });

  test.each([
    ['u+x', '744 755 6755'],
    ['a=rX', '444 555 555'],
    ['go-w,u+x', '744 755 6755'],
    ['=rw,+X', '666 777 777'],
    ['g=u', '664 775 6775'],
    ['go=u-w', '644 755 6755'],
    ['g+s', '2644 2755 6755'],
    ['-s', '644 755 755'],
    ['o+t', '644 755 6755'],
    ['u=rw-w+x', '544 555 2555'],
  ])('%s begins with what the source has, and leaves directories on the way alone', async (mode, expected) => {
    workspace.put('run', 'run', 0o755);
    workspace.put('set', 'set', 0o6755);
    await build([`COPY --chmod=${mode} a run set /on/`]);
    expect(workspace.list().map((entry) => entry.split(' ')[0])).toEqual(['755', ...expected.split(' ')]);
  });

  test('that is none says so', async () => {
    for (const mode of ['999', '10755', '0o755']) {
      await expect(build([`COPY --chmod=${mode} a /`]), mode).rejects.toMatchObject({ code: 'DOCKERFILE_INVALID' });
    }
  });
});

test('what is made in a directory with the setgid bit has its group, and directories the bit', async () => {
  putTar('group.tar', { 'group/': { mode: 0o2750, uid: 7, gid: 8 } });
  putTar('below.tar', { 'b/file': { uid: 9 } });
  mkdirSync(workspace.path('dir/sub'), { recursive: true });
  await build([
    'ADD group.tar /',
    'COPY a /group/made/a',
    'COPY --chown=1:2 dir /group/dir',
    'WORKDIR /group/site',
    'ADD below.tar .',
  ]);
  expect(workspace.list()).toEqual([
    '2750 7:8 group',
    '2755 1:2 group/dir',
    '755 1:2 group/dir/sub',
    '2755 0:8 group/made',
    '644 0 group/made/a=a',
    '2755 0:8 group/site',
    '2755 0 group/site/b',
    '755 9 group/site/b/file',
  ]);
});

describe('ADD of an archive', () => {
  test('gives all of it to whom --chown says', async () => {
    putTar('x.tar', { 'dir/': { mode: 0o2750, uid: 7 }, 'dir/file': { mode: 0o4711, uid: 8 } });
    await build(['ADD --chown=1:2 --chmod=600 x.tar /to']);
    expect(workspace.list()).toEqual(['755 1:2 to', '2750 1:2 to/dir', '4711 1:2 to/dir/file']);
  });

  test('knows those of the oldest kind, and takes none for one whose sum is wrong', async () => {
    await run('tar', ['--format=v7', '-C', workspace.folder, '-cf', workspace.path('old.tar'), 'a']);
    const broken = readFileSync(workspace.path('old.tar'));
    broken[0] = (broken[0] ?? 0) ^ 1;
    workspace.put('broken.tar', broken);
    await build(['ADD old.tar broken.tar /to/']);
    expect(workspace.list().map((entry) => entry.split('=')[0])).toEqual([
      '755 0 to',
      '644 0 to/a',
      '644 0 to/broken.tar',
    ]);
  });

  test('replaces what is no directory, or is to be none, and describes directories only that it has', async () => {
    putTar('x.tar', { 'was-file/': { uid: 1 }, 'was-dir': { uid: 2 }, 'implied/file': { uid: 3 } });
    mkdirSync(workspace.path('dir'));
    chmodSync(workspace.path('dir'), 0o700);
    workspace.put('dir/f');
    await build(['COPY a /was-file', 'COPY dir /was-dir/', 'COPY --chown=5 --chmod=700 dir /implied/', 'ADD x.tar /']);
    expect(workspace.list()).toEqual([
      '700 5 implied',
      '700 5 implied/f=dir/f',
      '755 3 implied/file',
      '755 2 was-dir',
      '755 1 was-file',
    ]);
  });
});

describe('owners', () => {
  const people = [
    'COPY <<passwd <<group /etc/',
    'root:x:0:0::/:',
    'bob:x:1000:1001::/:',
    'passwd',
    'root:x:0:',
    'staff:x:50:',
    'group',
  ];
  test.each([
    ['bob', '1000:1001'],
    ['bob:staff', '1000:50'],
    ['bob:', '1000:0'],
    [':staff', '0:50'],
    ['bob:7', '1000:7'],
    ['bob:nobody', '1000:1001'],
    ['1000', '1000'],
    ['1000:staff', '1000:50'],
    ['05', '5'],
    ['root', '0'],
  ])('%s are %s', async (owner, expected) => {
    await build([...people, `COPY --chown=${owner} a /x`, `USER ${owner}`, 'WORKDIR /srv/dir']);
    expect(workspace.list().filter((entry) => !entry.includes('etc'))).toEqual([
      `755 ${expected} srv`,
      `755 ${expected} srv/dir`,
      `644 ${expected} x=a`,
    ]);
  });

  test('that nobody knows are root, which is told', async () => {
    const { warnings } = await build([...people, 'COPY --chown=alice:staff a /x']);
    expect(workspace.list()).toContain('644 0:50 x=a');
    expect(warnings).toEqual(['Dockerfile:9: there is no user or group alice in this stage, so that root is taken.']);
  });

  test('that a name says are refused in an empty stage, as by BuildKit', async () => {
    for (const lines of [
      ['COPY --chown=bob a /'],
      ['USER bob', 'WORKDIR /x'],
      [...people, 'COPY --link --chown=bob a /'],
    ]) {
      await expect(build(lines)).rejects.toMatchObject({ code: 'DOCKERFILE_INVALID' });
    }
    await build(['COPY --chown=root:root a /', 'USER bob', 'WORKDIR /']);
    expect(workspace.list()).toEqual(['644 0 a=a']);
  });
});

describe('--exclude', () => {
  const names = (): readonly string[] =>
    workspace.list().map((entry) => entry.replace(/^\d+ \S+ /, '').replace(/=.*$/, ''));
  const putFiles = (...files: readonly string[]): void => {
    for (const file of files) workspace.put(file, 'text');
  };

  // What BuildKit's own tests expect of it.
  test('leaves out what lies in the folders that are copied, wherever a pattern finds them', async () => {
    putFiles('c/dir1/101.png', 'c/dir1/102.txt', 'c/dir2/201.pdf', 'c/dir2/203.png', 'c/dir3/301.mp3');
    symlinkSync('102.txt', workspace.path('c/dir1/104.txt'));
    await build(['COPY --exclude=*/*.png --exclude=*/*.mp* c /']);
    expect(names()).toEqual(['dir1', 'dir1/102.txt', 'dir1/104.txt', 'dir2', 'dir2/201.pdf', 'dir3']);
    await build(['COPY --exclude=*/*.pdf --exclude=*/*.txt . /'], { context: 'c' });
    expect(names()).toEqual(['dir1', 'dir1/101.png', 'dir2', 'dir2/203.png', 'dir3', 'dir3/301.mp3']);
    await build(['ADD --exclude=*.mp3 c/dir3/ /3/']);
    expect(names()).toEqual(['3']);
    await build(['ADD --exclude=*.mp* --exclude=*.png c/dir* /5']);
    expect(names()).toEqual(['5', '5/102.txt', '5/104.txt', '5/201.pdf']);
    await build(['ADD --exclude=* c/dir* /6']);
    expect(names()).toEqual(['6']);
    await build(['FROM scratch AS b', 'COPY c /', 'FROM scratch', 'COPY --from=b --link --exclude=dir[12] / /7']);
    expect(names()).toEqual(['7', '7/dir3', '7/dir3/301.mp3']);
  });

  test.each([
    ['x', ['kept', 'sub', 'sub/x']],
    ['./sub/', ['kept', 'x']],
    [' x ', ['kept', 'sub', 'sub/x']],
    ['**/x', ['kept', 'sub']],
    ['sub/**', ['kept', 'sub', 'x']],
    ['**', []],
    // These mean nothing, as patterns begin at the source and know no variables.
    ['/x', ['kept', 'sub', 'sub/x', 'x']],
    ['c/x', ['kept', 'sub', 'sub/x', 'x']],
    ['.', ['kept', 'sub', 'sub/x', 'x']],
    ['../x', ['kept', 'sub', 'sub/x', 'x']],
    ['', ['kept', 'sub', 'sub/x', 'x']],
    ['$X', ['kept', 'sub', 'sub/x', 'x']],
  ])('"%s" is read as BuildKit reads it', async (pattern, expected) => {
    putFiles('c/x', 'c/kept', 'c/sub/x');
    await build(['ENV X=x', `COPY --exclude="${pattern}" c /`]);
    expect(names()).toEqual(expected);
  });

  test.each([
    [
      ['*', '!sub/x'],
      ['sub', 'sub/x'],
    ],
    [
      ['**', '!**/x'],
      ['sub', 'sub/x', 'x'],
    ],
    [
      ['sub', '!x'],
      ['kept', 'x'],
    ],
    [
      ['!x', 'x'],
      ['kept', 'sub', 'sub/x', 'sub/y'],
    ],
    // Nothing was left out yet when the folder was tried.
    [
      ['sub/x', '!sub'],
      ['kept', 'sub', 'sub/y', 'x'],
    ],
    [
      ['sub', '!sub/x', 'sub'],
      ['kept', 'sub', 'sub/x', 'x'],
    ],
  ])('takes back what comes after a !: %j', async (patterns, expected) => {
    putFiles('c/x', 'c/kept', 'c/sub/x', 'c/sub/y');
    await build([`COPY ${patterns.map((pattern) => `--exclude=${pattern}`).join(' ')} c /`]);
    expect(names()).toEqual(expected);
  });

  test('gives a folder that is there already the mode of one that is left out, if something comes back', async () => {
    putFiles('c/sub/x', 'c/none/y');
    chmodSync(workspace.path('c/sub'), 0o700);
    chmodSync(workspace.path('c/none'), 0o700);
    mkdirSync(workspace.path('d/sub'), { recursive: true });
    mkdirSync(workspace.path('d/none'));
    await build(['COPY d /', 'COPY --exclude=* --exclude=!sub/x --chown=1 --chmod=711 c /']);
    expect(workspace.list()).toEqual(['755 0 none', '700 0 sub', '711 1 sub/x=text']);
    await build(['COPY --exclude=* --exclude=!sub/x --chown=1 --chmod=711 c /']);
    expect(workspace.list()).toEqual(['711 1 sub', '711 1 sub/x=text']);
  });

  test('leaves out no source itself, which is told, nor what is in an archive', async () => {
    putTar('x.tar', { a: {} });
    const { warnings } = await build(['ADD --exclude=a --exclude=*.tar --exclude=E a* x.tar <<E /to/', 'E']);
    expect(names()).toEqual(['to', 'to/E', 'to/a']);
    expect(warnings).toEqual([
      'Dockerfile:2: --exclude leaves out what is in folders that are copied, so that the file a stays.',
    ]);
  });

  test('needs no builder where a Dockerfile asks for the frontend that had it first', async () => {
    workspace.put('c/x');
    workspace.put('Dockerfile', '# syntax=docker/dockerfile:1.7-labs\nFROM scratch\nCOPY --exclude=x c /\n');
    await expect(workspace.build('Dockerfile', { env: {} })).resolves.toMatchObject({ builder: 'embedded' });
    expect(names()).toEqual([]);
  });

  test('that is no pattern is refused', async () => {
    for (const pattern of ['!', '[', 'a[z-a]']) {
      await expect(build([`COPY --exclude=${pattern} . /`]), pattern).rejects.toMatchObject({
        code: 'DOCKERFILE_INVALID',
      });
    }
  });
});

describe('--parents', () => {
  const names = (): readonly string[] =>
    workspace.list().map((entry) => entry.replace(/^\d+ \S+ /, '').replace(/=.*$/, ''));
  beforeEach(() => {
    for (const file of ['d/foo', 'd/e/bay']) workspace.put(`test/a/b/c/${file}`, 'text');
    for (const file of ['test/a/b2/c/d/e/bar', 'test/a/b/c2/d/e/baz', 'test/a/b/c2/d/e2/baz'])
      workspace.put(file, 'text');
    workspace.put('.dockerignore', 'Dockerfile\nout');
  });
  const inB = ['c', 'c/d', 'c/d/e', 'c/d/e/bay', 'c/d/foo'];
  const whole = ['test', 'test/a', 'test/a/b', ...inB.map((name) => `test/a/b/${name}`)];

  // What BuildKit's own tests expect of it.
  test.each([
    ['/test/a/b/./c/d', inB],
    ['/test/a/b/c/d/.', whole],
    ['./test/a/b/c/d', whole],
    ['/test/a/./b/./c', ['b', ...inB.map((name) => `b/${name}`)]],
    ['test/a/./*/c/d/foo', ['b', 'b/c', 'b/c/d', 'b/c/d/foo']],
    ['test/a/b*/./c/**/e', ['c', 'c/d', 'c/d/e', 'c/d/e/bar', 'c/d/e/bay']],
    ['test/a/b/c*/./d/**/baz', ['d', 'd/e', 'd/e/baz', 'd/e2', 'd/e2/baz']],
    ['/test/a/b3*/c', []],
    ['test/a/b/./c3*', []],
    [
      '**/bar',
      ['test', 'test/a', 'test/a/b2', 'test/a/b2/c', 'test/a/b2/c/d', 'test/a/b2/c/d/e', 'test/a/b2/c/d/e/bar'],
    ],
  ])('takes %s with the folders above it', async (source, expected) => {
    await build([`COPY --parents ${source} /out/`]);
    expect(names()).toEqual(['out', ...expected.map((name) => `out/${name}`)]);
  });

  test('has the modes of folders that it takes, and leaves out what --exclude says', async () => {
    chmodSync(workspace.path('test/a'), 0o700);
    chmodSync(workspace.path('test'), 0o750);
    mkdirSync(workspace.path('there/a'), { recursive: true });
    await build(['COPY there /', 'COPY --parents --chown=1 --exclude=**/e test/./a/b/c/d /']);
    expect(workspace.list()).toEqual([
      '700 0 a',
      '755 1 a/b',
      '755 1 a/b/c',
      '755 1 a/b/c/d',
      '644 1 a/b/c/d/foo=text',
    ]);
  });

  test('follows links up to the /./ only', async () => {
    symlinkSync('test/a', workspace.path('link'));
    symlinkSync('b', workspace.path('test/a/inner'));
    await build(['COPY --parents link/./inner link/./b/c/d/foo /']);
    expect(names().filter((name) => !name.startsWith('b/'))).toEqual(['b', 'inner']);
    for (const source of ['link/b', 'test/a/inner/c', 'test/none', 'none/./x', 'test/a/b/c/d/foo/x']) {
      await expect(build([`COPY --parents ${source} /`]), source).rejects.toMatchObject({ code: 'DOCKERFILE_INVALID' });
    }
  });

  test('is no flag where it is false', async () => {
    await build(['COPY --parents=false test/a/b/c/d/foo /']);
    expect(names()).toEqual(['foo']);
  });
});

describe('here-documents', () => {
  test.each([
    [['COPY <<a a /x/', 'text', 'a'], ['644 0 x/a=text\n']],
    [['COPY <<-"E-1" /x/', '\t$A', '\tE-1'], ['644 0 x/E-1=$A\n']],
    [['COPY <<E"O"F /x/', '$A', 'EOF'], ['644 0 x/EOF=$A\n']],
    [['COPY 3<<EOF /x/', '$A', 'EOF'], ['644 0 x/EOF=\n']],
    [['COPY <<EOF /x/', 'a\r', '$A\r', 'EOF\r'], ['644 0 x/EOF=a\r\n\r\n']],
    [['COPY <<E <<E /x/', '1', 'E', '2', 'E'], ['644 0 x/E=2\n']],
  ])('%j are read as BuildKit reads them', async (lines, expected) => {
    await build(lines);
    expect(workspace.list()).toEqual(['755 0 x', ...expected]);
  });

  test('may come by ONBUILD', async () => {
    workspace.put('Dockerfile', 'FROM scratch AS b\nONBUILD COPY <<-A <<B /\n\t1\n\tA\n2 $A\nB\nFROM b\nCOPY a /\n');
    await workspace.build('Dockerfile', { builder: 'embedded' });
    expect(workspace.list()).toEqual(['644 0 A=1\n', '644 0 B=2 \n', '644 0 a=a']);
  });

  test('stand where a shell wants them, also after a blank, and not where it calculates', async () => {
    const lines = ['RUN cat << EOF > /x && echo $((1 << 2)) $(( 1<<3 ))', 'anything', 'EOF', 'COPY missing /'];
    const error: unknown = await build(lines, { builder: 'embedded' }).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(RootfsFault);
    expect(error).toMatchObject({ code: 'BUILDER_MISSING' });
  });

  test('are no target', async () => {
    await expect(build(['COPY a <<EOF', 'EOF'])).rejects.toMatchObject({ code: 'DOCKERFILE_INVALID' });
  });
});

test('SHELL goes on to the stages that begin with this one', async () => {
  workspace.put('Dockerfile', 'FROM scratch AS b\nSHELL ["/sh", "-x"]\nFROM b\nCMD run it\n');
  const { config } = await workspace.build('Dockerfile', { builder: 'embedded' });
  expect(config?.cmd).toEqual(['/sh', '-x', 'run it']);
});

test('directives are those that Docker knows, once each', async () => {
  workspace.put('Dockerfile', '# unknown=1\n# escape=`\nFROM scratch\nENV A=`$B\n');
  const unknown = await workspace.build('Dockerfile', { builder: 'embedded' });
  expect(unknown.config?.env).toContain('A=`');
  workspace.put('Dockerfile', ' # check=skip=all\n # escape=`\nFROM scratch\nENV A=`$B\n');
  const indented = await workspace.build('Dockerfile', { builder: 'embedded' });
  expect(indented.config?.env).toContain('A=$B');
  workspace.put('Dockerfile', '# escape=`\n# escape=`\nFROM scratch\n');
  await expect(workspace.build('Dockerfile', { builder: 'embedded' })).rejects.toMatchObject({
    code: 'DOCKERFILE_INVALID',
    at: `${workspace.path('Dockerfile')}:2`,
  });
});
