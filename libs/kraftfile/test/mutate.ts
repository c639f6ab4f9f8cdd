/** Numbers that look random and are the same for the same seed (mulberry32). */
export function randomNumbers(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/** What breaks readers: YAML's own signs, values of all kinds, keys of Kraftfiles in wrong places, odd characters. */
const fragments = [
  ...['\n', '\t', '\r', ' ', '  ', ':', ': ', '- ', '? ', '[', ']', '{', '}', ',', '"', "'", '|', '>', '#', ' #'],
  ...[
    '&a ',
    '*a',
    '<<: *a',
    '!!str ',
    '!x ',
    '%',
    '@',
    '`',
    '---\n',
    '...\n',
    '\0',
    '\ufeff',
    '\u2028',
    '\ud800',
    '💥',
  ],
  ...['null', '~', 'true', 'y', 'off', '0x1000', '0o17', '1e999', '.nan', '0.10', '-0', '{}', '[]', '""', '${A', '$$'],
  ...['${A:-${B}}', '${A:?no}', '__proto__: 1\n', 'constructor: x\n', 'kconfig: null\n', 'targets: [a, {plat: b}]\n'],
  ...[
    'spec: v0.7\n',
    'spec: 0.6\n',
    'cmd: "a | b"\n',
    'rootfs: {source: {}}\n',
    'volumes: {a: 1}\n',
    'outdir: ../..\n',
  ],
];

/** A text with a few random changes: parts removed, doubled, moved, replaced, indented otherwise, or mixed with another. */
export function mutate(text: string, other: string, random: (below: number) => number): string {
  let result = text;
  for (let changes = 1 + random(4); changes > 0; changes--) {
    const at = random(result.length + 1);
    const length = random(12);
    const lines = result.split('\n');
    const line = random(lines.length);
    const operations: readonly (() => string)[] = [
      () => result.slice(0, at) + result.slice(at + length),
      () => result.slice(0, at) + (fragments[random(fragments.length)] ?? '') + result.slice(at),
      () => result.slice(0, at) + (fragments[random(fragments.length)] ?? '') + result.slice(at + length),
      () => result.slice(0, at) + result.slice(at, at + length) + result.slice(at),
      () => result.slice(0, at) + String.fromCharCode(random(0x250)) + result.slice(at + 1),
      () => lines.toSpliced(line, 1).join('\n'),
      () => lines.toSpliced(line, 0, lines[random(lines.length)] ?? '').join('\n'),
      () => lines.with(line, `${' '.repeat(random(6))}${lines[line]?.trimStart() ?? ''}`).join('\n'),
      () => lines.with(line, other.split('\n')[random(other.split('\n').length)] ?? '').join('\n'),
      () => result.slice(0, at) + other.slice(random(other.length + 1)),
    ];
    result = operations[random(operations.length)]?.() ?? result;
  }
  return result;
}
