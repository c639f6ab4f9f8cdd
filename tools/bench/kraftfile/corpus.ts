// Time of reading and checking the whole corpus against `parseDocument` of the `yaml` package alone on the same files,
// in turn in one process, so that load on the machine meets both: npx node tools/bench/kraftfile/corpus.ts [ROUNDS]
import { readKraftfile } from '@nx-kraft/kraftfile';
import { parseDocument } from 'yaml';
import { readCorpus } from '../../../libs/kraftfile/test/corpus.ts';

const rounds = Number(process.argv[2] ?? 15);
const files = readCorpus();
const times = { yaml: [] as number[], reader: [] as number[] };
for (let round = 0; round < rounds; round++) {
  times.yaml.push(timeOf(() => files.forEach(({ text }) => parseDocument(text, { uniqueKeys: false }))));
  times.reader.push(
    timeOf(() => files.forEach(({ name, text }) => readKraftfile(text, { file: name, directoryName: 'app' }))),
  );
}
const first = (times.reader[0] ?? 0) / (times.yaml[0] ?? 1);
const [yaml, reader] = [median(times.yaml), median(times.reader)];
process.stdout.write(
  `${files.length} files: yaml ${yaml.toFixed(0)} ms, reader ${reader.toFixed(0)} ms (medians of ${rounds}), ` +
    `ratio ${(reader / yaml).toFixed(2)}, first round with loading of zod ${first.toFixed(2)}; limit 1.50\n`,
);

function timeOf(work: () => void): number {
  const start = performance.now();
  work();
  return performance.now() - start;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
