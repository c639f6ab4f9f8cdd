import { formatDiagnostics, inspectKraftfile } from '@nx-kraft/kraftfile';
import { command } from './command.ts';

export const inspect = command({
  arguments: 'FILE',
  options: { json: { type: 'boolean', summary: 'the default, and the only form' } },
  notes: 'What is wrong with the file goes to standard error.',
  run: async ({ words: [file] }) => {
    const { report, diagnostics, exitCode } = await inspectKraftfile(file, process.env);
    process.stdout.write(report);
    process.stderr.write(formatDiagnostics(diagnostics, 'text'));
    return exitCode;
  },
});
