/** Which environment variables a Kraftfile before v0.7 mentions, as `${NAME}` with or without a default, or as `$NAME`. */
export function mentionedVariables(text: string): readonly string[] {
  if (!text.includes('$')) return [];
  const names = [...text.matchAll(/(?<!\$)(?:\$\$)*\$\{?([A-Za-z_]\w*)/g)].map((match) => match[1] ?? '');
  return [...new Set(names)].toSorted();
}
