import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatAddress, formatCommandLine, initrdMount } from './command-line.ts';

const nothing = { kernelArguments: [], addresses: [], mounts: [], environment: {}, arguments: [] };

test('arguments alone need no separator', () => {
  expect(formatCommandLine({ ...nothing, arguments: ['-p', '8080', 'a b', `it's`] })).toBe(`-p 8080 "a b" "it's"`);
});

test('parameters of the kernel come first, in the order that kraft uses, and end with --', () => {
  const line = formatCommandLine({
    kernelArguments: ['ukdebug.level=3'],
    addresses: [formatAddress({ cidr: '172.44.0.2/24', gateway: '172.44.0.1', nameservers: ['8.8.8.8'] })],
    mounts: [initrdMount, 'fs1:/data:9pfs:::mkmp'],
    environment: { A: '1', B: 'two "words" \\' },
    arguments: ['run'],
  });
  expect(line).toBe(
    'ukdebug.level=3 netdev.ip=172.44.0.2/24:172.44.0.1:8.8.8.8::: ' +
      'vfs.fstab=[ "initrd0:/:extract::ramfs=2:" "fs1:/data:9pfs:::mkmp" ] env.vars=[ "A=1" "B=two \\"words\\" \\\\" ] -- run',
  );
});

test.each([
  [{ arguments: ['a', ''] }, 'empty argument'],
  [{ arguments: ['a\0b'] }, 'NUL'],
  [{ kernelArguments: ['-v'] }, 'no parameter of the kernel'],
  [{ environment: { '': 'x' } }, 'no name of an environment variable'],
])('what cannot reach a guest is refused: %j', (part, message) => {
  expect(() => formatCommandLine({ ...nothing, ...part })).toThrow(message);
});

test('every argument and every value arrives as it was', () => {
  const word = fc.string({ unit: fc.constantFrom(...`ab =]['"\\\t-,$`), minLength: 1 });
  fc.assert(
    fc.property(fc.array(word), fc.array(word), (values, args) => {
      const environment = Object.fromEntries(values.map((value, index) => [`V${index}`, value]));
      const words = splitAsGuest(formatCommandLine({ ...nothing, environment, arguments: args }));
      const guest = takeParameters(words);
      expect(guest.variables.toSorted()).toEqual(
        Object.entries(environment)
          .map(([name, value]) => `${name}=${value}`)
          .toSorted(),
      );
      expect(guest.rest).toEqual(args);
    }),
  );
});

/** The rules of Unikraft's lib/uklibparam for a list of variables, when there are parameters at all. */
function takeParameters(words: readonly string[]): { variables: readonly string[]; rest: readonly string[] } {
  if (words[0]?.startsWith('env.vars=') !== true) return { variables: [], rest: words };
  const variables: string[] = [];
  const end = words.indexOf('--');
  let inList = false;
  for (const word of words.slice(0, end)) {
    let value = inList ? word : word.replace(/^env\.vars=/, '');
    if (!inList && value.startsWith('[')) {
      inList = true;
      value = value.slice(1);
      if (value === '') continue;
    }
    if (inList && value.endsWith(']')) {
      inList = false;
      value = value.slice(0, -1);
      if (value === '') continue;
    }
    variables.push(value);
  }
  return { variables, rest: words.slice(end + 1) };
}

/** The rules of Unikraft's lib/ukargparse. */
function splitAsGuest(line: string): readonly string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote = '';
  for (let index = 0; index < line.length; index++) {
    let character = line[index] ?? '';
    if (quote === '' && /\s/.test(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
      continue;
    }
    if (quote === '' ? /['"]/.test(character) : character === quote) {
      quote = quote === '' ? character : '';
      continue;
    }
    const next = line[index + 1] ?? '';
    if (character === '\\' && quote !== "'" && next !== '' && (quote === '' || /["\\]/.test(next))) {
      character = next;
      index++;
    }
    word = (word ?? '') + character;
  }
  return word === undefined ? words : [...words, word];
}
