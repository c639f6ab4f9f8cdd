import { parseArgs } from 'node:util';
import { formatDiagnostics, inspectKraftfile } from '@nx-kraft/kraftfile';
import { type Command, UsageFault } from './command.ts';

export const inspect: Command = {
  usage: 'inspect FILE [--json]',
  summary: 'Prints what a Kraftfile says, in one form for all versions and spellings, as JSON.',
  help: '  --json  the default, and the only form\n\nWhat is wrong with the file goes to standard error.',
  run: async (args) => {
    const { positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { json: { type: 'boolean' } },
    });
    const [file, ...more] = positionals;
    if (file === undefined || more.length > 0) throw new UsageFault('inspect needs one file');
    const { report, diagnostics, exitCode } = await inspectKraftfile(file, process.env);
    process.stdout.write(report);
    process.stderr.write(formatDiagnostics(diagnostics, 'text'));
    return exitCode;
  },
};
