import { mkdtempSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type DirectoryNode, emptyDirectory, type LeftOut, toByteName, toText } from '@nx-kraft/archive';
import { nearestWord, ProgramFault } from '@nx-kraft/base';
import { type ImageDefaults, type SourceImage, unpackImage, unpackTar } from '../image.ts';
import { isTarFile, readTar } from '../tar-file.ts';
import { wrongValues } from './checks.ts';
import { type Chmod, readChmod } from './chmod.ts';
import {
  cloneTree,
  copyInto,
  type CopyOptions,
  findDirect,
  findMatches,
  follow,
  layOver,
  makeOnTheWay,
  type Match,
} from './copy.ts';
import { type ParentsSource, readParentsSource } from './parents.ts';
import { type PathPatterns, splitExcludes } from './path-patterns.ts';
import { parseHeredoc } from './heredocs.ts';
import { findOwner, type Owner } from './owner.ts';
import { type Instruction, invalid } from './parse.ts';
import { addsFromNetwork, isRemote } from './remote.ts';
import { type BuildScope, StageScope } from './scope.ts';
import { type Stage, stageIndex } from './stages.ts';
import { copyWords, expand, hasOpenQuote, NeedsBuilder, splitWords } from './words.ts';

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
  const { path, isStrict } = options.dockerfile;
  if (isStrict) {
    builder.warnings.push(
      `${basename(path)}: "check=error=true" counts for BuildKit only, whose linter is not part of this.`,
    );
  }
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
    // A context that is given takes the place of the stage with its name.
    const context = this.#options.namedContexts.get(stage.name ?? '');
    if (context !== undefined) return this.#result(context);
    const base = await this.#base(stage);
    // What a stage does must not reach those who use its base, too.
    const root = cloneTree(base.root);
    const scope = base.scope.heir();
    for (const instruction of stage.instructions) {
      scope.apply(instruction);
      this.#checkValues(scope, instruction);
      if (instruction.keyword === 'WORKDIR') this.#makeWorkdir(root, scope, instruction);
      else if (instruction.keyword === 'COPY' || instruction.keyword === 'ADD') {
        await this.#copy(root, scope, instruction, stage);
      } else if (instruction.keyword === 'RUN') throw new NeedsBuilder('runs a command', instruction.line);
    }
    return { root, scope };
  }

  #checkValues(scope: StageScope, { keyword, rest, line }: Instruction): void {
    if (keyword !== 'EXPOSE' && keyword !== 'STOPSIGNAL') return;
    const words = (keyword === 'EXPOSE' ? rest.split(/\s+/) : [rest]).map((word) => scope.expand(word, line));
    // A variable may stand for several ports, or for none.
    const values = keyword === 'EXPOSE' ? words.flatMap((word) => splitWords(word, '')) : words;
    const wrong = wrongValues(keyword, values);
    if (wrong !== undefined) throw this.#invalid(line, wrong.message, wrong.hint);
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
    if (parseHeredoc(target) !== undefined) throw this.#invalid(line, `the target ${target} is a here-document`);
    // What a variable stands for is known only here.
    if (keyword === 'ADD' && words.some(isRemote)) throw new NeedsBuilder(addsFromNetwork, line);
    const { excludes, others } = splitExcludes(instruction);
    const flags = new Map(others.map(({ name, value }) => [name, scope.expand(value, line)]));
    const chmod = this.#chmod(flags.get('chmod'), line);
    // What is linked is made apart from what is there and laid over it; with a mode, BuildKit makes it as any other.
    const isApart = isOn(flags.get('link')) && chmod === undefined;
    const layer = isApart ? emptyDirectory() : root;
    const options = {
      at: `${this.#options.dockerfile.path}:${line}`,
      chmod,
      owner: this.#owner(layer, flags.get('chown'), line),
      excludes,
    };
    const from = this.#from(instruction);
    const source = from === '' ? this.#options.context : await this.#source(from, stage, line);
    const path = toByteName(scope.resolve(target));
    for (const word of words.filter((one) => parseHeredoc(one) === undefined)) {
      const parents = isOn(flags.get('parents')) ? readParentsSource(word) : undefined;
      if (isOn(flags.get('parents')) && parents === undefined)
        throw new NeedsBuilder(`takes ${word} with --parents`, line);
      for (const match of this.#matches(source, parents?.folder ?? word, line, from)) {
        if (parents?.isPlain === true) this.#requireBelow(match, parents, word, line);
        const archive = keyword === 'ADD' ? await this.#archive(match, line) : undefined;
        if (archive === undefined) {
          this.#warnOfCopied(match, excludes, line);
          copyInto(layer, path, match, { ...options, parents });
        } else await this.#unpackArchive(archive, layer, path, options);
      }
    }
    for (const match of this.#heredocs(words, instruction, scope)) copyInto(layer, path, match, options);
    if (words.length > 1 && follow(layer, path)?.kind === 'file') {
      this.#warn(line, `of several sources only the last one stays, unless the target ${target} ends with /`);
    }
    if (isApart) layOver(root, layer);
  }

  #words({ rest, line }: Instruction, scope: StageScope): string[] {
    const { escape } = this.#options.dockerfile;
    return copyWords(rest).map((word) => {
      if (parseHeredoc(word) !== undefined) return word;
      if (!hasOpenQuote(word, escape)) return scope.expand(word, line);
      const hint = 'Names with blanks are written as a list: COPY ["two words", "/target/"]';
      throw this.#invalid(line, `${word} has a quote without an end`, hint);
    });
  }

  #from({ flags, line }: Instruction): string {
    const from = flags.find(({ name }) => name === 'from')?.value ?? '';
    if (!from.includes('$')) return from;
    const hint = 'Write FROM with the variable AS a name above, an ARG before the first FROM, and copy from that name.';
    throw this.#invalid(line, `--from takes no variables: ${from}`, hint);
  }

  /** Stages before this one by name or number, then named contexts, then images. */
  async #source(from: string, stage: Stage, line: number): Promise<DirectoryNode> {
    const { stages } = this.#options.stages;
    const index = stageIndex(stages.slice(0, stage.index), from);
    // BuildKit knows the last stage of a name only.
    if (stages.slice(stage.index).some(({ name }) => name === from.toLowerCase())) {
      const hint = `Stages copy from stages above them. Give each a name of its own.`;
      throw this.#invalid(line, `the last stage ${from} is not above this line`, hint);
    }
    if (index !== undefined) return (await this.#numbered(index)).root;
    if (/^\d+$/.test(from)) {
      throw this.#invalid(line, `there is no stage ${from} above this line`, 'The first one is 0.');
    }
    if (from === 'scratch') return emptyDirectory();
    const context = this.#options.namedContexts.get(from);
    if (context !== undefined) return context;
    try {
      return (await this.#image(from, undefined, line)).root;
    } catch (error) {
      const names = stages.slice(0, stage.index).flatMap(({ name }) => name ?? []);
      const meant = error instanceof NeedsBuilder ? nearestWord(from, names) : undefined;
      if (meant === undefined || !(error instanceof NeedsBuilder)) throw error;
      throw new NeedsBuilder(`${error.message} (or is the stage ${meant} meant?)`, line);
    }
  }

  #matches(source: DirectoryNode, word: string, line: number, from: string): Match[] {
    const { matches, broken, isBegun } = findMatches(source, toByteName(word));
    if (broken !== undefined) throw this.#invalid(line, `${toText(broken)} is a symbolic link that leads nowhere`);
    if (matches.length > 0) return matches;
    if (isBegun) {
      this.#warn(line, `nothing is named like ${word}`);
      return [];
    }
    const hint =
      'Paths are relative to the context. Also look whether .dockerignore leaves it out, or which task makes it.';
    const [where, help] = from === '' ? [this.#options.contextPath, hint] : [from];
    throw this.#invalid(line, `there is no ${word} in ${where}`, help);
  }

  /** Below the `/./`, BuildKit follows no links. */
  #requireBelow({ node }: Match, { includes }: ParentsSource, word: string, line: number): void {
    const [rule] = includes.rules;
    const found =
      node.kind === 'file' ||
      findDirect(node, toByteName(rule?.pattern.replaceAll(/\\(?=.)/g, '') ?? '')) !== undefined;
    if (!found) throw this.#invalid(line, `there is no ${word}`, 'With --parents, what is named is not behind a link.');
  }

  /** Docker's reference says otherwise, BuildKit does it. */
  #warnOfCopied({ name, node }: Match, excludes: PathPatterns | undefined, line: number): void {
    if (node.kind !== 'file' || excludes?.match(toText(name), []).isMatch !== true) return;
    this.#warn(line, `--exclude leaves out what is in folders that are copied, so that the file ${toText(name)} stays`);
  }

  /** They come after all files, and those of one name have the text of the last. */
  #heredocs(words: readonly string[], { heredocs, line }: Instruction, scope: StageScope): Match[] {
    return words.flatMap((word) => {
      const name = parseHeredoc(word)?.name;
      if (name === undefined) return [];
      if (name.includes('/')) throw new NeedsBuilder(`has a here-document with the name ${name}`, line);
      const { content = '', expand: isExpanded } = heredocs.findLast((heredoc) => heredoc.name === name) ?? {};
      // Whatever the Dockerfile's escape character is.
      const text = isExpanded === true ? expand(content, scope.variables, '\\', line, true) : content;
      const bytes = Buffer.from(text, 'utf8');
      const meta = { mode: 0o644, uid: 0, gid: 0 };
      return { name: toByteName(name), node: { kind: 'file', meta, size: bytes.length, content: { bytes } } };
    });
  }

  /** The file of a tar archive of the context, which ADD unpacks whatever its name. */
  async #archive({ name, node }: Match, line: number): Promise<string | Buffer | undefined> {
    if (node.kind !== 'file' || !('file' in node.content)) return undefined;
    const { file } = node.content;
    try {
      return (await isTarFile(file)) ? file : undefined;
    } catch (error) {
      if (!(error instanceof ProgramFault)) throw error;
      throw new NeedsBuilder(`adds ${toText(name)}, but ${error.message}`, line);
    }
  }

  /** Whatever --chmod says: modes of archives stay. */
  async #unpackArchive(
    file: string | Buffer,
    root: DirectoryNode,
    target: string,
    options: CopyOptions,
  ): Promise<void> {
    const { at, owner } = options;
    const directory = makeOnTheWay(root, target, at, undefined, owner);
    const contents = join(mkdtempSync(join(this.#options.scratch, 'add-')), 'contents');
    const owners = owner ?? this.#options.owners;
    const leftOut = await unpackTar(directory, contents, file.toString(), { owners }, (take) => readTar(file, take));
    this.leftOut.push(...leftOut);
  }

  #makeWorkdir(root: DirectoryNode, scope: StageScope, { line }: Instruction): void {
    const path = scope.resolve('.');
    if (path === '/') return;
    const owner = this.#owner(root, scope.user, line);
    makeOnTheWay(root, toByteName(path), `${this.#options.dockerfile.path}:${line}`, undefined, owner);
  }

  #chmod(text: string | undefined, line: number): Chmod | undefined {
    if (text === undefined || text === '') return undefined;
    const chmod = readChmod(text);
    if (chmod !== undefined) return chmod;
    if (/^\d/.test(text)) {
      throw this.#invalid(line, `--chmod=${text} is no mode`, 'Write it with three or four octal digits, such as 755.');
    }
    throw new NeedsBuilder(`uses --chmod=${text}`, line);
  }

  #owner(root: DirectoryNode, text: string | undefined, line: number): Owner | undefined {
    if (text === undefined || text === '' || this.#options.owners === 'root') return undefined;
    return findOwner(root, text, (name) => {
      if (root.children.size > 0) {
        this.#warn(line, `there is no user or group ${name} in this stage, so that root is taken`);
        return;
      }
      const hint = 'Use numbers: here is no /etc/passwd yet, and with --link there never is.';
      throw this.#invalid(line, `there is no user or group ${name} in an empty stage`, hint);
    });
  }

  #warn(line: number, message: string): void {
    this.warnings.push(`${basename(this.#options.dockerfile.path)}:${line}: ${message}.`);
  }

  #invalid(line: number, message: string, hint?: string): Error {
    return invalid(this.#options.dockerfile.path, line, message, hint);
  }
}

/** Whether a flag that takes no value, or `true` and `false`, says yes. */
function isOn(value: string | undefined): boolean {
  return value !== undefined && value.toLowerCase() !== 'false';
}
