import { isIP } from 'node:net';
import type { Flag } from './parse.ts';
import { copyWords, listOf } from './words.ts';

/** What is wrong with an instruction, and perhaps what to do. */
export interface Wrong {
  readonly message: string;
  readonly hint?: string;
}

/** What is wrong with an instruction as it is written, by the rules of BuildKit; undefined where nothing is. */
export function wrongWords(keyword: string, flags: readonly Flag[], rest: string): Wrong | undefined {
  if (keyword === 'ONBUILD') return wrongTrigger(rest);
  if (keyword === 'HEALTHCHECK') return wrongHealthcheck(flags, rest);
  return lists.has(keyword) ? wrongList(keyword, rest) : undefined;
}

/** The same for the values of an instruction, their variables replaced. */
export function wrongValues(keyword: string, values: readonly string[]): Wrong | undefined {
  if (keyword === 'STOPSIGNAL') {
    const signal = values.find((value) => !isSignal(value));
    return signal === undefined
      ? undefined
      : { message: `there is no signal ${signal}`, hint: 'Such as SIGTERM, or 15.' };
  }
  const port = keyword === 'EXPOSE' ? values.find((value) => !isPort(value)) : undefined;
  return port === undefined ? undefined : { message: `${port} is no port`, hint: 'Such as 80, 53/udp or 8000-8010.' };
}

function wrongTrigger(rest: string): Wrong | undefined {
  const [word = ''] = rest.split(/\s/, 1);
  if (!/^(ONBUILD|FROM|MAINTAINER)$/i.test(word)) return undefined;
  return { message: `ONBUILD cannot stand before ${word.toUpperCase()}` };
}

const lists = new Set('ADD CMD COPY ENTRYPOINT RUN SHELL VOLUME'.split(' '));

function wrongList(keyword: string, rest: string): Wrong | undefined {
  const words = listOf(rest);
  if (words?.every((word) => typeof word === 'string') === false) {
    return { message: `the list of ${keyword} holds something else than texts`, hint: 'Put quotes around each word.' };
  }
  if (keyword === 'SHELL' && (words === undefined || words.length === 0)) {
    return { message: 'SHELL takes a list', hint: 'Write it like SHELL ["/bin/sh", "-c"].' };
  }
  const folders = keyword === 'VOLUME' ? copyWords(rest) : undefined;
  const isEmpty = folders?.length === 0 || folders?.some((folder) => folder.trim() === '') === true;
  return isEmpty ? { message: 'VOLUME names no folder' } : undefined;
}

function wrongHealthcheck(flags: readonly Flag[], rest: string): Wrong | undefined {
  const [, type = '', command = ''] = /^(\S+)\s*([^]*)$/.exec(rest) ?? [];
  if (/^none$/i.test(type)) return command === '' ? undefined : { message: 'HEALTHCHECK NONE stands alone' };
  if (!/^cmd$/i.test(type)) {
    return { message: `HEALTHCHECK ${type} means nothing`, hint: 'Write HEALTHCHECK CMD and a command, or NONE.' };
  }
  if (command === '' || listOf(command)?.length === 0) return { message: 'HEALTHCHECK CMD has no command' };
  const wrong = flags.find(({ name, value }) => value !== '' && allowed[name]?.(value) === false);
  const hint = wrong?.name === 'retries' ? 'It is a number.' : 'Such as 30s, 1m30s or 500ms: 1ms is the least.';
  return wrong === undefined
    ? wrongList('HEALTHCHECK', command)
    : { message: `--${wrong.name} cannot be ${wrong.value}`, hint };
}

/** What the values of HEALTHCHECK's flags may be. */
const allowed: Readonly<Record<string, (value: string) => boolean>> = {
  interval: isDuration,
  timeout: isDuration,
  'start-period': isDuration,
  'start-interval': isDuration,
  retries: isCount,
};

function isCount(text: string): boolean {
  return /^(\+?\d+|-0+)$/.test(text) && Number(text) < 2 ** 31;
}

const milliseconds: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1e3,
  m: 6e4,
  h: 36e5,
};

/** As Go reads it. 0 stands for the default. */
function isDuration(text: string): boolean {
  if (/^[+-]?0$/.test(text)) return true;
  if (!/^[+-]?((\d+\.?\d*|\.\d+)(ns|[uµμ]s|ms|s|m|h))+$/.test(text)) return false;
  const parts = [...text.matchAll(/([\d.]+)([^\d.]+)/g)];
  const total = parts.reduce((sum, [, amount, unit = '']) => sum + Number(amount) * (milliseconds[unit] ?? 0), 0);
  return total === 0 || (total >= 1 && !text.startsWith('-'));
}

/** `[[address:]port:]port[/protocol]`, each port perhaps a range: BuildKit keeps the last one only. */
function isPort(text: string): boolean {
  const parts = text.split(':');
  const [, inside = '', protocol = ''] = /^([^/]*)(?:\/([^]*))?$/.exec(parts.pop() ?? '') ?? [];
  const outside = parts.pop() ?? '';
  const address = parts.join(':').replace(/^\[(.*)\]$/, '$1');
  const length = rangeLength(inside);
  const outsideLength = outside === '' ? length : rangeLength(outside);
  return (
    /^(tcp|udp|sctp|)$/i.test(protocol) &&
    length !== undefined &&
    outsideLength !== undefined &&
    (length === outsideLength || length === 1) &&
    (address === '' || isIP(address) !== 0)
  );
}

/** How many ports `80` or `80-90` are; undefined where it is neither. */
function rangeLength(text: string): number | undefined {
  const [, first, last = first] = /^\+?(\d+)(?:-\+?(\d+))?$/.exec(text) ?? [];
  const length = Number(last) - Number(first) + 1;
  return length >= 1 && Number(last) <= 65535 ? length : undefined;
}

const signals = new Set(
  (
    'ABRT ALRM BUS CHLD CLD CONT FPE HUP ILL INT IO IOT KILL PIPE POLL PROF PWR QUIT SEGV STKFLT STOP SYS TERM TRAP ' +
    'TSTP TTIN TTOU URG USR1 USR2 VTALRM WINCH XCPU XFSZ'
  ).split(' '),
);

/** Linux's, wherever this runs. */
function isSignal(text: string): boolean {
  if (/^[+-]?\d+$/.test(text)) return Number(text) !== 0;
  const name = text.toUpperCase().replace(/^SIG/, '');
  return signals.has(name) || /^RTMIN(\+([1-9]|1[0-5]))?$|^RTMAX(-([1-9]|1[0-4]))?$/.test(name);
}
