import { readdir, readFile } from 'node:fs/promises';

/** The numbers of the processes on whose command line `word` is. */
export async function findProcesses(word: string): Promise<readonly number[]> {
  const entries = (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry) && Number(entry) !== process.pid);
  const found = await Promise.all(
    entries.map(async (entry) => {
      const commandLine = await readFile(`/proc/${entry}/cmdline`, 'utf8').catch(() => '');
      return commandLine.split('\0').some((argument) => argument === word) ? [Number(entry)] : [];
    }),
  );
  return found.flat();
}

/** Waits until `condition` holds; fails after a minute, which a busy machine may need to start a process and a guest. */
export async function until(condition: () => Promise<boolean> | boolean, what: string): Promise<void> {
  for (const deadline = Date.now() + 60_000; !(await condition());) {
    if (Date.now() > deadline) throw new Error(`still not so: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
