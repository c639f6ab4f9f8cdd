/**
 * The word of `words` that someone who wrote `written` most likely meant; undefined when none is near. Letter case is
 * ignored; at most a third of the letters may differ, a swap of two neighbours counting as one difference.
 *
 * @param limit  at most as many letters may differ, for long words that begin alike
 */
export function nearestWord(written: string, words: readonly string[], limit = Infinity): string | undefined {
  const most = Math.min(limit, Math.max(1, Math.floor(written.length / 3)));
  if (written.length > 64) return undefined;
  let best: { word: string; distance: number } | undefined;
  for (const word of words) {
    if (Math.abs(word.length - written.length) > most) continue;
    const distance = editDistance(written.toLowerCase(), word.toLowerCase());
    if (distance <= most && (best === undefined || distance < best.distance)) best = { word, distance };
  }
  return best?.word;
}

/** Insertions, removals, replacements and swaps of neighbours (optimal string alignment) that lead from `a` to `b`. */
function editDistance(a: string, b: string): number {
  let beforeLast: readonly number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (last[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      let distance = Math.min((last[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1, replaced);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        distance = Math.min(distance, (beforeLast[j - 2] ?? 0) + 1);
      }
      current.push(distance);
    }
    beforeLast = last;
    last = current;
  }
  return last[b.length] ?? 0;
}
