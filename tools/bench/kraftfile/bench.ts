// Reading and checking the corpus against `parseDocument` of `yaml` alone, and refusing hostile files:
// npx node tools/bench/kraftfile/bench.ts
import { spawnSync } from 'node:child_process';
import { readKraftfile } from '@nx-kraft/kraftfile';
import { parseDocument } from 'yaml';
import { readCorpus } from '../../../libs/kraftfile/test/corpus.ts';

const letters = [...'abcdefghijkl'];
const hostileTexts: Readonly<Record<string, () => string>> = {
  '10 MB of keys': () => 'a: b\n'.repeat(2_000_000),
  '10 MB of brackets': () => '['.repeat(10_000_000),
  'alias bomb of lists': () => bomb((letter) => `[${`*${letter},`.repeat(9)}]`),
  'alias bomb of mappings': () =>
    bomb((letter) => `{${[1, 2, 3, 4, 5, 6].map((n) => `k${n}: *${letter}`).join(', ')}}`),
};

const [, , part] = process.argv;
if (part === undefined) {
  for (const name of ['corpus', 'start', ...Object.keys(hostileTexts)]) {
    const child = spawnSync(process.execPath, [import.meta.filename, name], { encoding: 'utf8' });
    process.stdout.write(child.stdout + child.stderr);
  }
} else if (part === 'corpus') {
  measureCorpus(25);
} else if (part === 'start') {
  await measureStart();
} else {
  measureRefusal(part, hostileTexts[part]?.() ?? '');
}

/** Both read the files in turn in one process, so that load on the machine meets both. */
function measureCorpus(rounds: number): void {
  const files = readCorpus();
  const times = { yaml: [] as number[], reader: [] as number[] };
  for (let round = 0; round < rounds; round++) {
    times.yaml.push(timeOf(() => files.forEach(({ text }) => parseDocument(text, { uniqueKeys: false }))));
    times.reader.push(
      timeOf(() => files.forEach(({ name, text }) => readKraftfile(text, { file: name, directoryName: 'app' }))),
    );
  }
  // Load comes and goes: the two of one round meet about the same.
  const ratios = times.reader.map((time, round) => time / (times.yaml[round] ?? time));
  process.stdout.write(
    `${files.length} files, medians of ${rounds} rounds: parseDocument alone ${median(times.yaml).toFixed(0)} ms, ` +
      `reader ${median(times.reader).toFixed(0)} ms, ratio ${median(ratios).toFixed(2)} ` +
      `(first round, zod being loaded, ${(ratios[0] ?? 0).toFixed(2)}); goal 1.5\n`,
  );
}

/** What the plugin pays on every command, and with the first file that it has to read. */
async function measureStart(): Promise<void> {
  const start = performance.now();
  await import('@nx-kraft/kraftfile/names');
  const names = performance.now() - start;
  const first = timeOf(() => readKraftfile('spec: v0.6\nruntime: base\n', { file: 'Kraftfile', directoryName: 'app' }));
  const text = readCorpus()[0]?.text ?? '';
  const second = timeOf(() => readKraftfile(text, { file: 'Kraftfile', directoryName: 'app' }));
  process.stdout.write(
    `start: names ${names.toFixed(1)} ms; first file ${first.toFixed(0)} ms, second ${second.toFixed(1)} ms\n`,
  );
}

function measureRefusal(name: string, text: string): void {
  readKraftfile('spec: v0.6\nruntime: base\n', { file: 'Kraftfile', directoryName: 'app' });
  const memory = process.resourceUsage().maxRSS;
  let codes = '';
  const time = timeOf(() => {
    const { diagnostics } = readKraftfile(text, { file: 'Kraftfile', directoryName: 'app' });
    codes = diagnostics.map(({ code }) => code).join(' ');
  });
  const more = (process.resourceUsage().maxRSS - memory) / 1024;
  process.stdout.write(`${name}: ${codes} in ${time.toFixed(0)} ms with ${more.toFixed(0)} MB; goal 100 ms, 100 MB\n`);
}

function bomb(item: (letter: string) => string): string {
  const value = (index: number): string => (index === 0 ? 'x' : item(letters[index - 1] ?? ''));
  return letters.map((letter, index) => `${letter}: &${letter} ${value(index)}`).join('\n');
}

function timeOf(work: () => void): number {
  const start = performance.now();
  work();
  return performance.now() - start;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
