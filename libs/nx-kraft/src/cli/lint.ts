import { lintPaths } from '@nx-kraft/kraftfile';
import { command } from './command.ts';

export const lint = command({
  arguments: 'PATH…',
  options: {
    json: { type: 'boolean', summary: 'the diagnostics as JSON, for editors and CI' },
    github: { type: 'boolean', summary: 'the diagnostics as annotations of a GitHub workflow' },
  },
  notes: 'The exit code is 1 when there is an error, 0 with warnings alone.',
  run: async ({ values, words }) => {
    const format = values.json === true ? 'json' : values.github === true ? 'github' : 'text';
    const { report, exitCode } = await lintPaths(words, { format, env: process.env });
    process.stdout.write(report);
    return exitCode;
  },
});
