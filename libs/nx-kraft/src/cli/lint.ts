import { parseArgs } from 'node:util';
import { lintPaths } from '@nx-kraft/kraftfile';
import { type Command, UsageFault } from './command.ts';

export const lint: Command = {
  usage: 'lint PATH… [--json | --github]',
  summary: 'Checks Kraftfiles, and all Kraftfiles below folders, and explains what is wrong.',
  help: [
    '  --json    the diagnostics as JSON, for editors and CI',
    '  --github  the diagnostics as annotations of a GitHub workflow',
    '',
    'The exit code is 1 when there is an error, 0 with warnings alone.',
  ].join('\n'),
  run: async (args) => {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { json: { type: 'boolean' }, github: { type: 'boolean' } },
    });
    if (positionals.length === 0) throw new UsageFault('lint needs a path');
    const format = values.json === true ? 'json' : values.github === true ? 'github' : 'text';
    const { report, exitCode } = await lintPaths(positionals, { format, env: process.env });
    process.stdout.write(report);
    return exitCode;
  },
};
