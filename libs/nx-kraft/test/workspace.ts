import { spawn } from 'node:child_process';
import { statSync } from 'node:fs';
import { chmod, cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { copyOfRepository } from './copy-of-repository.ts';

const repository = resolve(import.meta.dirname, '../../..');

/** What one run of Nx did. */
export interface NxRun {
  readonly exitCode: number;
  /** Standard output and standard error as they came. */
  readonly output: string;
  /** The tasks that came from the cache, and those that did not, as `project:target`. */
  readonly cached: readonly string[];
  readonly ran: readonly string[];
}

/**
 * A workspace of its own for a test, in a temporary folder: the plugin and Nx are those of this repository, caches and
 * shared objects are the workspace's own.
 */
export class TestWorkspace {
  readonly folder: string;
  /** Added to the environment of what is started here; the last word. */
  readonly environment: Record<string, string> = {};
  /** When a program was started here last, in milliseconds since 1970. */
  #startedAt = 0;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** @param copies  files and folders of this repository to begin with, by their paths */
  static async create(...copies: readonly string[]): Promise<TestWorkspace> {
    const workspace = new TestWorkspace(await mkdtemp(join(tmpdir(), 'nx-kraft-')));
    await symlink(join(repository, 'node_modules'), workspace.path('node_modules'));
    await workspace.write('package.json', JSON.stringify({ name: 'test-workspace', private: true }));
    await workspace.write(
      'nx.json',
      JSON.stringify({
        plugins: ['nx-kraft'],
        sync: { globalGenerators: ['nx-kraft:sync'] },
        neverConnectToCloud: true,
        analytics: false,
      }),
    );
    await workspace.write('.gitignore', 'node_modules\n.nx\n.unikraft\n.caches\n');
    for (const copy of copies) {
      const filter = (path: string): boolean => !/\/(\.unikraft|node_modules)(\/|$)/.test(path);
      await cp(join(repository, copy), workspace.path(copy), { recursive: true, filter });
    }
    return workspace;
  }

  /** Another checkout of what a workspace has committed, on a machine of its own as far as caches go. */
  static async cloneOf(source: TestWorkspace): Promise<TestWorkspace> {
    const workspace = new TestWorkspace(await mkdtemp(join(tmpdir(), 'nx-kraft-')));
    await symlink(join(repository, 'node_modules'), workspace.path('node_modules'));
    await workspace.git('init', '--quiet', '--initial-branch=main');
    await workspace.git('pull', '--quiet', source.folder, 'main');
    return workspace;
  }

  /** This repository itself, whose plugin is part of the workspace. */
  static async ofRepository(): Promise<TestWorkspace> {
    const workspace = new TestWorkspace(await mkdtemp(join(tmpdir(), 'nx-kraft-')));
    await copyOfRepository(workspace.folder);
    return workspace;
  }

  /** Commits all that is there, in a repository that is made if need be. */
  async commit(message: string): Promise<void> {
    await this.git('init', '--quiet', '--initial-branch=main');
    await this.git('add', '--all');
    await this.git('-c', 'user.name=test', '-c', 'user.email=test@example.com', 'commit', '--quiet', '-m', message);
  }

  async git(...args: readonly string[]): Promise<void> {
    const { exitCode, output } = await this.#spawn('git', args).ended;
    if (exitCode !== 0) throw new Error(`git ${args.join(' ')}: ${output}`);
  }

  path(relative: string): string {
    return join(this.folder, relative);
  }

  async write(relative: string, text: string): Promise<void> {
    await mkdir(dirname(this.path(relative)), { recursive: true });
    await this.#untilSeen(this.path(relative));
    await writeFile(this.path(relative), text);
  }

  /** Waits until a file gets another time than it had when Nx may have looked at it: of times Nx compares whole seconds. */
  async #untilSeen(path: string): Promise<void> {
    const written = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
    // Clocks of file systems are behind by a few milliseconds.
    const nextSecond = Math.floor(written / 1000) * 1000 + 1020;
    if (written < this.#startedAt && Date.now() < nextSecond) await sleep(nextSecond - Date.now());
  }

  async edit(relative: string, from: string, to: string): Promise<void> {
    const text = await readFile(this.path(relative), 'utf8');
    if (!text.includes(from)) throw new Error(`${relative} has no '${from}'`);
    await this.write(relative, text.replace(from, to));
  }

  /** Runs Nx in the workspace and waits for its end. */
  async nx(...args: readonly string[]): Promise<NxRun> {
    const { exitCode, output } = await this.start(...args).ended;
    return { exitCode, output, ...tasksIn(output) };
  }

  /** Runs the command `nx-kraft` in the workspace and gives its standard output. */
  async nxKraft(...args: readonly string[]): Promise<string> {
    const { child, ended } = this.#spawn(join(repository, 'libs/nx-kraft/bin/nx-kraft.js'), args);
    let output = '';
    child.stdout.on('data', (text: string) => (output += text));
    await ended;
    return output;
  }

  /** Puts compilers that tell their version and compile nothing before the real ones. */
  async withoutCompilers(): Promise<void> {
    for (const program of ['gcc', 'make']) {
      const lines = `#!/bin/sh\n[ "$1" = --version ] && PATH=\${PATH#*:} exec ${program} --version\nexit 99\n`;
      await this.write(`.caches/bin/${program}`, lines);
      await chmod(this.path(`.caches/bin/${program}`), 0o755);
    }
    this.environment.PATH = `${this.path('.caches/bin')}:${process.env.PATH}`;
  }

  /** Runs a line of a CI's script, and gives what it showed. */
  shell(line: string): Promise<{ readonly exitCode: number; readonly output: string }> {
    return this.#spawn('sh', ['-ec', line]).ended;
  }

  /** Starts Nx in the workspace. */
  start(...args: readonly string[]) {
    return this.#spawn(join(repository, 'node_modules/.bin/nx'), args);
  }

  /**
   * Runs Nx in the workspace on a terminal, and types there once something is shown.
   *
   * @param prompt  what is waited for
   * @param input  as it is typed: `\u0004` ends the input
   * @returns what the terminal showed
   */
  async nxOnTerminal(prompt: string, input: string, ...args: readonly string[]): Promise<string> {
    const nx = [join(repository, 'node_modules/.bin/nx'), ...args].join(' ');
    // Without a size programs that draw would break each line after its first letter.
    const line = `stty rows 40 columns 120 && exec ${nx}`;
    const { child, ended } = this.#spawn('script', ['--quiet', '--return', '--command', line, '/dev/null'], 'typing');
    let seen = '';
    child.stdout.on('data', (text: string) => {
      const before = seen.includes(prompt);
      seen += text;
      if (!before && seen.includes(prompt)) child.stdin.write(input);
    });
    return (await ended).output;
  }

  #spawn(program: string, args: readonly string[], input?: 'typing') {
    this.#startedAt = Date.now();
    const bin = join(repository, 'node_modules/.bin');
    const child = spawn(program, args, {
      cwd: this.folder,
      stdio: ['pipe', 'pipe', 'pipe'],
      env: {
        ...withoutNx(process.env),
        PATH: `${bin}:${process.env.PATH}`,
        CI: 'true',
        NX_DAEMON: 'false',
        NX_CACHE_DIRECTORY: this.path('.caches/nx'),
        NX_WORKSPACE_DATA_DIRECTORY: this.path('.caches/data'),
        NX_KRAFT_OBJECTS: this.path('.caches/objects'),
        NX_KRAFT_IMAGES: this.path('.caches/images'),
        XDG_STATE_HOME: this.path('.caches/state'),
        NX_KRAFT_STORE: this.path('.caches/sources'),
        FORCE_COLOR: '0',
        NO_COLOR: '1',
        ...this.environment,
      },
    });
    if (input === undefined) child.stdin.end();
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => (output += text));
    }
    const ended = new Promise<{ exitCode: number; output: string }>((done, fail) => {
      child.on('error', fail).on('close', (code) => done({ exitCode: code ?? -1, output }));
    });
    return { child, ended, output: () => output };
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** The tasks that Nx tells of, by whether they came from the cache. */
export function tasksIn(output: string): Pick<NxRun, 'cached' | 'ran'> {
  const cached = new Set<string>();
  const ran = new Set<string>();
  // One task alone is told with `>`, one of many with a tick or a cross.
  for (const [, task = '', note = ''] of output.matchAll(/^(?:>|✔|✖) +nx run (\S+)(?: +\[(.*)\])?$/gm)) {
    (/cache/.test(note) ? cached : ran).add(task.replaceAll('"', ''));
  }
  return { cached: [...cached].toSorted(), ran: [...ran].toSorted() };
}

/** The environment without what an Nx around the tests has put there. */
function withoutNx(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !/^(NX_|LERNA_|npm_)/.test(name)));
}
