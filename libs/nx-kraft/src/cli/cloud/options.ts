import type { Id } from '@nx-kraft/cloud';
import { type Column, formatTable } from '@nx-kraft/oci';
import { jsonOption, print } from '../command.ts';
import { UsageFault } from '../usage-fault.ts';

/** What all of these commands take. */
export const cloudOptions = {
  metro: { type: 'string', value: 'METRO', summary: 'which metro, by its name or URL; default: UKC_METRO' },
  ...jsonOption,
} as const;

export const allOption = { all: { type: 'boolean', short: 'a', summary: 'all of them' } } as const;

/** Options of a service that a command creates. */
export const domainOptions = {
  domain: { type: 'string', short: 'd', multiple: true, value: 'DOMAIN', summary: 'a whole domain that is yours' },
  subdomain: { type: 'string', short: 's', multiple: true, value: 'NAME', summary: "a name below the metro's domain" },
  certificate: {
    type: 'string',
    short: 'c',
    multiple: true,
    value: 'NAME',
    summary: 'a certificate for a domain, in the same order',
  },
} as const;

/** Domains as settings of a deployment have them: whole ones end with a dot. */
export function domainNames({
  domain = [],
  subdomain = [],
}: {
  readonly domain?: readonly string[] | undefined;
  readonly subdomain?: readonly string[] | undefined;
}): string[] {
  return [...domain.map((name) => (name.endsWith('.') ? name : `${name}.`)), ...subdomain];
}

/** Things as a table, or all that the API says of them as JSON. */
export function show<Row>(
  values: { readonly json?: boolean | undefined },
  columns: readonly Column<Row>[],
  rows: readonly Row[],
): void {
  print(values, rows, () => formatTable(columns, rows, process.stdout.columns || Infinity));
}

/** All that is known, as JSON. */
export function showAll(data: unknown): void {
  process.stdout.write(`${JSON.stringify(data, undefined, 2)}\n`);
}

/** The things that were named, or all, by what lists them. */
export async function chosen(
  words: readonly string[],
  all: boolean | undefined,
  list: () => Promise<readonly Id[]>,
): Promise<readonly Id[]> {
  if ((all === true) === words.length > 0) throw new UsageFault('name what is meant, or give --all');
  return all === true ? list() : words;
}

const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/**
 * A time with its unit, such as `500ms`, `10s`, `1m30s`, in milliseconds.
 *
 * @throws UsageFault
 */
export function milliseconds(option: string, text: string): number {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)];
  if (parts.length === 0 || parts.map(([whole]) => whole).join('') !== text) {
    throw new UsageFault(`--${option} is a time such as 500ms, 10s or 1m, and not '${text}'`);
  }
  return parts.reduce((sum, [, number, unit = '']) => sum + Number(number) * (units[unit] ?? 0), 0);
}

/** @throws UsageFault */
export function wholeNumber(option: string, text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  throw new UsageFault(`--${option} is a whole number, and not '${text}'`);
}
