import { nearestWord } from '@nx-kraft/base';
import type { Wrong } from './checks.ts';
import type { Flag } from './parse.ts';

/** What a flag takes: one value, any number of them, or `true` and `false`, of which it means the first without a value. */
type Kind = 'value' | 'values' | 'switch';

/** Those of the Dockerfile reference. */
const known: Readonly<Record<string, Readonly<Record<string, Kind>>>> = {
  ADD: {
    chown: 'value',
    chmod: 'value',
    link: 'switch',
    'keep-git-dir': 'switch',
    checksum: 'value',
    unpack: 'switch',
    exclude: 'values',
  },
  COPY: { from: 'value', chown: 'value', chmod: 'value', link: 'switch', parents: 'switch', exclude: 'values' },
  FROM: { platform: 'value' },
  HEALTHCHECK: {
    interval: 'value',
    timeout: 'value',
    'start-period': 'value',
    'start-interval': 'value',
    retries: 'value',
  },
  RUN: { mount: 'values', network: 'value', security: 'value', device: 'values' },
};

/**
 * What is wrong with the flags of an instruction; undefined where nothing is. Flags that nobody knows here pass, since builders
 * may be newer, but not those that are nearly one that is known.
 */
export function wrongFlag(keyword: string, flags: readonly Flag[]): Wrong | undefined {
  const kinds = known[keyword];
  if (kinds === undefined) return undefined;
  const seen = new Set<string>();
  for (const { name, value, isBare } of flags) {
    const kind = kinds[name];
    const meant = kind === undefined ? nearestWord(name, Object.keys(kinds)) : undefined;
    if (meant !== undefined) return { message: `${keyword} has no flag --${name}`, hint: `Did you mean --${meant}?` };
    if (kind === 'switch' && !isBare && !/^(true|false)$/i.test(value)) {
      return { message: `--${name} is true or false, not "${value}"` };
    }
    if ((kind === 'value' || kind === 'values') && isBare) return { message: `--${name} has no value` };
    if (kind !== undefined && kind !== 'values' && seen.has(name)) return { message: `--${name} is there twice` };
    seen.add(name);
  }
  return undefined;
}
