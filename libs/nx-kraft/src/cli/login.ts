import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { login as logIn } from '@nx-kraft/oci';
import { type Command, UsageFault } from './command.ts';

export const login: Command = {
  usage: 'login REGISTRY --user USER',
  summary: 'Checks a token or password with a registry and keeps it in a file of our own.',
  help: [
    '  -u, --user USER  the token or password is read from standard input, or from KRAFTKIT_LOGIN_TOKEN',
    '',
    "What Docker's and Podman's log-ins have is used, too; their files are never written.",
  ].join('\n'),
  run: async (args) => {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { user: { type: 'string', short: 'u' } },
    });
    const [registry, ...more] = positionals;
    const user = values.user ?? process.env.KRAFTKIT_LOGIN_USER;
    if (registry === undefined || more.length > 0 || user === undefined) {
      throw new UsageFault('login needs one registry and --user');
    }
    // Never as an argument: those of a process can be read by everybody on the machine.
    const token = process.env.KRAFTKIT_LOGIN_TOKEN ?? (await text(process.stdin)).trim();
    if (token === '') throw new UsageFault('login reads the token or password from standard input');
    await logIn(registry, user, token);
    process.stdout.write(`logged in to ${registry} as ${user}\n`);
    return 0;
  },
};
