import { mkdtempSync } from 'node:fs';
import { basename, join } from 'node:path';
import {
  type DirectoryNode,
  emptyDirectory,
  type LeftOut,
  makeDirectory,
  TarToCpio,
  toByteName,
  toText,
} from '@nx-kraft/archive';
import { ProgramFault } from '@nx-kraft/base';
import { type ImageDefaults, type SourceImage, unpackImage } from '../image.ts';
import { isTarFile, readTar } from '../tar-file.ts';
import { cloneTree, copyInto, findMatches, leadsThroughLink, type Match } from './copy.ts';
import { findOwner } from './owner.ts';
import { type Heredoc, heredocMark, type Instruction, invalid } from './parse.ts';
import { addsFromNetwork, isRemote } from './remote.ts';
import { type BuildScope, namesDirectory, StageScope } from './scope.ts';
import { type Stage, stageIndex } from './stages.ts';
import { copyWords, expand, hasOpenQuote, NeedsBuilder } from './words.ts';

export interface EmbeddedOptions extends BuildScope {
  /** The context after `.dockerignore`, and where it is, for faults. */
  readonly context: DirectoryNode;
  readonly contextPath: string;
  /** Further contexts by name. */
  readonly namedContexts: ReadonlyMap<string, DirectoryNode>;
  readonly owners: 'root' | 'keep';
  /** @throws NeedsBuilder where there is nobody to get images from */
  readonly openImage: (reference: string, platform: string | undefined, line: number) => Promise<SourceImage>;
  /** A directory for the contents of images and archives; it must stay until the tree is written. */
  readonly scratch: string;
}

export interface Built {
  readonly root: DirectoryNode;
  readonly config: ImageDefaults;
  readonly leftOut: readonly LeftOut[];
  /** What people should know, as sentences. */
  readonly warnings: readonly string[];
}

/**
 * Builds a stage of a Dockerfile that runs nothing, without any builder: files are only named here and copied once, into
 * the output.
 *
 * @throws NeedsBuilder where only a real builder knows what to do
 * @throws RootfsFault DOCKERFILE_INVALID with the line
 */
export async function buildEmbedded(stage: Stage, options: EmbeddedOptions): Promise<Built> {
  const builder = new EmbeddedBuilder(options);
  const { root, scope } = await builder.stage(stage);
  return { root, config: scope.defaults(), leftOut: builder.leftOut, warnings: builder.warnings };
}

interface StageResult {
  readonly root: DirectoryNode;
  readonly scope: StageScope;
}

interface OpenedImage {
  readonly root: DirectoryNode;
  readonly config: ImageDefaults;
}

class EmbeddedBuilder {
  readonly leftOut: LeftOut[] = [];
  readonly warnings: string[] = [];
  readonly #options: EmbeddedOptions;
  readonly #stages = new Map<number, Promise<StageResult>>();
  readonly #images = new Map<string, Promise<OpenedImage>>();

  constructor(options: EmbeddedOptions) {
    this.#options = options;
  }

  stage(stage: Stage): Promise<StageResult> {
    const known = this.#stages.get(stage.index) ?? this.#build(stage);
    this.#stages.set(stage.index, known);
    return known;
  }

  async #build(stage: Stage): Promise<StageResult> {
    const base = await this.#base(stage);
    // What a stage does must not reach those who use its base, too.
    const root = cloneTree(base.root);
    const scope = base.scope.heir();
    for (const instruction of stage.instructions) {
      scope.apply(instruction);
      if (instruction.keyword === 'WORKDIR') this.#makeDirectory(root, scope.resolve('.'), instruction);
      else if (instruction.keyword === 'COPY' || instruction.keyword === 'ADD') {
        await this.#copy(root, scope, instruction, stage);
      } else if (instruction.keyword === 'RUN') throw new NeedsBuilder('runs a command', instruction.line);
    }
    return { root, scope };
  }

  async #base({ base, baseStage, platform, line }: Stage): Promise<StageResult> {
    if (baseStage !== undefined) return this.#numbered(baseStage);
    if (base.includes('$')) throw new NeedsBuilder('replaces parts of a variable', line);
    if (base === 'scratch') return this.#result(emptyDirectory());
    const context = this.#options.namedContexts.get(base);
    if (context !== undefined) return this.#result(context);
    const { root, config } = await this.#image(base, platform, line);
    if ((config.OnBuild ?? []).length > 0) {
      throw new NeedsBuilder(`begins with ${base}, whose ONBUILD instructions come into it`, line);
    }
    return this.#result(root, config);
  }

  #result(root: DirectoryNode, config: ImageDefaults = {}): StageResult {
    return { root, scope: new StageScope(this.#options, config) };
  }

  #numbered(index: number): Promise<StageResult> {
    const stage = this.#options.stages.stages[index];
    return stage === undefined ? Promise.resolve(this.#result(emptyDirectory())) : this.stage(stage);
  }

  #image(reference: string, platform: string | undefined, line: number): Promise<OpenedImage> {
    const key = `${reference} ${platform ?? ''}`;
    const known = this.#images.get(key) ?? this.#unpack(reference, platform, line);
    this.#images.set(key, known);
    return known;
  }

  async #unpack(reference: string, platform: string | undefined, line: number): Promise<OpenedImage> {
    const { openImage, scratch, owners } = this.#options;
    const image = await openImage(reference, platform, line);
    const { root, leftOut } = await unpackImage(image, reference, scratch, owners);
    this.leftOut.push(...leftOut);
    return { root, config: image.config };
  }

  async #copy(root: DirectoryNode, scope: StageScope, instruction: Instruction, stage: Stage): Promise<void> {
    const { line, keyword } = instruction;
    const words = this.#words(instruction, scope);
    const target = words.pop();
    if (target === undefined || words.length === 0) throw this.#invalid(line, `${keyword} takes a source and a target`);
    if (words.length > 1 && !namesDirectory(target)) {
      throw this.#invalid(line, `with more than one source, the target ${target} must end with /`);
    }
    // What a variable stands for is known only here.
    if (keyword === 'ADD' && words.some(isRemote)) throw new NeedsBuilder(addsFromNetwork, line);
    const flags = new Map(instruction.flags.map(({ name, value }) => [name, scope.expand(value, line)]));
    // Such a layer is made apart from what is there, and a directory of it then replaces the link.
    if (flags.get('link') === '' && leadsThroughLink(root, toByteName(scope.resolve(target)))) {
      throw new NeedsBuilder('copies with --link to where a symbolic link leads', line);
    }
    const from = flags.get('from');
    const source = from === undefined ? this.#options.context : await this.#source(from, stage, line);
    const options = {
      at: `${this.#options.dockerfile.path}:${line}`,
      mode: this.#mode(flags.get('chmod'), line),
      owner: this.#owner(root, flags.get('chown'), line),
    };
    const heredocs = [...instruction.heredocs];
    for (const word of words) {
      const matches = await this.#matches(source, word, heredocs, instruction, scope, from);
      for (const match of matches) copyInto(root, toByteName(scope.resolve(target)), match, options);
    }
  }

  #words({ rest, line }: Instruction, scope: StageScope): string[] {
    const { escape } = this.#options.dockerfile;
    return copyWords(rest).map((word) => {
      if (isHeredoc(word)) return word;
      if (!hasOpenQuote(word, escape)) return scope.expand(word, line);
      const hint = 'Names with blanks are written as a list: COPY ["two words", "/target/"]';
      throw this.#invalid(line, `${word} has a quote without an end`, hint);
    });
  }

  /** Stages before this one by name or number, then named contexts, then images. */
  async #source(from: string, stage: Stage, line: number): Promise<DirectoryNode> {
    const before = this.#options.stages.stages.slice(0, stage.index);
    const index = stageIndex(before, from);
    if (index !== undefined) return (await this.#numbered(index)).root;
    const context = this.#options.namedContexts.get(from);
    return context ?? (await this.#image(from, undefined, line)).root;
  }

  async #matches(
    source: DirectoryNode,
    word: string,
    heredocs: Heredoc[],
    instruction: Instruction,
    scope: StageScope,
    from: string | undefined,
  ): Promise<Match[]> {
    const { line, keyword } = instruction;
    if (isHeredoc(word)) return heredocs.splice(0, 1).map((heredoc) => this.#heredoc(heredoc, scope, line));
    const { matches, broken, isBegun } = findMatches(source, toByteName(word));
    if (broken !== undefined) throw this.#invalid(line, `${toText(broken)} is a symbolic link that leads nowhere`);
    if (matches.length === 0) {
      if (isBegun) {
        this.warnings.push(`${basename(this.#options.dockerfile.path)}:${line}: nothing is named like ${word}.`);
        return [];
      }
      const where = from === undefined ? this.#options.contextPath : from;
      const hint =
        from === undefined
          ? 'Paths are relative to the context. Also look whether .dockerignore leaves it out, or which task makes it.'
          : undefined;
      throw this.#invalid(line, `there is no ${word} in ${where}`, hint);
    }
    if (keyword === 'COPY' || from !== undefined) return matches;
    return Promise.all(matches.map((match) => this.#extract(match, line)));
  }

  #heredoc({ name, content, expand: isExpanded }: Heredoc, scope: StageScope, line: number): Match {
    // Whatever the Dockerfile's escape character is.
    const text = isExpanded ? expand(content, scope.variables, '\\', line, true) : content;
    const bytes = Buffer.from(text, 'utf8');
    const meta = { mode: 0o644, uid: 0, gid: 0 };
    return { name, node: { kind: 'file', meta, size: bytes.length, content: { bytes } } };
  }

  /** ADD unpacks tar archives of the context, whatever their names. */
  async #extract(match: Match, line: number): Promise<Match> {
    const { node } = match;
    if (node.kind !== 'file' || !('file' in node.content)) return match;
    const { file } = node.content;
    try {
      if (!(await isTarFile(file))) return match;
      return { name: '', node: await this.#unpackTar(file), isUnpacked: true };
    } catch (error) {
      if (!(error instanceof ProgramFault)) throw error;
      throw new NeedsBuilder(`adds ${toText(match.name)}, but ${error.message}`, line);
    }
  }

  async #unpackTar(file: string | Buffer): Promise<DirectoryNode> {
    const spool = join(mkdtempSync(join(this.#options.scratch, 'add-')), 'contents');
    const converter = new TarToCpio(spool, file.toString(), { owners: this.#options.owners });
    try {
      await readTar(file, (chunk) => converter.push(chunk));
      const { root, leftOut } = converter.finishAsTree();
      this.leftOut.push(...leftOut);
      return root;
    } finally {
      converter.close();
    }
  }

  #makeDirectory(root: DirectoryNode, path: string, { line }: Instruction): void {
    makeDirectory(root, toByteName(path), `${this.#options.dockerfile.path}:${line}`);
  }

  #mode(text: string | undefined, line: number): number | undefined {
    if (text === undefined) return undefined;
    if (!/^[0-7]{3,5}$/.test(text)) throw new NeedsBuilder(`uses --chmod=${text}`, line);
    return parseInt(text, 8) & 0o7777;
  }

  #owner(root: DirectoryNode, text: string | undefined, line: number): { uid: number; gid: number } | undefined {
    if (text === undefined || this.#options.owners === 'root') return undefined;
    const owner = findOwner(root, text);
    if (owner !== undefined) return owner;
    throw this.#invalid(
      line,
      `there is no user or group ${text} in this stage`,
      'Add it to /etc/passwd or use numbers.',
    );
  }

  #invalid(line: number, message: string, hint?: string): Error {
    return invalid(this.#options.dockerfile.path, line, message, hint);
  }
}

function isHeredoc(word: string): boolean {
  return word.startsWith('<<') && new RegExp(heredocMark.source).test(word);
}
