import { commands } from './commands.ts';
import type { Found } from './find-command.ts';

/** The whole command. */
export const program: Found = { path: 'nx-kraft', summary: 'Unikernels outside of Nx projects.', command: commands };
