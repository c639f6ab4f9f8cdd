/** Text of a console with something before each of its lines. */
export function prefixLines(chunk: Uint8Array, prefix: string): string {
  const text = Buffer.from(chunk).toString('utf8');
  return prefix === '' ? text : text.replaceAll(/^(?=.)/gm, prefix);
}
