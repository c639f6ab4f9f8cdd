import { posix } from 'node:path';
import type { ImageDefaults } from '../image.ts';
import { type Dockerfile, type Instruction, invalid } from './parse.ts';
import { readArgs, type Stages } from './stages.ts';
import { expand, jsonWords, NeedsBuilder, splitWords, type Variables } from './words.ts';

/** What BuildKit and buildah give images that set none, `scratch` among them. */
const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

const defaultShell = ['/bin/sh', '-c'];

/** Whether a target of COPY is a directory by the way it is written: `.`, or a slash at its end, perhaps with a dot. */
function namesDirectory(target: string): boolean {
  return /^$|^\.$|\/\.?$/.test(target);
}

/** What all stages of one build share. */
export interface BuildScope {
  readonly dockerfile: Dockerfile;
  readonly stages: Stages;
  readonly buildArgs: Variables;
  /** TARGETARCH and the like. */
  readonly platformArgs: Variables;
  /** Whether variables of images win over arguments, and heirs of a stage get none of its arguments: podman and buildah. */
  readonly prefersEnv?: boolean;
  /** Stands for a value that only a real builder can tell; without it, such a value is a {@link NeedsBuilder}. */
  readonly unknown?: string;
}

/**
 * What the instructions of one stage that touch no file say: its variables and the defaults of its image.
 */
export class StageScope {
  readonly #build: BuildScope;
  /** Of variables and arguments. */
  readonly #values: Map<string, string>;
  readonly #env = new Map<string, string>();
  readonly #unset: Variables;
  #entrypoint: readonly string[] | undefined;
  #command: readonly string[] | undefined;
  #hasOwnCommand = false;
  #shell: readonly string[] | undefined;
  #user: string | undefined;
  #directory: string | undefined;

  /**
   * @param base  the defaults of the image that it begins with
   * @param unset  values of what neither that nor the stage sets, where the image is not known
   * @param before  the values that an earlier stage ends with
   */
  constructor(
    build: BuildScope,
    base: ImageDefaults,
    unset?: Variables,
    before: ReadonlyMap<string, string> = new Map(),
  ) {
    this.#build = build;
    this.#unset = unset ?? (() => undefined);
    this.#values = new Map(before);
    for (const entry of base.Env ?? []) {
      const equals = entry.indexOf('=');
      this.#set(entry.slice(0, equals), entry.slice(equals + 1));
    }
    if (unset === undefined && !this.#env.has('PATH')) this.#set('PATH', defaultPath);
    this.#entrypoint = base.Entrypoint;
    this.#command = base.Cmd;
    this.#shell = base.Shell;
    this.#user = base.User;
    this.#directory = base.WorkingDir;
  }

  /** For BuildKit the last of ENV and ARG counts, whatever its documents say. */
  readonly variables: Variables = (name) =>
    this.#build.prefersEnv === true
      ? (this.#env.get(name) ?? this.#unset(name) ?? this.#values.get(name))
      : (this.#values.get(name) ?? this.#unset(name));

  /** A stage that begins with this one as it is now. */
  heir(): StageScope {
    const values = this.#build.prefersEnv === true ? undefined : this.#values;
    return new StageScope(this.#build, this.defaults(), this.#unset, values);
  }

  get user(): string | undefined {
    return this.#user;
  }

  /** A path of this stage, relative to its WORKDIR, with the final slash that was written. */
  resolve(path: string): string {
    const absolute = posix.resolve('/', this.#directory ?? '', path);
    return namesDirectory(path) && absolute !== '/' ? `${absolute}/` : absolute;
  }

  expand(text: string, line: number): string {
    const { dockerfile, unknown } = this.#build;
    try {
      return expand(text, this.variables, dockerfile.escape, line);
    } catch (error) {
      if (unknown === undefined || !(error instanceof NeedsBuilder)) throw error;
      return unknown;
    }
  }

  /** Takes in one instruction; those that only say something to builders or to Docker pass. */
  apply(instruction: Instruction): void {
    const { keyword, rest, line } = instruction;
    switch (keyword) {
      case 'ARG':
        this.#declare(instruction);
        break;
      case 'ENV':
        for (const [name, value] of this.#pairs(instruction)) this.#set(name, value);
        break;
      case 'LABEL':
        // Nobody asks for them here, but what is no label is told.
        this.#pairs(instruction);
        break;
      case 'WORKDIR':
        this.#directory = posix.resolve('/', this.#directory ?? '', this.expand(rest, line));
        break;
      case 'USER':
        this.#user = this.expand(rest, line);
        break;
      case 'SHELL':
        this.#shell = jsonWords(rest) ?? [];
        break;
      case 'CMD':
        this.#command = this.#program(rest);
        this.#hasOwnCommand = true;
        break;
      case 'ENTRYPOINT':
        this.#entrypoint = this.#program(rest);
        // Docker forgets the base's CMD here, since it belonged to the base's ENTRYPOINT.
        if (!this.#hasOwnCommand) this.#command = undefined;
        break;
    }
  }

  defaults(): ImageDefaults {
    return {
      Env: [...this.#env].map(([name, value]) => `${name}=${value}`),
      Entrypoint: this.#entrypoint,
      Cmd: this.#command,
      Shell: this.#shell,
      WorkingDir: this.#directory,
      User: this.#user,
    };
  }

  #set(name: string, value: string): void {
    this.#env.set(name, value);
    this.#values.set(name, value);
  }

  #declare(instruction: Instruction): void {
    const { buildArgs, platformArgs, stages, dockerfile } = this.#build;
    const replaced = (text: string): string => this.expand(text, instruction.line);
    for (const { name, value } of readArgs(instruction, dockerfile.escape, replaced)) {
      const before = stages.globalArgs.get(name);
      const common = before?.includes('${') === true ? replaced(before) : before;
      // A default here counts more than the one before the first FROM, a given value more than both.
      const given = buildArgs(name) ?? value ?? common ?? platformArgs(name);
      if (given !== undefined) this.#values.set(name, given);
    }
  }

  /** `NAME=value …`, or the old form `NAME value`. */
  #pairs({ rest, line, keyword }: Instruction): [string, string][] {
    const { escape, path } = this.#build.dockerfile;
    const words = splitWords(rest, escape);
    if (words[0]?.includes('=') === false) {
      const match = /^(\S+)\s+([^]+)$/.exec(rest);
      if (match === null) throw invalid(path, line, `${keyword} ${rest} gives no value`);
      return [[this.expand(match[1] ?? '', line), this.expand(match[2] ?? '', line)]];
    }
    return words.map((word) => {
      const equals = word.indexOf('=');
      if (equals < 1) throw invalid(path, line, `${keyword} takes NAME=value, not ${word}`);
      return [this.expand(word.slice(0, equals), line), this.expand(word.slice(equals + 1), line)];
    });
  }

  #program(rest: string): readonly string[] | undefined {
    const words = jsonWords(rest) ?? [...(this.#shell ?? defaultShell), rest];
    return words.length === 0 ? undefined : words;
  }
}
