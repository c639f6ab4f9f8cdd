// Reads mutations of the corpus, and changes every tenth; stops at anything thrown that is no fault, and at anything
// slow: npx node tools/bench/kraftfile/fuzz.ts [CASES] [SEED]
import {
  addTarget,
  formatDiagnostics,
  KraftfileFault,
  outputNames,
  readKraftfile,
  setKconfig,
  upgradeKraftfile,
} from '@nx-kraft/kraftfile';
import { readCorpus } from '../../../libs/kraftfile/test/corpus.ts';
import { mutate, randomNumbers } from '../../../libs/kraftfile/test/mutate.ts';

const cases = Number(process.argv[2] ?? 100_000);
const random = randomNumbers(Number(process.argv[3] ?? 1));
const slow = 1000;
const corpus = readCorpus();
const counts = { models: 0, errors: 0, changed: 0, refused: 0 };
let slowest = 0;

for (let count = 0; count < cases; count++) {
  const [one, other] = [corpus[random(corpus.length)]?.text ?? '', corpus[random(corpus.length)]?.text ?? ''];
  const text = mutate(one, other, random);
  const start = performance.now();
  try {
    check(text, count % 10 === 0);
  } catch (error) {
    process.stderr.write(`case ${count}:\n${text}\n`);
    throw error;
  }
  slowest = Math.max(slowest, performance.now() - start);
  if (slowest > slow) throw new Error(`case ${count} took ${slowest.toFixed(0)} ms:\n${text}`);
}
process.stdout.write(
  `${cases} cases: ${counts.models} with a model, ${counts.errors} without and with an error, ` +
    `${counts.changed} changed, ${counts.refused} changes refused; slowest ${slowest.toFixed(0)} ms\n`,
);

function check(text: string, isChanged: boolean): void {
  const { kraftfile, diagnostics, positionOf } = readKraftfile(text, { file: 'Kraftfile', directoryName: 'app' });
  formatDiagnostics(diagnostics, 'text');
  positionOf(['targets', 0]);
  if (kraftfile === undefined) {
    if (!diagnostics.some(({ severity }) => severity === 'error')) throw new Error('neither a model nor an error');
    counts.errors++;
    return;
  }
  counts.models++;
  for (const target of kraftfile.targets) outputNames(kraftfile, target);
  if (!isChanged) return;
  const changes = [
    () => addTarget(text, { platform: 'xen', architecture: 'arm', name: 'another' }),
    () => setKconfig(text, 'unikraft', 'CONFIG_ANOTHER', `it's "$5": #`),
    () => upgradeKraftfile(text, 'v0.7'),
  ];
  for (const change of changes) {
    try {
      change();
      counts.changed++;
    } catch (error) {
      if (!(error instanceof KraftfileFault)) throw error;
      counts.refused++;
    }
  }
}
