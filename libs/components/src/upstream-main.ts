// Called by make in place of wget: `… -O FILE URL`, with the settings in the environment.
import { describeError } from '@nx-kraft/base';
import { openStore } from './store.ts';
import { fetchUpstream, settingsVariable, type UpstreamSettings } from './upstream.ts';

function parseCall(args: readonly string[]): { readonly file: string; readonly url: string } {
  const file = args[args.indexOf('-O') + 1];
  const url = args.at(-1);
  if (!args.includes('-O') || file === undefined || url === undefined || !/^(https?|file):/i.test(url)) {
    throw new Error(`only calls of the form -O FILE URL are known, not: ${args.join(' ')}`);
  }
  return { file, url };
}

async function main(): Promise<void> {
  const { file, url } = parseCall(process.argv.slice(2));
  const settings = JSON.parse(process.env[settingsVariable] ?? '') as UpstreamSettings;
  await fetchUpstream(openStore({ folder: settings.store }), url, file, settings);
}

main().catch((error: unknown) => {
  process.stderr.write(`${describeError(error)}\n`);
  process.exitCode = 1;
});
