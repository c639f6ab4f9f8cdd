/**
 * What to do when `program` is missing, as a sentence. It loads what is known of systems and their packages, which nobody
 * needs before.
 */
export async function installHint(program: string): Promise<string> {
  const { hintFor } = await import('./packages.ts');
  return hintFor(program);
}
