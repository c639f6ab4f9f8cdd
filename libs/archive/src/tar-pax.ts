import type { ByteName } from './names.ts';
import type { SparseRegion } from './tar-sparse.ts';

/** What headers before an entry's own say of it. */
export interface Overrides {
  name?: ByteName;
  linkName?: ByteName;
  size?: number;
  uid?: number;
  gid?: number;
  sparse?: PaxSparse;
}

/** What GNU tar says of a sparse file in a pax header (GNU tar, "Storing Sparse Files"). */
export interface PaxSparse {
  /** 1 means that the map stands before the content; else it is in `regions`. */
  major: number;
  realSize?: number;
  name?: ByteName;
  regions: SparseRegion[];
}

/**
 * Reads the records of a pax header, `LENGTH KEY=VALUE\n` again and again, where the length counts the whole record
 * (POSIX.1-2017, pax, "pax Extended Header").
 *
 * @param body  holds them in `[start, end)`
 * @param target  gets what they say
 * @returns what is wrong with them; undefined when nothing is
 */
export function readPaxRecords(body: Buffer, start: number, end: number, target: Overrides): string | undefined {
  for (let at = start; at < end;) {
    let length = 0;
    let blank = at;
    for (let digit = body[blank]; digit !== undefined && digit >= 48 && digit <= 57; digit = body[++blank]) {
      length = length * 10 + digit - 48;
    }
    const next = at + length;
    if (body[blank] !== 32 || next > end || body[next - 1] !== 10) return damaged;
    // Keys are short: a call of indexOf() takes longer.
    let equals = blank;
    while (equals < next && body[equals] !== 61) equals++;
    if (equals >= next) return damaged;
    // Times (`mtime` and the like) are in nearly every header, and of no use here.
    if (body[equals - 3] !== 105 || body[equals - 2] !== 109) {
      const key = body.toString('latin1', blank + 1, equals);
      const fault = take(target, key, body.toString('latin1', equals + 1, next - 1));
      if (fault !== undefined) return fault;
    }
    at = next;
  }
  return undefined;
}

const damaged = 'a pax header is damaged';
const sparsePrefix = 'GNU.sparse.';

function take(target: Overrides, key: string, value: string): string | undefined {
  if (key === 'path') target.name = value;
  else if (key === 'linkpath') target.linkName = value;
  else if (key === 'size' || key === 'uid' || key === 'gid') {
    const number = decimal(value);
    if (number === undefined) return noNumber(key, value);
    target[key] = number;
  } else if (key.startsWith(sparsePrefix)) {
    target.sparse ??= { major: 0, regions: [] };
    return takeSparse(target.sparse, key.slice(sparsePrefix.length), value);
  }
  return undefined;
}

/** Versions 0.0 (`offset` and `numbytes`, again and again), 0.1 (`map`) and 1.0. */
function takeSparse(sparse: PaxSparse, key: string, value: string): string | undefined {
  if (key === 'name') {
    sparse.name = value;
    return undefined;
  }
  const numbers = (key === 'map' ? value.split(',') : [value]).map(decimal);
  const [number] = numbers;
  if (number === undefined || numbers.includes(undefined)) return noNumber(sparsePrefix + key, value);
  if (key === 'major') sparse.major = number;
  else if (key === 'size' || key === 'realsize') sparse.realSize = number;
  else if (key === 'offset') sparse.regions.push({ offset: number, size: 0 });
  else if (key === 'numbytes') {
    const last = sparse.regions.pop();
    if (last !== undefined) sparse.regions.push({ ...last, size: number });
  } else if (key === 'map') {
    sparse.regions = numbers.flatMap((offset = 0, index) =>
      index % 2 === 0 ? { offset, size: numbers[index + 1] ?? 0 } : [],
    );
  }
  return undefined;
}

function decimal(value: string): number | undefined {
  return /^[0-9]{1,15}$/.test(value) ? Number(value) : undefined;
}

function noNumber(key: string, value: string): string {
  return `a pax header gives ${key} as "${value.slice(0, 40)}"`;
}
