import { command } from './command.ts';
import { bashCompletion } from './completion/bash.ts';
import { fishCompletion } from './completion/fish.ts';
import { placesOf } from './completion/places.ts';
import { zshCompletion } from './completion/zsh.ts';
import { program } from './program.ts';
import { UsageFault } from './usage-fault.ts';

const shells = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion };

export const completion = command({
  arguments: 'bash|zsh|fish',
  notes: [
    'bash, in ~/.bashrc:       source <(npx nx-kraft completion bash)',
    'zsh, in ~/.zshrc:         source <(npx nx-kraft completion zsh)',
    'fish, once:               npx nx-kraft completion fish > ~/.config/fish/completions/nx-kraft.fish',
    '',
    'They complete the word nx-kraft; where it is not in PATH, make it a function in bash and zsh:',
    '  nx-kraft() { npx nx-kraft "$@"; }',
  ].join('\n'),
  run: async ({ words: [shell] }) => {
    if (!isShell(shell)) throw new UsageFault(`'${shell}' is none of ${Object.keys(shells).join(', ')}`);
    process.stdout.write(shells[shell](await placesOf(program)));
    return 0;
  },
});

function isShell(word: string): word is keyof typeof shells {
  return Object.hasOwn(shells, word);
}
