import { type Dockerfile, type Flag, type Instruction, invalid, parseDockerfile } from './parse.ts';
import { addsFromNetwork, isRemote } from './remote.ts';
import { copyWords, expand, NeedsBuilder, splitWords, type Variables } from './words.ts';

export interface Stage {
  readonly index: number;
  /** In lower case, as names are compared; undefined without `AS`. */
  readonly name: string | undefined;
  /** `scratch`, an image reference, or the name of an earlier stage, variables replaced. */
  readonly base: string;
  /** The earlier stage that `base` names. */
  readonly baseStage: number | undefined;
  /** Those of its FROM. */
  readonly flags: readonly Flag[];
  /** Value of `--platform`, variables replaced. */
  readonly platform: string | undefined;
  readonly line: number;
  readonly instructions: readonly Instruction[];
}

export interface Stages {
  readonly stages: readonly Stage[];
  /** Values of the ARG instructions before the first FROM. */
  readonly globalArgs: ReadonlyMap<string, string>;
}

/**
 * Groups the instructions of a Dockerfile by stage.
 *
 * @param buildArgs  values that replace the defaults of ARG
 * @param platformArgs  TARGETARCH and the like
 * @throws RootfsFault DOCKERFILE_INVALID
 */
export function readStages(dockerfile: Dockerfile, buildArgs: Variables, platformArgs: Variables): Stages {
  const { path, escape } = dockerfile;
  const globalArgs = new Map<string, string>();
  const scope: Variables = (name) => globalArgs.get(name) ?? platformArgs(name);
  const stages: (Stage & { instructions: Instruction[] })[] = [];
  for (const instruction of dockerfile.instructions) {
    const current = stages.at(-1);
    if (instruction.keyword === 'FROM') {
      const stage = readFrom(instruction, stages, scope, dockerfile);
      stages.push({ ...stage, instructions: triggersOf(stages[stage.baseStage ?? -1], path) });
    } else if (current !== undefined) {
      current.instructions.push(instruction);
    } else if (instruction.keyword === 'ARG') {
      const replaced = (text: string): string => expandIfKnown(text, scope, escape, instruction.line);
      for (const { name, value } of readArgs(instruction, escape, replaced)) {
        const given = buildArgs(name) ?? value;
        if (given !== undefined) globalArgs.set(name, given);
      }
    } else {
      throw invalid(path, instruction.line, `${instruction.keyword} stands before the first FROM`);
    }
  }
  if (stages.length === 0) throw invalid(path, 1, 'there is no FROM', 'Begin with: FROM scratch');
  return { stages, globalArgs };
}

/** What a stage says of those that begin with it: they do it first. */
function triggersOf(base: Stage | undefined, path: string): Instruction[] {
  const triggers = base?.instructions.filter(({ keyword }) => keyword === 'ONBUILD') ?? [];
  return triggers.flatMap(({ rest, heredocs, line }) => {
    const text = [rest, ...heredocs.map(({ content, name }) => content + name)].join('\n');
    return parseDockerfile(text, path, line).instructions;
  });
}

/**
 * The stage to build, by name, or the last one. No version of BuildKit takes numbers here.
 *
 * @throws RootfsFault DOCKERFILE_INVALID
 */
export function findTarget({ stages }: Stages, target: string | undefined, path: string): Stage {
  const stage = stages.findLast(({ name }) => target === undefined || name === target.toLowerCase());
  if (stage !== undefined) return stage;
  const names = stages.flatMap(({ name }) => name ?? []);
  const hint = names.length === 0 ? 'No stage has a name: FROM image AS name.' : `The stages are: ${names.join(', ')}.`;
  throw invalid(path, 1, `there is no stage ${target ?? ''}`, hint);
}

/** The stages that `stage` needs, itself included, in the order of the file. */
export function neededStages({ stages }: Stages, stage: Stage): Stage[] {
  const needed = new Set<number>();
  const visit = (index: number): void => {
    const visited = stages[index];
    if (visited === undefined || needed.has(index)) return;
    needed.add(index);
    if (visited.baseStage !== undefined) visit(visited.baseStage);
    for (const name of visited.instructions.flatMap(fromFlags)) {
      const source = stageIndex(stages.slice(0, index), name);
      if (source !== undefined) visit(source);
    }
  };
  visit(stage.index);
  return stages.filter(({ index }) => needed.has(index));
}

/** The number of the stage with this name, or that is this number. */
export function stageIndex(stages: readonly Stage[], name: string): number | undefined {
  const byName = stages.findLastIndex((stage) => stage.name === name.toLowerCase());
  if (byName >= 0) return byName;
  return /^\d+$/.test(name) && Number(name) < stages.length ? Number(name) : undefined;
}

/** Stages and images that an instruction copies or mounts from. */
export function fromFlags({ keyword, flags }: Instruction): string[] {
  return flags.flatMap(({ name, value }) => {
    if (name === 'from' && (keyword === 'COPY' || keyword === 'ADD')) return [value];
    if (name !== 'mount') return [];
    return /(?:^|,)from=([^,]+)/i.exec(value)?.[1] ?? [];
  });
}

/** Whether an option of RUN shows it files of the context, of a stage or of an image. */
export function mountsFiles({ name, value }: Flag): boolean {
  return name === 'mount' && (!/(^|,)type=(?!bind)/i.test(value) || /(^|,)from=/i.test(value));
}

/**
 * `NAME=value` and `NAME`, any number of them, each of which may take those before it.
 *
 * @param replaced  gives a value with its variables replaced
 */
export function* readArgs(
  { rest, line }: Instruction,
  escape: string,
  replaced: (text: string) => string,
): Generator<{ name: string; value: string | undefined }> {
  for (const word of splitWords(rest, escape)) {
    const [name = '', ...value] = word.split('=');
    if (name === '') throw new NeedsBuilder(`has an argument without a name, ${word}`, line);
    yield { name, value: value.length === 0 ? undefined : replaced(value.join('=')) };
  }
}

function readFrom(
  { rest, flags, line }: Instruction,
  before: readonly Stage[],
  variables: Variables,
  { path, escape }: Dockerfile,
): Omit<Stage, 'instructions'> {
  const [image = '', as, name, ...more] = rest.split(/\s+/);
  if (more.length > 0 || (as !== undefined && (as.toUpperCase() !== 'AS' || name === undefined))) {
    throw invalid(path, line, 'FROM takes an image, and "AS name" after it');
  }
  if (name !== undefined && !/^[a-z][\w.-]*$/i.test(name)) {
    const hint = 'It begins with a letter, and has letters, digits and - _ . in it.';
    throw invalid(path, line, `a stage cannot have the name ${name}`, hint);
  }
  const base = expandIfKnown(image, variables, escape, line);
  if (base === '') {
    throw invalid(path, line, `the image of FROM is empty: ${image} has no value`, 'Give the build argument a value.');
  }
  const platform = flags.find((flag) => flag.name === 'platform')?.value;
  const baseStage = before.findLastIndex((stage) => stage.name === base);
  if (baseStage < 0 && before.some((stage) => stage.name === base.toLowerCase())) {
    const hint = `Write FROM ${base.toLowerCase()}: names of stages are in lower case here.`;
    throw invalid(path, line, `there is no stage ${base}`, hint);
  }
  return {
    index: before.length,
    name: name?.toLowerCase(),
    base,
    baseStage: baseStage < 0 ? undefined : baseStage,
    flags,
    platform: platform === undefined ? undefined : expandIfKnown(platform, variables, escape, line),
    line,
  };
}

/** What only a builder can replace stays as it is: the stage may not be needed. */
function expandIfKnown(text: string, variables: Variables, escape: string, line: number): string {
  try {
    return expand(text, variables, escape, line);
  } catch (error) {
    if (error instanceof NeedsBuilder) return text;
    throw error;
  }
}

/** Why a builder is needed, as {@link NeedsBuilder} tells it. */
export interface BuilderReason {
  readonly reason: string;
  readonly line: number;
}

/** Why stages cannot be built without running something; undefined when they can. */
export function whyBuilderIsNeeded(dockerfile: Dockerfile, needed: readonly Stage[]): BuilderReason | undefined {
  if (
    dockerfile.syntax !== undefined &&
    !/^(docker\.io\/)?docker\/dockerfile(:1(\.\d+)*(-labs)?)?$/.test(dockerfile.syntax)
  ) {
    return { reason: `asks for the frontend ${dockerfile.syntax}`, line: 1 };
  }
  for (const stage of needed) {
    const { instructions } = stage;
    const running = instructions.find(({ keyword }) => keyword === 'RUN');
    if (running !== undefined) return { reason: 'runs a command', line: running.line };
    const parts = instructions.find(
      ({ keyword, rest }) => expanded.has(keyword) && /\$\{\w+(:[^-+?]|[^}:\w+?#%/-])/.test(rest),
    );
    if (parts !== undefined) return { reason: 'replaces parts of a variable', line: parts.line };
    const remote = instructions.find(({ keyword, rest }) => keyword === 'ADD' && copyWords(rest).some(isRemote));
    if (remote !== undefined) return { reason: addsFromNetwork, line: remote.line };
    for (const { keyword, flags, line } of [{ keyword: 'FROM', ...stage }, ...instructions]) {
      const odd = flags.find(({ name }) => simpleFlags[keyword]?.includes(name) !== true);
      if (odd !== undefined) return { reason: `uses --${odd.name}`, line };
    }
  }
  return undefined;
}

/** The instructions whose variables are replaced, and not by a shell. */
const expanded = new Set('ADD ARG COPY ENV EXPOSE LABEL USER WORKDIR'.split(' '));

/** HEALTHCHECK's have no meaning for a unikernel. */
const simpleFlags: Readonly<Record<string, readonly string[]>> = {
  ADD: ['chown', 'chmod', 'link', 'exclude'],
  COPY: ['from', 'chown', 'chmod', 'link', 'exclude', 'parents'],
  FROM: ['platform'],
  HEALTHCHECK: ['interval', 'timeout', 'start-period', 'start-interval', 'retries'],
};
