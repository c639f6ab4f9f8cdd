import { dirname, isAbsolute, relative, resolve, sep } from 'node:path';
import { type Detected, detectSource, hasDockerfileName, type SourceKind, type SourceType } from './detect.ts';
import type { DockerfileOptions } from './dockerfile/build.ts';
import { buildFolder } from './build-folder.ts';
import { contextOf, findIgnoreRules, readIfPresent } from './dockerfile/context.ts';
import { type PathPatterns, splitExcludes } from './dockerfile/path-patterns.ts';
import { parseHeredoc } from './dockerfile/heredocs.ts';
import { splitParents } from './dockerfile/parents.ts';
import { type Flag, type Instruction, parseDockerfile } from './dockerfile/parse.ts';
import {
  cleanPattern,
  hasWildcard,
  type IgnoreRules,
  partExpression,
  signs,
  splitWildcards,
} from './dockerfile/patterns.ts';
import { automaticArgs, platformOf } from './dockerfile/platform.ts';
import {
  addsFromNetwork,
  imageScheme,
  isRemote,
  isRemoteContext,
  type Moving,
  movingContext,
  movingFrontend,
  movingSource,
} from './dockerfile/remote.ts';
import { type BuildScope, StageScope } from './dockerfile/scope.ts';
import {
  findTarget,
  fromFlags,
  mountsFiles,
  neededStages,
  readStages,
  type Stage,
  stageIndex,
  whyBuilderIsNeeded,
} from './dockerfile/stages.ts';
import { copyWords, splitWords, type Variables } from './dockerfile/words.ts';
import { RootfsFault } from './fault.ts';
import { globExpression, globOf } from './globs.ts';
import type { Reading } from './left-out.ts';

export interface InputsRequest extends Pick<
  DockerfileOptions,
  'context' | 'architecture' | 'platform' | 'target' | 'buildArgs' | 'buildContexts'
> {
  readonly source: string;
  readonly type?: SourceType | undefined;
  readonly baseDirectory: string;
  readonly dockerfile?: string | undefined;
}

/** Texts of files by their absolute paths; undefined for a file that is not there. */
export type KnownTexts = ReadonlyMap<string, string | undefined>;

/** What decides a root file system, beside the options themselves. */
export interface RootfsInputs extends Reading {
  readonly kind: SourceKind;
  /** The Dockerfile's context, relative to the base directory; undefined without one. */
  readonly context: string | undefined;
  /**
   * Globs relative to the base directory, with `../` where they lead out of it: what is read of the source, or of the
   * Dockerfile's context. A path stands twice, as it is and with all below it, since nobody looked whether it is a directory.
   * One with a slash at its end is a directory of which nothing below is meant.
   */
  readonly files: readonly string[];
  /** Globs of what among `files` is not read. */
  readonly excluded: readonly string[];
  /**
   * What COPY and ADD with `--exclude` read of the context, one for each of their sources: what one leaves out another may
   * take. `excluded` has what the context leaves out as well.
   */
  readonly filtered: readonly Reading[];
  /** What is read besides, whatever `excluded` says: the Dockerfile, its ignore files, further contexts. */
  readonly besides: readonly Reading[];
  /** References of images whose digests count: base images, or the source itself. */
  readonly images: readonly string[];
  /** What may be something else each time, although nothing that is told here changes. */
  readonly moving: readonly Moving[];
  /** Names of the build arguments that the Dockerfile declares and that are given. */
  readonly buildArgs: readonly string[];
  /** Those of them whose values come from the environment. */
  readonly environment: readonly string[];
  /** Why a real builder is needed, as the end of "it …": its kind then counts. Undefined when none is. */
  readonly needsBuilder: string | undefined;
}

/**
 * Tells what a root file system is made from, without reading more than the Dockerfile and its ignore file: cheap enough
 * for computing a task graph. Depends on these files, the options and what kind of thing lies at the source.
 *
 * @param texts  of files that were read before
 * @throws RootfsFault SOURCE_MISSING, SOURCE_UNKNOWN, SOURCE_MISMATCH, DOCKERFILE_INVALID; FileFault
 */
export function rootfsInputs(request: InputsRequest, texts: KnownTexts = new Map()): RootfsInputs {
  const detected = detectSource(request.source, request.baseDirectory, request.type, (path) => texts.get(path));
  const below = (path: string): string => globOf(pathBelow(request, path));
  switch (detected.kind) {
    case 'cpio':
    case 'tar':
    case 'erofs':
      return { ...none, kind: detected.kind, files: [below(detected.location)] };
    case 'directory': {
      const directory = below(detected.location);
      return {
        ...none,
        kind: 'directory',
        files: [join(directory, '**/*')],
        excluded: outputsOfBuilds(detected.location, request),
      };
    }
    case 'image':
      return isAbsolute(detected.location)
        ? { ...none, kind: 'image', files: [join(below(detected.location), '**/*')] }
        : { ...none, kind: 'image', files: [], images: [detected.location] };
    case 'dockerfile':
      return dockerfileInputs(detected, request, below, (path) =>
        texts.has(path) ? texts.get(path) : readIfPresent(path),
      );
  }
}

const none = {
  context: undefined,
  excluded: [],
  filtered: [],
  besides: [],
  images: [],
  moving: [],
  buildArgs: [],
  environment: [],
  needsBuilder: undefined,
};

/**
 * What a root file system is made from whose source another task has yet to make: whatever lies there then. Undefined
 * where that may be a Dockerfile, which names what else is read.
 */
export function inputsToCome(request: InputsRequest): RootfsInputs | undefined {
  const { source, type, baseDirectory } = request;
  if (type === 'dockerfile' || hasDockerfileName(source)) return undefined;
  const path = globOf(pathBelow(request, resolve(baseDirectory, source)));
  return { ...none, kind: 'directory', files: withAllBelow(path) };
}

/** What builds write: the folders that KraftKit and make have beside a source and beside the Kraftfile, where that lies within. */
function outputsOfBuilds(source: string, request: InputsRequest): string[] {
  const folders = [source, request.baseDirectory].map((folder) => resolve(folder, buildFolder));
  const within = folders.filter((folder) => !relative(source, folder).startsWith('..'));
  return unique(within.flatMap((folder) => withAllBelow(globOf(pathBelow(request, folder)))));
}

/**
 * The files that a builder read although they are no inputs, so that a change of them would go unnoticed.
 *
 * @param reads  relative to the context, as in the result of `buildRootfs`
 */
export function unexpectedReads(
  reads: readonly string[],
  { context = '', files, filtered, excluded }: RootfsInputs,
): string[] {
  // What COPY leaves out builders are shown, too.
  const included = [...files, ...filtered.flatMap((reading) => reading.files)].map(globExpression);
  const left = excluded.map(globExpression);
  return reads.filter((read) => {
    const path = join(context, read);
    return !included.some((glob) => glob.test(path)) || left.some((glob) => glob.test(path));
  });
}

function dockerfileInputs(
  detected: Detected,
  request: InputsRequest,
  below: (path: string) => string,
  read: (path: string) => string | undefined,
): RootfsInputs {
  const path = request.dockerfile === undefined ? detected.location : resolveBeside(detected, request.dockerfile);
  const text = read(path) ?? missing(path);
  const contextPath = contextOf(path, request.baseDirectory, request.context ?? detected.context);
  const inContext = (glob: string): string => join(below(contextPath), glob);
  const ignored = findIgnoreRules(contextPath, path, read);
  const dockerfile = parseDockerfile(text, path);
  const buildArgs = request.buildArgs ?? {};
  const platform = automaticArgs(request.platform ?? platformOf(request.architecture), dockerfile, request.target);
  const given = (name: string): string | undefined => buildArgs[name] ?? (name in buildArgs ? '' : undefined);
  const stages = readStages(dockerfile, given, platform);
  const stage = findTarget(stages, request.target, path);
  const needed = neededStages(stages, stage);
  const scope: BuildScope = { dockerfile, stages, buildArgs: given, platformArgs: platform, unknown };
  const toRun = whyBuilderIsNeeded(dockerfile, needed)?.reason;
  const taken = needed.flatMap((one) => takenSources(one, scope, toRun !== undefined));
  const local = taken.filter(({ name }) => !isRemote(name));
  const sources = local.map(({ name }) => cleanPattern(name));
  const whole = local.filter(({ excludes }) => excludes === undefined).map(({ name }) => cleanPattern(name));
  const parents = local.filter(({ hasParents }) => hasParents).map(({ name }) => cleanPattern(name));
  const own = [path, `${path}.dockerignore`, `${contextPath}/.dockerignore`].map(below);
  const images = imagesOf(needed, scope, request);
  const contexts = Object.fromEntries(
    Object.entries(request.buildContexts ?? {}).filter(([, value]) => isRemoteContext(value)),
  );
  const named = Object.values(request.buildContexts ?? {})
    .filter((value) => !isRemoteContext(value))
    .map((directory) => resolve(request.baseDirectory, directory));
  const declared = declaredArgs(dockerfile.instructions);
  const used = Object.keys(buildArgs)
    .filter((name) => declared.has(name))
    .sort();
  const excluded = [
    ...exclusionGlobs(ignored).map(inContext),
    ...(sources.some(mayNameAnything) ? outputsOfBuilds(contextPath, request) : []),
  ];
  return {
    kind: 'dockerfile',
    context: pathBelow(request, contextPath),
    files: unique([...contextGlobs(whole, ignored), ...parents.flatMap(globsWithParents)].map(inContext)),
    excluded,
    filtered: local.flatMap(({ name, excludes }) => {
      if (excludes === undefined) return [];
      const source = cleanPattern(name);
      const leftOut = excludedGlobs(source, excludes).map(inContext);
      return [{ files: unique(contextGlobs([source], ignored).map(inContext)), excluded: [...excluded, ...leftOut] }];
    }),
    besides: [
      { files: own, excluded: [] },
      ...named.map((directory) => ({
        files: [join(below(directory), '**/*')],
        excluded: outputsOfBuilds(directory, request),
      })),
    ],
    images: unique(images.filter((name) => !name.includes('$'))),
    moving: [
      ...taken.map(({ moving }) => moving),
      ...Object.values(contexts).map(movingContext),
      ...images.filter((name) => name.includes('$')).map(imageOfBuilder),
      movingFrontend(dockerfile.syntax),
    ].filter((one) => one !== undefined),
    buildArgs: used,
    environment: used.filter((name) => buildArgs[name] === undefined),
    needsBuilder: toRun ?? whyNetworkIsNeeded(taken, contexts),
  };
}

function resolveBeside({ location }: Detected, dockerfile: string): string {
  return resolve(dirname(location), dockerfile);
}

function missing(path: string): never {
  throw new RootfsFault('SOURCE_MISSING', `there is no Dockerfile at ${path}`, { at: path });
}

/** Something that a stage takes: a pattern relative to the context, '' for all, or what ADD gets from elsewhere. */
interface Taken {
  readonly name: string;
  readonly moving?: Moving | undefined;
  /** Whether the folders above it count as well, and `**` goes across folders: with --parents. */
  readonly hasParents?: boolean;
  /** What is left out of the folders that it names. */
  readonly excludes?: PathPatterns | undefined;
}

/** @param isRun  whether a real builder is needed: among them podman and buildah take variables in a way of their own */
function takenSources(stage: Stage, build: BuildScope, isRun: boolean): Taken[] {
  const plain = scopeBefore(stage, build);
  const heir = scopeBefore(stage, build, ofImage);
  const scopes = [plain, heir, ...(isRun ? [scopeBefore(stage, { ...build, prefersEnv: true }, ofImage)] : [])];
  return stage.instructions.flatMap((instruction) => {
    for (const scope of scopes) scope.apply(instruction);
    const { keyword, flags, line } = instruction;
    if (keyword === 'RUN') return flags.flatMap(mountSource).map((word) => ({ name: commonPath(word, scopes, line) }));
    const checksum = flags.find(({ name }) => name === 'checksum')?.value ?? '';
    return copySources(instruction).map((word): Taken => {
      const path = commonPath(word, scopes, line);
      const { folder, pattern } = splitParents(path);
      const name = flags.some((flag) => flag.name === 'parents') ? `${cleanPattern(folder)}/${pattern}` : path;
      // What BuildKit is sent of the context goes across folders, whatever COPY takes of it.
      const hasParents = flags.some((flag) => flag.name === 'parents') || (isRun && name.includes('**'));
      // With --parents, patterns begin elsewhere; and what begins with a part of the name is all below that.
      const isExact = !hasParents && path.split('/').length === word.split('/').length;
      const excludes = isExact ? excludesOf(instruction, name, isRun) : undefined;
      if (keyword === 'COPY') return { name, hasParents, excludes };
      const address = [plain.expand(word, line), word].find(isRemote);
      if (address !== undefined) return { name: address, moving: movingSource(address, plain.expand(checksum, line)) };
      return {
        name,
        hasParents,
        excludes,
        moving: name === '' ? movingVariable(word, heir.expand(word, line)) : undefined,
      };
    });
  });
}

/**
 * The `--exclude` of an instruction as far as all builders agree: for buildah before 1.44 patterns begin at the context, so
 * that only those say the same that go with the context itself, or match at any depth.
 */
function excludesOf(instruction: Instruction, source: string, isRun: boolean): PathPatterns | undefined {
  const { excludes } = splitExcludes(instruction);
  const isSame =
    !isRun || cleanPattern(source) === '' || excludes?.rules.every(({ pattern }) => pattern.startsWith('**/'));
  return isSame ? excludes : undefined;
}

/** Stands for a value that nobody knows here; no path has it. */
const unknown = '\0';
const ofImage: Variables = () => unknown;

/** What a variable at the beginning of a source of ADD means, which may be something in the network. */
function movingVariable(word: string, expanded: string): Moving | undefined {
  if (!expanded.split('/', 1).join().includes(unknown)) return undefined;
  return { name: `what ${word} stands for`, remedy: 'a name whose variables the Dockerfile sets would be known' };
}

function whyNetworkIsNeeded(taken: readonly Taken[], contexts: Readonly<Record<string, string>>): string | undefined {
  const [context] = Object.entries(contexts);
  if (context !== undefined) return `is given the context ${context.join('=')}`;
  return taken.some(({ name }) => isRemote(name)) ? addsFromNetwork : undefined;
}

/** An image whose name only a builder can tell. */
function imageOfBuilder(name: string): Moving {
  return { name: `the image ${name}`, remedy: 'a name without parts of variables can be locked' };
}

function copySources(instruction: Instruction): string[] {
  const isCopy = instruction.keyword === 'COPY' || instruction.keyword === 'ADD';
  return isCopy && !instruction.flags.some(({ name }) => name === 'from') ? sourceWords(instruction) : [];
}

/** Whether a source of COPY may mean any of the files and folders at the top of the context. */
function mayNameAnything(source: string): boolean {
  return source === '' || hasWildcard(source.split('/', 1).join());
}

/** @param unset  values of the variables that only a base image may set */
function scopeBefore(stage: Stage, build: BuildScope, unset?: Variables): StageScope {
  const base = stage.baseStage === undefined ? undefined : build.stages.stages[stage.baseStage];
  if (base === undefined) return new StageScope(build, {}, stage.base === 'scratch' ? undefined : unset);
  const scope = scopeBefore(base, build, unset);
  for (const instruction of base.instructions) scope.apply(instruction);
  return scope.heir();
}

function sourceWords({ rest }: Instruction): string[] {
  return copyWords(rest)
    .slice(0, -1)
    .filter((word) => parseHeredoc(word) === undefined);
}

/** `RUN --mount=type=bind` shows a part of the context, or all of it. */
function mountSource(flag: Flag): string[] {
  if (!mountsFiles(flag) || /(^|,)from=/i.test(flag.value)) return [];
  return [/(?:^|,)(?:source|src)=([^,]+)/i.exec(flag.value)?.[1] ?? ''];
}

/** A path up to the first part that is not the same with all values that its variables may have. */
function commonPath(word: string, scopes: readonly StageScope[], line: number): string {
  const known: string[] = [];
  for (const part of word.split('/')) {
    const [value = '', ...others] = new Set(scopes.map((scope) => scope.expand(part, line)));
    if (value.includes(unknown) || others.length > 0) break;
    known.push(value);
  }
  return known.join('/');
}

function contextGlobs(sources: readonly string[], ignored: IgnoreRules): string[] {
  return sources.flatMap((source) => {
    const { glob } = readSource(source);
    if (glob !== '') return withAllBelow(glob);
    const exceptions = onlyExceptions(ignored)?.map(patternAsGlob);
    return exceptions === undefined || exceptions.includes(undefined)
      ? ['**/*']
      : exceptions.flatMap((exception = '') => [...foldersAbove(exception), ...withAllBelow(exception)]);
  });
}

/** What is surely left out of a source's folders. Exceptions may take anything back. */
function excludedGlobs(source: string, { rules, hasExceptions }: PathPatterns): string[] {
  const { glob, isWhole } = readSource(source);
  if (hasExceptions || !isWhole) return [];
  const patterns = rules.map(({ pattern }) => patternAsGlob(pattern)).filter((pattern) => pattern !== undefined);
  return patterns.flatMap(withAllBelow).map((pattern) => join(glob, pattern));
}

/** What --parents takes besides: what `**` means there, and the folders above. */
function globsWithParents(source: string): string[] {
  const parts = source.split('/').map(patternAsGlob);
  const end = parts.indexOf(undefined);
  const glob = parts.slice(0, end < 0 ? parts.length : end).join('/');
  return glob === '' ? [] : [...foldersAbove(glob), ...withAllBelow(glob)];
}

/** A source of COPY as a glob, up to the first of its patterns that no glob can say, and whether that is all of it. */
function readSource(source: string): { readonly glob: string; readonly isWhole: boolean } {
  const { plain, patterns } = splitWildcards(source);
  // What is no pattern is told before anything is made of it.
  for (const pattern of patterns) partExpression(pattern);
  const globs = patterns.map((pattern) => patternAsGlob(pattern.replaceAll(/(?<!\\)\*+/g, '*')));
  const end = globs.indexOf(undefined);
  const glob = [...plain.map(globOf), ...globs.slice(0, end < 0 ? globs.length : end)].join('/');
  return { glob, isWhole: end < 0 };
}

/** The folders that an exception brings with it, each with a slash at its end: only their modes are taken. */
function foldersAbove(glob: string): string[] {
  const parts = glob.split('/');
  return parts.slice(0, -1).map((_part, index) => `${parts.slice(0, index + 1).join('/')}/`);
}

/** An ignore file that leaves everything out but what it names: `*`, then `!` rules. */
function onlyExceptions({ rules }: IgnoreRules): string[] | undefined {
  const [first, ...rest] = rules;
  if (first === undefined || !/^\*\*?$|^\*\*\/\*\*?$/.test(first.pattern)) return undefined;
  return rest.filter(({ isException }) => isException).map(({ pattern }) => pattern);
}

/** Rules after the last exception are final; an earlier one may be taken back in part. */
function exclusionGlobs({ rules }: IgnoreRules): string[] {
  const lastException = rules.findLastIndex(({ isException }) => isException);
  const globs = rules.slice(lastException + 1).map(({ pattern }) => patternAsGlob(pattern));
  return globs.filter((glob) => glob !== undefined).flatMap(withAllBelow);
}

/** A pattern of Docker's as a glob: braces and parentheses are no signs there. Undefined where no glob says the same. */
function patternAsGlob(pattern: string): string | undefined {
  const isWithinName = pattern.split('/').some((part) => part !== '**' && part.includes('**'));
  const isOddSet = [...pattern.matchAll(signs)].some(([sign]) => /^\[(!|.*\\)/s.test(sign));
  if (isWithinName || isOddSet) return undefined;
  return pattern.replaceAll(signs, (sign) => (/^[*?[]/.test(sign) ? sign : globOf(sign.replace(/^\\(?=.)/su, ''))));
}

function withAllBelow(pattern: string): string[] {
  return pattern === '**' ? ['**/*'] : [pattern, `${pattern}/**/*`];
}

function imagesOf(needed: readonly Stage[], { stages }: BuildScope, { buildContexts = {} }: InputsRequest): string[] {
  const bases = needed.filter(({ baseStage }) => baseStage === undefined).map(({ base }) => base);
  const copied = needed.flatMap(({ index, instructions }) =>
    instructions.flatMap(fromFlags).filter((name) => stageIndex(stages.stages.slice(0, index), name) === undefined),
  );
  const fromContexts = Object.values(buildContexts).flatMap((value) =>
    value.startsWith(imageScheme) ? value.slice(imageScheme.length) : [],
  );
  const named = [...bases, ...copied].filter((name) => name !== 'scratch' && !(name in buildContexts));
  return [...named, ...fromContexts];
}

function declaredArgs(instructions: readonly Instruction[]): Set<string> {
  const words = instructions.filter(({ keyword }) => keyword === 'ARG').flatMap(({ rest }) => splitWords(rest, '\\'));
  return new Set(words.map((word) => word.split('=')[0] ?? ''));
}

function join(directory: string, glob: string): string {
  return directory === '' ? glob : `${directory}/${glob}`;
}

/** With `../` where it leads out. */
function pathBelow({ baseDirectory }: Pick<InputsRequest, 'baseDirectory'>, path: string): string {
  return relative(baseDirectory, path).split(sep).join('/');
}

function unique(values: readonly string[]): string[] {
  return [...new Set(values)].sort();
}
