import type { Dockerfile } from './parse.ts';
import { fromFlags, type Stage, stageIndex, type Stages } from './stages.ts';

/**
 * A Dockerfile's text with its images named by their digests, so that every builder takes those that are locked,
 * whatever their tags mean by now. Named contexts would do the same, but builders before 2022 pass over them in
 * silence. Lines stay where they are.
 *
 * @param exact  gives the name to write instead; undefined leaves an image as it is
 */
export async function pinImages(
  text: string,
  { instructions }: Dockerfile,
  { stages }: Stages,
  exact: (name: string, platform: string | undefined) => Promise<string | undefined>,
): Promise<string> {
  const lines = text.split('\n');
  for (const [index, instruction] of instructions.entries()) {
    const end = (instructions[index + 1]?.line ?? lines.length + 1) - 1;
    for (const { written, name, platform } of namesOf(instruction, stages)) {
      // What holds a variable that only the builder can replace names nothing here.
      const replacement = name.includes('$') ? undefined : await exact(name, platform);
      if (replacement !== undefined) replaceName(lines, instruction.line - 1, end, written, replacement);
    }
  }
  return lines.join('\n');
}

/** An image that a Dockerfile names. */
export interface NamedImage {
  readonly name: string;
  /** As FROM asks for it. */
  readonly platform: string | undefined;
}

/** The images that a Dockerfile names, variables replaced. */
export function namedImages({ instructions }: Dockerfile, { stages }: Stages): readonly NamedImage[] {
  return instructions.flatMap((instruction) => namesOf(instruction, stages));
}

/** The images of one instruction, as they are written and with their variables replaced. */
function namesOf(
  instruction: Dockerfile['instructions'][number],
  stages: readonly Stage[],
): (NamedImage & { readonly written: string })[] {
  if (instruction.keyword === 'FROM') {
    const stage = stages.find(({ line }) => line === instruction.line);
    if (stage === undefined || stage.baseStage !== undefined) return [];
    return [{ written: /^\S+/.exec(instruction.rest)?.[0] ?? '', name: stage.base, platform: stage.platform }];
  }
  const before = stages.filter(({ line }) => line < instruction.line);
  return fromFlags(instruction)
    .filter((name) => stageIndex(before.slice(0, -1), name) === undefined)
    .map((name) => ({ written: name, name, platform: undefined }));
}

function replaceName(lines: string[], start: number, end: number, written: string, replacement: string): void {
  const escaped = written.replaceAll(/\W/g, String.raw`\$&`);
  const word = new RegExp(`(?<=[\\s="])${escaped}(?=[\\s,"\\\\\`]|$)`);
  const index = lines.findIndex((line, number) => number >= start && number < end && word.test(line));
  if (index >= 0) lines[index] = (lines[index] ?? '').replace(word, () => replacement);
}
