import { createInterface } from 'node:readline/promises';
import type { Strategy } from '@nx-kraft/oci';
import { ProjectFault } from './kraftproject.ts';

/** What becomes of an image whose name another one takes: `prompt` asks on the terminal. */
export type AskedStrategy = Strategy | 'prompt';

const answers: readonly Strategy[] = ['overwrite', 'merge', 'abort'];

/**
 * The strategy to follow: the one that was given, or what the user says when asked.
 *
 * @param isInTheWay  whether there is another image of the name
 * @throws ProjectFault NO_TERMINAL when there is nobody to ask
 */
export async function settleStrategy(
  strategy: AskedStrategy | undefined,
  name: string,
  isInTheWay: () => Promise<boolean>,
): Promise<Strategy> {
  if (strategy !== 'prompt') return strategy ?? 'overwrite';
  if (!(await isInTheWay())) return 'overwrite';
  if (!process.stdin.isTTY) {
    throw new ProjectFault('NO_TERMINAL', `${name} is there already, and there is no terminal to ask what to do`, {
      hint: 'Say it by --strategy=overwrite, merge or abort.',
    });
  }
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    for (;;) {
      const said = (await terminal.question(`${name} is there already: ${answers.join(', ')}? `)).trim();
      const answer = answers.find((word) => said !== '' && word.startsWith(said.toLowerCase()));
      if (answer !== undefined) return answer;
    }
  } finally {
    terminal.close();
  }
}
