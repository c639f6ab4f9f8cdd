import { randomInt } from 'node:crypto';
import { MachineFault } from './fault.ts';

/** @throws MachineFault MACHINE_BAD_NAME */
export function requireName(name: string): void {
  if (/^[a-zA-Z0-9][\w.-]{0,62}$/.test(name)) return;
  throw new MachineFault('MACHINE_BAD_NAME', `'${name}' cannot be the name of a machine`, {
    hint: 'A name has letters, digits, -, _ and ., begins with a letter or digit, and has at most 63 characters.',
  });
}

const adjectives = [
  'agile',
  'brave',
  'calm',
  'eager',
  'fair',
  'glad',
  'keen',
  'lucid',
  'neat',
  'quick',
  'tidy',
  'warm',
];
const animals = [
  'badger',
  'crane',
  'dolphin',
  'finch',
  'gecko',
  'heron',
  'ibex',
  'lynx',
  'marten',
  'otter',
  'raven',
  'wren',
];

/** Two words that no other machine has for its name. */
export function inventName(taken: ReadonlySet<string>): string {
  for (let tries = 0; ; tries++) {
    const words = `${adjectives[randomInt(adjectives.length)]}-${animals[randomInt(animals.length)]}`;
    const name = tries < 10 ? words : `${words}-${randomInt(1e6)}`;
    if (!taken.has(name)) return name;
  }
}
