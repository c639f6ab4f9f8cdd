import { text } from 'node:stream/consumers';
import { forgetCredentials, login as logIn, loginFile } from '@nx-kraft/oci';
import { connectionOptions } from '../tasks/registry.ts';
import { command, jsonOption, print } from './command.ts';
import { registryAccess, registryOptions } from './pkg/options.ts';
import { UsageFault } from './usage-fault.ts';

export const login = command({
  arguments: 'REGISTRY',
  options: {
    user: { type: 'string', short: 'u', value: 'USER', summary: 'default: KRAFTKIT_LOGIN_USER' },
    ...registryOptions,
    ...jsonOption,
  },
  notes: [
    'The token or password is read from standard input, or from KRAFTKIT_LOGIN_TOKEN.',
    "What Docker's and Podman's log-ins have is used, too; their files are never written.",
  ].join('\n'),
  run: async ({ values, words: [registry] }) => {
    const user = values.user ?? process.env.KRAFTKIT_LOGIN_USER;
    if (user === undefined) throw new UsageFault('login needs --user');
    const access = await registryAccess(values);
    // Never as an argument: those of a process can be read by everybody on the machine.
    const token = process.env.KRAFTKIT_LOGIN_TOKEN ?? (await text(process.stdin)).trim();
    if (token === '') throw new UsageFault('login reads the token or password from standard input');
    await logIn(registry, user, token, connectionOptions(access));
    print(values, { registry, user }, () => `logged in to ${registry} as ${user}`);
    return 0;
  },
});

export const logout = command({
  arguments: 'REGISTRY',
  notes: 'Log-ins of Docker, Podman and kraft stay: log out of them with the tools that made them.',
  options: jsonOption,
  run: async ({ values, words: [registry] }) => {
    await forgetCredentials(loginFile(), registry);
    print(values, { registry }, () => '');
    return 0;
  },
});
