// Time and memory of refusing hostile files, each in a process of its own: npx node tools/bench/kraftfile/hostile.ts
import { readKraftfile } from '@nx-kraft/kraftfile';
import { spawnSync } from 'node:child_process';

const letters = [...'abcdefghijkl'];
const texts: Readonly<Record<string, () => string>> = {
  '10 MB of keys': () => 'a: b\n'.repeat(2_000_000),
  '10 MB of brackets': () => '['.repeat(10_000_000),
  'alias bomb of lists': () =>
    letters
      .map((letter, at) => `${letter}: &${letter} ${at === 0 ? 'x' : `[${`*${letters[at - 1]},`.repeat(9)}]`}`)
      .join('\n'),
  'alias bomb of mappings': () =>
    letters
      .map((letter, at) => `${letter}: &${letter} ${at === 0 ? 'x' : `{${entries(letters[at - 1] ?? '')}}`}`)
      .join('\n'),
};

const [, , only] = process.argv;
if (only === undefined) {
  for (const name of Object.keys(texts)) {
    const child = spawnSync(process.execPath, [import.meta.filename, name], { encoding: 'utf8' });
    process.stdout.write(child.stdout + child.stderr);
  }
} else {
  measure(only, texts[only]?.() ?? '');
}

function measure(name: string, text: string): void {
  readKraftfile('spec: v0.6\nruntime: base\n', { file: 'Kraftfile', directoryName: 'app' });
  const memory = process.resourceUsage().maxRSS;
  const start = performance.now();
  const { diagnostics } = readKraftfile(text, { file: 'Kraftfile', directoryName: 'app' });
  const time = performance.now() - start;
  const more = (process.resourceUsage().maxRSS - memory) / 1024;
  const codes = diagnostics.map(({ code }) => code).join(' ');
  process.stdout.write(
    `${name}: ${codes} in ${time.toFixed(0)} ms, ${more.toFixed(0)} MB more; limits 100 ms, 100 MB\n`,
  );
}

function entries(letter: string): string {
  return Array.from({ length: 9 }, (_, index) => `k${index}: *${letter}`).join(', ');
}
