import { existsSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import type { Converted, DirectoryNode } from '@nx-kraft/archive';
import { describeError, Fault, hasErrorCode, unlessAborted } from '@nx-kraft/base';
import { pathsBelow } from '../directory.ts';
import { RootfsFault } from '../fault.ts';
import type { ImageDefaults, ImageSource, PackedImage, SourceImage } from '../image.ts';
import type { Modes } from '../modes.ts';
import type { Output } from '../output.ts';
import {
  type BuilderName,
  buildkitAddress,
  type ExternalBuilder,
  externalBuilders,
  prepareBuilder,
  type ReadyBuilder,
} from './builders.ts';
import { contextOf, findIgnoreRules, readIfPresent } from './context.ts';
import { buildEmbedded } from './embedded.ts';
import type { BuildJob, Credentials } from './job.ts';
import { userLogins } from './logins.ts';
import { parseDockerfile } from './parse.ts';
import { readIgnoreFile } from './patterns.ts';
import { offerImages } from './packed.ts';
import { namedImages, pinImages } from './pin.ts';
import { automaticArgs, platformOf } from './platform.ts';
import { readContext } from './read-context.ts';
import { imageScheme, isRemoteContext } from './remote.ts';
import { type BuildScope, StageScope } from './scope.ts';
import { readSecrets, readSshAgents } from './secrets.ts';
import { findTarget, neededStages, readStages, type Stage, whyBuilderIsNeeded } from './stages.ts';
import { NeedsBuilder, type Variables } from './words.ts';

/** How a Dockerfile is to be built; the names are those of `docker buildx build`. */
export interface DockerfileOptions {
  /**
   * Absolute, or relative to the base directory. Default: the base directory where the Dockerfile lies in it, else the
   * Dockerfile's own directory.
   */
  readonly context?: string | undefined;
  /** Unikraft's name, such as `x86_64`; default: this machine's. */
  readonly architecture?: string | undefined;
  /** Such as `linux/arm64`; wins over `architecture`. */
  readonly platform?: string | undefined;
  /** Stage to build, by name; default: the last one. */
  readonly target?: string | undefined;
  /** `undefined` takes the value from the environment. */
  readonly buildArgs?: Readonly<Record<string, string | undefined>> | undefined;
  /** Further contexts: directories, or `docker-image://reference`. */
  readonly buildContexts?: Readonly<Record<string, string>> | undefined;
  /** `id=name,src=file` or `id=name,env=VARIABLE`. */
  readonly secrets?: readonly string[] | undefined;
  /** `default`, or `id=socket`. */
  readonly ssh?: readonly string[] | undefined;
  readonly noCache?: boolean | undefined;
  /** Whether base images are refused whose ONBUILD instructions read or run something: nobody knows of these before. */
  readonly refuseOnBuild?: boolean | undefined;
  /** Network of RUN: `host` or `none`; default: the builder's own. */
  readonly network?: string | undefined;
  /** Default `auto`: the first of them that can do it. */
  readonly builder?: BuilderName | 'auto' | undefined;
  readonly buildkitHost?: string | undefined;
  /** Where base images come from for the embedded builder. */
  readonly images?: ImageSource | undefined;
  /** Log-ins for the registries that a builder pulls from; default: the user's. */
  readonly credentials?: ((host: string) => Promise<Credentials | undefined>) | undefined;
  /** Default: this process's environment. */
  readonly env?: NodeJS.ProcessEnv | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface DockerfileBuild {
  readonly converted: Converted;
  readonly builder: BuilderName;
  /** The builders that were not used, and why, as the end of a sentence. */
  readonly passedOver: readonly PassedOver[];
  readonly config: ImageDefaults;
  readonly warnings: readonly string[];
  /** Files of the context that were read, relative to it; undefined when the builder does not tell. */
  readonly reads: readonly string[] | undefined;
}

export interface PassedOver {
  readonly builder: BuilderName;
  readonly reason: string;
}

export interface DockerfilePlace {
  /** Absolute path of the Dockerfile. */
  readonly path: string;
  readonly baseDirectory: string;
  readonly owners: 'root' | 'keep';
  readonly modes: Modes;
  /** Absolute paths that the build writes to: they are no part of a context. */
  readonly outputs: readonly string[];
  /** A directory of its own for this build, beside the output. */
  readonly scratch: string;
  readonly onLine: (line: string) => void;
}

/**
 * Builds a Dockerfile's root file system: without any builder where it runs nothing, else with the first of BuildKit,
 * Docker's engine, podman and buildah that answers.
 *
 * @throws RootfsFault DOCKERFILE_INVALID, BUILD_FAILED, BUILDER_FAILED; BUILDER_MISSING with what was tried
 */
export async function buildDockerfile(
  place: DockerfilePlace,
  options: DockerfileOptions,
  output: Output,
): Promise<DockerfileBuild> {
  const build = readBuild(place, options);
  const passedOver: PassedOver[] = [];
  const wanted = options.builder ?? 'auto';
  if (wanted === 'auto' || wanted === 'embedded') {
    try {
      return { ...(await embedded(build, output)), passedOver };
    } catch (error) {
      if (!(error instanceof NeedsBuilder)) throw error;
      passedOver.push({ builder: 'embedded', reason: `${basename(place.path)}:${error.line} ${error.message}` });
    }
  }
  for (const name of externalBuilders.filter((name) => wanted === 'auto' || wanted === name)) {
    const ready = await prepare(name, build, passedOver);
    if (ready === undefined) continue;
    if (options.refuseOnBuild === true) await refuseOnBuild(build);
    place.onLine(`building with ${name}`);
    try {
      return { ...(await external(name, ready, build, output)), passedOver };
    } finally {
      ready.close();
    }
  }
  throw noBuilder(place, passedOver);
}

/** All that is known before anything is built. */
interface Build {
  readonly place: DockerfilePlace;
  readonly options: DockerfileOptions;
  readonly text: string;
  readonly scope: BuildScope;
  readonly stage: Stage;
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly platform: string;
  readonly contextPath: string;
  readonly context: ReturnType<typeof readContext>;
  readonly env: NodeJS.ProcessEnv;
}

function readBuild(place: DockerfilePlace, options: DockerfileOptions): Build {
  const env = options.env ?? process.env;
  const text = readIfPresent(place.path) ?? missing(place, `there is no Dockerfile at ${place.path}`, place.path);
  const dockerfile = parseDockerfile(text, place.path);
  const platform = options.platform ?? platformOf(options.architecture);
  const buildArgs = givenArgs(options.buildArgs ?? {}, env);
  const variables: Variables = (name) => buildArgs[name];
  const platformVariables = automaticArgs(platform, dockerfile, options.target);
  const stages = readStages(dockerfile, variables, platformVariables);
  const contextPath = contextOf(place.path, place.baseDirectory, options.context);
  if (!existsSync(contextPath)) missing(place, `there is no context at ${contextPath}`, contextPath);
  const rules = findIgnoreRules(contextPath, place.path);
  return {
    place,
    options,
    text,
    scope: { dockerfile, stages, buildArgs: variables, platformArgs: platformVariables },
    stage: findTarget(stages, options.target, place.path),
    buildArgs,
    platform,
    contextPath,
    context: readContext(contextPath, rules, pathsBelow(contextPath, place.outputs), place.modes),
    env,
  };
}

function missing({ baseDirectory }: DockerfilePlace, message: string, at: string): never {
  throw new RootfsFault('SOURCE_MISSING', message, {
    at,
    hint: `Paths are relative to ${baseDirectory}. If another task makes it, let this one depend on that task.`,
  });
}

/** Arguments that Docker passes on by itself are not among them: a build must not depend on who runs it. */
function givenArgs(args: Readonly<Record<string, string | undefined>>, env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    Object.entries(args).flatMap(([name, value]) => {
      const given = value ?? env[name];
      return given === undefined ? [] : [[name, given]];
    }),
  );
}

type Outcome = Omit<DockerfileBuild, 'passedOver'>;

async function embedded(build: Build, output: Output): Promise<Outcome> {
  const { place, scope, stage, context, contextPath } = build;
  const need = whyBuilderIsNeeded(scope.dockerfile, neededStages(scope.stages, stage));
  if (need !== undefined) throw new NeedsBuilder(need.reason, need.line);
  const { local, remote } = await namedContexts(build);
  const [name] = Object.keys(remote);
  if (name !== undefined) throw new NeedsBuilder(`is given the context ${name}=${remote[name] ?? ''}`, 1);
  const { root, config, leftOut, warnings } = await buildEmbedded(stage, {
    ...scope,
    context: context.root,
    contextPath,
    namedContexts: local,
    owners: place.owners,
    openImage: (reference, platform, line) => openImage(build, reference, platform, line),
    scratch: place.scratch,
  });
  const converted = await output.tree(root, [...leftOut, ...context.leftOut]);
  // Only what was copied was opened, but the names are BuildKit's to tell; here the inputs hold by construction.
  return { converted, builder: 'embedded', config, warnings, reads: undefined };
}

async function openImage(
  { options, platform: own }: Build,
  reference: string,
  platform: string | undefined,
  line: number,
): Promise<SourceImage> {
  if (options.images === undefined) throw new NeedsBuilder(`begins with the image ${reference}`, line);
  try {
    return await options.images.open(reference, platform ?? own);
  } catch (error) {
    // A builder may have the image, or the right to it, where we have not; what is forbidden is so to all.
    const isFinal = options.builder === 'embedded' || hasErrorCode(error, 'SIGNATURE_INVALID');
    if (isFinal || !(error instanceof Fault)) throw error;
    throw new NeedsBuilder(`needs the image ${reference}, which cannot be read: ${error.message}`, line);
  }
}

/** @throws RootfsFault ONBUILD_REFUSED; nothing where an image cannot be read, of which the builder tells */
async function refuseOnBuild(build: Build): Promise<void> {
  const { scope, stage, place } = build;
  for (const { base, baseStage, platform, line } of neededStages(scope.stages, stage)) {
    if (baseStage !== undefined || base.includes('$')) continue;
    const { OnBuild = [] } = await baseDefaults(build, { base, platform, line }).catch(unlessUnreadable);
    const reading = OnBuild.find((instruction) => /^\s*(add|copy|run)\s/i.test(instruction));
    if (reading === undefined) continue;
    throw new RootfsFault('ONBUILD_REFUSED', `${base} brings "ONBUILD ${reading}", of which no cache key knows`, {
      at: `${place.path}:${line}`,
      hint: 'Write what it does into the Dockerfile and begin with another image, or set "cache": false for this task.',
    });
  }
}

function unlessUnreadable(error: unknown): ImageDefaults {
  if (error instanceof NeedsBuilder || (error instanceof Fault && error.code !== 'SIGNATURE_INVALID')) return {};
  throw error;
}

async function prepare(
  name: ExternalBuilder,
  { options, env, place }: Build,
  passedOver: PassedOver[],
): Promise<ReadyBuilder | undefined> {
  const settings = { buildkitHost: options.buildkitHost, env, scratch: place.scratch };
  try {
    return await unlessAborted(options.signal, prepareBuilder(name, settings));
  } catch (error) {
    options.signal?.throwIfAborted();
    // An address that was given on purpose is not passed over in silence.
    const isGiven = name === 'buildkit' && (options.buildkitHost ?? env['KRAFTKIT_BUILDKIT_HOST'] ?? '') !== '';
    const reason = error instanceof Error ? error.message : String(error);
    if (!isGiven) {
      passedOver.push({ builder: name, reason });
      return undefined;
    }
    throw new RootfsFault('BUILDER_MISSING', `BuildKit cannot be used: ${reason}`, {
      at: buildkitAddress(settings),
      hint: 'Start it there, or give another address with --buildkit-host or KRAFTKIT_BUILDKIT_HOST.',
      cause: error,
    });
  }
}

async function external(name: ExternalBuilder, ready: ReadyBuilder, build: Build, output: Output): Promise<Outcome> {
  const { place } = build;
  const packed = await packedImages(build);
  const images = new Map([...packed.values()].map((image) => [image.digest, image]));
  const offer = await offerImages(name, [...images.values()], place.scratch);
  try {
    const job = await jobOf(build, (image, platform) => {
      const found = packed.get(imageKey(image, platform ?? build.platform));
      return found === undefined ? undefined : offer.nameOf(found);
    });
    let reads: readonly string[] | undefined;
    const converted = await output.tar(async (take) => {
      reads = await ready.build(job, take);
    }, `${place.path} (result of ${name})`);
    const { config, warnings } = await defaultsOf(build);
    return { converted, builder: name, config, warnings, reads };
  } finally {
    offer.close();
  }
}

/** The images that lie on this disk, by their names and platforms. */
async function packedImages({ options, scope, platform: own }: Build): Promise<ReadonlyMap<string, PackedImage>> {
  const found = new Map<string, PackedImage>();
  for (const { name, platform = own } of namedImages(scope.dockerfile, scope.stages)) {
    // What holds a variable that only the builder can replace names nothing here.
    const isKnown = !name.includes('$') && !isContext(options, name);
    const image = isKnown ? await options.images?.packed?.(name, platform) : undefined;
    if (image !== undefined) found.set(imageKey(name, platform), image);
  }
  return found;
}

function imageKey(name: string, platform: string): string {
  return `${name} ${platform}`;
}

function isContext({ buildContexts = {} }: DockerfileOptions, name: string): boolean {
  return Object.hasOwn(buildContexts, name);
}

/** @param packed  gives the name under which the builder finds an image that lies on this disk */
async function jobOf(
  build: Build,
  packed: (name: string, platform: string | undefined) => string | undefined,
): Promise<BuildJob> {
  const { place, options, scope, platform, context, contextPath, buildArgs, env } = build;
  const { local, remote } = await namedContexts(build);
  const text = await pinImages(build.text, scope.dockerfile, scope.stages, async (name, wanted) =>
    isContext(options, name) ? undefined : (packed(name, wanted) ?? options.images?.exact?.(name)),
  );
  return {
    dockerfile: parseDockerfile(text, place.path),
    text,
    context: context.root,
    contextPath,
    localContexts: local,
    remoteContexts: remote,
    target: options.target,
    platform,
    buildArgs,
    noCache: options.noCache ?? false,
    network: options.network,
    secrets: readSecrets(options.secrets ?? [], place.baseDirectory, env),
    sshAgents: readSshAgents(options.ssh ?? [], env),
    credentials: options.credentials ?? userLogins(env),
    onLine: place.onLine,
    signal: options.signal,
  };
}

interface NamedContexts {
  readonly local: ReadonlyMap<string, DirectoryNode>;
  readonly remote: Readonly<Record<string, string>>;
}

async function namedContexts({ options, place }: Build): Promise<NamedContexts> {
  const local = new Map<string, DirectoryNode>();
  const remote: Record<string, string> = {};
  for (const [name, value] of Object.entries(options.buildContexts ?? {})) {
    const image = value.startsWith(imageScheme) ? value.slice(imageScheme.length) : undefined;
    const exact = image === undefined ? undefined : await options.images?.exact?.(image);
    if (exact !== undefined || isRemoteContext(value)) {
      remote[name] = exact === undefined ? value : imageScheme + exact;
      continue;
    }
    const path = resolve(place.baseDirectory, value);
    if (!existsSync(path)) missing(place, `the context ${name} is not there`, path);
    const { root } = readContext(path, readIgnoreFile(''), pathsBelow(path, place.outputs), place.modes);
    local.set(name, root);
  }
  return { local, remote };
}

/**
 * A tar export holds no image config: the defaults are worked out from the Dockerfile, and from its base image where
 * that can be read.
 */
async function defaultsOf(build: Build): Promise<{ config: ImageDefaults; warnings: string[] }> {
  try {
    return { config: (await stageScope(build, build.stage)).defaults(), warnings: [] };
  } catch (error) {
    if (!(error instanceof NeedsBuilder) && !(error instanceof Fault)) throw error;
    const reason = error instanceof Fault ? describeError(error) : error.message;
    const text = `CMD, ENTRYPOINT and ENV of the image are not known (${reason}): write "cmd" and "env" in the Kraftfile.`;
    return { config: {}, warnings: [text] };
  }
}

async function stageScope(build: Build, stage: Stage): Promise<StageScope> {
  const { stages } = build.scope.stages;
  const base = stage.baseStage === undefined ? undefined : stages[stage.baseStage];
  const scope = base === undefined ? await baseScope(build, stage) : (await stageScope(build, base)).heir();
  for (const instruction of stage.instructions) scope.apply(instruction);
  return scope;
}

async function baseScope(build: Build, stage: Stage): Promise<StageScope> {
  const config = await baseDefaults(build, stage);
  const scope = new StageScope(build.scope, config);
  const triggers = ['FROM scratch', ...(config.OnBuild ?? [])].join('\n');
  for (const instruction of parseDockerfile(triggers, build.place.path).instructions) scope.apply(instruction);
  return scope;
}

async function baseDefaults(
  build: Build,
  { base, platform, line }: Pick<Stage, 'base' | 'platform' | 'line'>,
): Promise<ImageDefaults> {
  const context = build.options.buildContexts?.[base];
  const isImage = context?.startsWith(imageScheme) ?? base !== 'scratch';
  if (!isImage) return {};
  return (await openImage(build, context?.slice(imageScheme.length) ?? base, platform, line)).config;
}

function noBuilder({ path }: DockerfilePlace, passedOver: readonly PassedOver[]): RootfsFault {
  const tried = passedOver.map(({ builder, reason }) => `\n  ${builder}: ${reason}`).join('');
  return new RootfsFault('BUILDER_MISSING', `no builder can build this Dockerfile:${tried}`, {
    at: path,
    hint:
      'Start Docker (any version with BuildKit), or run buildkitd, or install podman or buildah. ' +
      'A Dockerfile that only copies files (FROM scratch, COPY) needs none of them.',
  });
}
