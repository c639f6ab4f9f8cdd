import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** What a volume may be called. */
export const volumeName = /^[a-zA-Z0-9][\w.-]*$/;

/** `nx-kraft/volumes` in the user's folder for state. */
export function defaultVolumeFolder(): string {
  return join(process.env['XDG_STATE_HOME'] ?? join(homedir(), '.local/state'), 'nx-kraft', 'volumes');
}

/** Whether a volume's source is the name of one of this host's, which wins over a folder of the same name. */
export function isNamedVolume(source: string): boolean {
  return volumeName.test(source) && existsSync(join(defaultVolumeFolder(), source));
}
