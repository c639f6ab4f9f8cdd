import { readFile } from 'node:fs/promises';
import { run } from '@nx-kraft/base';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { expectAnswersOnHost, hostPort } from '../../test/host-program.ts';
import { fileLine } from '../../test/stand-in.ts';
import { useStandIn } from '../../test/use-stand-in.ts';
import { TestWorkspace } from '../../test/workspace.ts';
import { templates } from './app/templates.ts';

const standIn = useStandIn();
let workspace: TestWorkspace;

beforeEach(async () => {
  workspace = await TestWorkspace.create('tools/test-kernel');
  // What a template would install is in the folder of packages already that all these workspaces share.
  const { devDependencies } = templates.typescript;
  await workspace.write('package.json', JSON.stringify({ name: 'test-workspace', private: true, devDependencies }));
});
afterEach(() => workspace.remove());

/** Runs a generator of the plugin, which must succeed. */
async function generate(...args: readonly string[]): Promise<string> {
  const { exitCode, output } = await workspace.nx('g', ...args);
  expect(exitCode, output).toBe(0);
  return output;
}

const makeApp = (name: string, template: string, ...more: readonly string[]): Promise<string> =>
  generate('nx-kraft:app', `apps/${name}`, `--template=${template}`, ...more);

test.each(['c', 'cpp'])('an app of the template %s is built, boots and passes its test', async (template) => {
  await makeApp('web', template, '--unikraft=tools/test-kernel');
  const { exitCode, output } = await workspace.nx(
    'run-many',
    '-t',
    'build',
    'test',
    'lint',
    'package',
    '--offline',
    '--frozen',
  );
  expect(exitCode, output).toBe(0);
  expect((await workspace.nx('run', 'web:run')).output).toContain('Hello, world!');
});

test('a library is compiled into the app that uses it, and a changed one builds the app again', async () => {
  await makeApp('web', 'c', '--unikraft=tools/test-kernel', '--targets=qemu/x86_64');
  await generate('nx-kraft:library', 'libs/sums', '--app=web');
  await workspace.edit('apps/web/main.c', '#include <unistd.h>\n', '#include <unistd.h>\n#include <sums/sums.h>\n');
  await workspace.edit(
    'apps/web/main.c',
    'return show("/etc/motd");',
    'printf("%d\\n", sums_add(40, 2));\n\treturn 0;',
  );
  expect((await workspace.nx('run', 'web:run')).output).toMatch(/^42$/m);
  await workspace.edit('libs/sums/sums.c', 'one + other', 'one - other');
  const again = await workspace.nx('run', 'web:run');
  expect(again.ran).toContain('web:build:qemu-x86_64');
  expect(again.output).toMatch(/^38$/m);
});

test('a dry run tells what would be made, and makes nothing; a mistake is told in a sentence', async () => {
  expect(await makeApp('web', 'c', '--dry-run')).toContain('CREATE apps/web/Kraftfile');
  expect((await workspace.nx('show', 'projects')).output).not.toContain('web');
  const { exitCode, output } = await workspace.nx('g', 'nx-kraft:app', 'apps/1st', '--template=c');
  expect(exitCode).toBe(1);
  expect(output).toContain("'1st' is no name for a project (BAD_NAME)");
  expect(output).not.toContain('stacktrace');
  expect((await workspace.nx('g', 'nx-kraft:app', '--help')).output).toContain('What the app begins with: c,');
});

test('on a terminal the template is asked for, in words that say what it is', async () => {
  // Nx asks nothing in CI, whatever it runs on.
  workspace.environment.CI = 'false';
  const asked = 'A static site, served by nginx';
  const seen = await workspace.nxOnTerminal(asked, '\r', 'g', 'nx-kraft:app', 'apps/web', '--dry-run');
  expect(seen).toContain('What does the app begin with?');
  expect(seen).toContain('CREATE apps/web/main.c');
});

test('what git cannot bring back is not removed and not rewritten', async () => {
  await makeApp('web', 'c', '--unikraft=tools/test-kernel');
  await run('git', ['init', '--quiet'], { cwd: workspace.folder });
  const refused = await workspace.nx('g', 'nx-kraft:remove', 'web');
  expect(refused.exitCode).toBe(1);
  expect(refused.output).toContain('apps/web has changes that are in no commit, and would be lost');
  await run('git', ['add', '.'], { cwd: workspace.folder });
  const author = ['-c', 'user.name=Test', '-c', 'user.email=test@example.org'];
  await run('git', [...author, 'commit', '--quiet', '--message', 'All'], { cwd: workspace.folder });
  await workspace.nx('run', 'web:run');
  await generate('nx-kraft:remove', 'web');
  expect((await workspace.nx('show', 'projects')).output).not.toContain('web');
});

test('targetDefaults for other projects change no task of a unikernel once the workspace is set up', async () => {
  await makeApp('web', 'c', '--unikraft=tools/test-kernel', '--targets=qemu/x86_64');
  const targetDefaults = {
    build: { dependsOn: ['^build'], inputs: ['default'], cache: true },
    test: { dependsOn: ['^build'], inputs: ['default'], cache: true },
  };
  await workspace.write('nx.json', JSON.stringify({ plugins: ['nx-kraft'], analytics: false, targetDefaults }));
  expect((await workspace.nx('run', 'web:lint')).output).toContain('nx g nx-kraft:init keeps them as they must be');
  await generate('nx-kraft:init');
  const built = await workspace.nx('run', 'web:build');
  expect(built.ran).toContain('web:build:qemu-x86_64');
  expect(built.output).not.toContain('targetDefaults');
  expect(await workspace.nx('run', 'web:build')).toMatchObject({ exitCode: 0, ran: [] });
  await workspace.nx('run', 'web:test');
  await workspace.edit('apps/web/main.c', 'Hello', 'Good day');
  expect((await workspace.nx('run', 'web:test')).exitCode).toBe(1);
});

describe.each(['python', 'node', 'typescript', 'nginx'] as const)('an app of the template %s', (template) => {
  test('hands its files and its command to the runtime (a stand-in, which runs nothing)', async () => {
    await standIn.provide(templates[template].runtime, workspace.path('.caches/images'));
    await makeApp('web', template);
    const files = {
      python: { '/app/server.py': 'src/server.py' },
      node: { '/app/server.js': 'src/server.js' },
      typescript: { '/app/main.js': 'dist/main.js' },
      nginx: { '/wwwroot/index.html': 'rootfs/wwwroot/index.html' },
    }[template];
    const [[guestPath, file]] = Object.entries(files) as [[string, string]];
    const { exitCode, output } = await workspace.nx('run', 'web:run', `--ports=${hostPort}:80`, '--env.PLACE=here');
    expect(exitCode, output).toBe(0);
    expect(output).toContain(await fileLine(guestPath, workspace.path(`apps/web/${file}`)));
    expect(output).toContain('environment PLACE=here');
    const command = /^cmd: \[(.*)\]$/m.exec(await readFile(workspace.path('apps/web/Kraftfile'), 'utf8'))?.[1] ?? '';
    for (const [index, word] of command.split(', ').entries())
      expect(output).toContain(`argument ${index + 1}: ${word}`);
    expect((await workspace.nx('run-many', '-t', 'package', 'lint')).exitCode).toBe(0);
  });
});

/** How this host makes and starts a template's program, as the Dockerfile and the Kraftfile do it for the guest. */
const programs = {
  'c-runtime': { compile: true, start: ['./server'] },
  // By its own loader and libraries alone.
  'cpp-runtime': {
    compile: true,
    start: ['sh', '-c', 'exec files/lib*/ld-linux-*.so.? --library-path files/lib files/server'],
  },
  python: { start: ['python3', 'src/server.py'] },
  node: { start: [process.execPath, 'src/server.js'] },
  typescript: { bundle: true, start: [process.execPath, 'dist/main.js'] },
} as const;

test.each(Object.entries(programs))(
  'the program of %s answers as its test expects (on this host)',
  async (template, how) => {
    await makeApp('web', template);
    const folder = workspace.path('apps/web');
    if ('compile' in how) await compile(await readFile(`${folder}/Dockerfile`, 'utf8'), folder);
    if ('bundle' in how) expect((await workspace.nx('run-many', '-t', 'compile', 'typecheck')).exitCode).toBe(0);
    await expectAnswersOnHost(folder, how.start, hostPort);
  },
);

/** Runs what the Dockerfile does, with this host's compiler, in the app's folder instead of the image. */
async function compile(dockerfile: string, folder: string): Promise<void> {
  const lines = dockerfile.replaceAll('\\\n', ' ').matchAll(/^RUN (.+)$/gm);
  for (const [, line = ''] of lines) {
    const here = line.replaceAll('/src/', '').replaceAll(/ \/(server|files)\b/g, ` ${folder}/$1`);
    await run('sh', ['-c', here], { cwd: folder });
  }
}
