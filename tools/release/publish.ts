// Publishes one package from `dist`; `nx release publish` runs it for each, those first that others need.
//   node tools/release/publish.ts libs/base [--registry=URL] [--tag=TAG] [--otp=CODE] [--access=public] [--dryRun]
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { run } from '@nx-kraft/base';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    registry: { type: 'string' },
    tag: { type: 'string' },
    otp: { type: 'string' },
    access: { type: 'string' },
    // As Nx passes them on.
    dryRun: { type: 'string' },
    firstRelease: { type: 'string' },
  },
});
const [project = '.'] = positionals;
const { registry, tag, otp, access } = values;
await run(
  'npm',
  [
    'publish',
    join(resolve(import.meta.dirname, '../../dist'), basename(project)),
    ...Object.entries({ registry, tag, otp, access }).flatMap(([name, value]) =>
      value === undefined ? [] : [`--${name}=${value}`],
    ),
    ...(values.dryRun === 'true' ? ['--dry-run'] : []),
  ],
  { onLine: (line) => process.stdout.write(`${line}\n`) },
);
