import { expect, test } from 'vitest';
import { parseDeclarations } from './config-files.ts';
import { explain, holds } from './explain.ts';
import type { Kconfig } from './kconfig.ts';

const declarations = parseDeclarations(
  '/core/Config.uk',
  `menu "Networking"
	depends on LIBUKNETDEV || \\
		LIBUKNETDEV_STUB

config LIBLWIP
	bool "lwip"
	depends on LIBUKSCHED
	depends on !LIBNONE && (HEAP = "big" || FORCE)
	select LIBUKALLOC

config LIBUKALLOC
	bool "Allocators"

endmenu

if HAVE_PAGING
config PAGES
	int "Pages"
	range 1 64
endif

config FOLLOWS
	bool
	default y

choice
	prompt "Optimisation"
config OPTIMIZE_SIZE
	bool "for size"
config OPTIMIZE_PERF # the default
	bool "for speed"
endchoice
`,
);

function why(symbol: string, asked: string, config: Kconfig = {}): string | undefined {
  return explain({ symbol, asked, got: config[symbol] }, config, declarations);
}

test('an option that nobody declares, and the one that was meant', () => {
  expect(why('CONFIG_LIBLWIPS', 'y')).toBe('no Config.uk declares it; did you mean CONFIG_LIBLWIP?');
  expect(why('CONFIG_SOMETHING_ELSE', 'y')).toBe('no Config.uk declares it');
});

test('dependencies that are not met, those of menus and conditions around as well', () => {
  const met = { CONFIG_LIBUKNETDEV: 'y', CONFIG_LIBUKSCHED: 'y', CONFIG_HEAP: 'big' };
  expect(why('CONFIG_LIBLWIP', 'y', { ...met, CONFIG_LIBUKSCHED: 'n' })).toBe('it depends on CONFIG_LIBUKSCHED');
  expect(why('CONFIG_LIBLWIP', 'y', { ...met, CONFIG_HEAP: 'small' })).toBe(
    'it depends on (CONFIG_HEAP = "big" || CONFIG_FORCE)',
  );
  expect(why('CONFIG_LIBLWIP', 'y', { ...met, CONFIG_LIBUKNETDEV: 'n' })).toBe(
    'it depends on CONFIG_LIBUKNETDEV || CONFIG_LIBUKNETDEV_STUB',
  );
  expect(why('CONFIG_PAGES', '4')).toBe('it depends on CONFIG_HAVE_PAGING');
});

test('an option that another one selects, or another one of its choice rules out', () => {
  expect(why('CONFIG_LIBUKALLOC', 'n', { CONFIG_LIBLWIP: 'y', CONFIG_LIBUKALLOC: 'y' })).toBe(
    'CONFIG_LIBLWIP selects it',
  );
  expect(why('CONFIG_OPTIMIZE_SIZE', 'y', { CONFIG_OPTIMIZE_PERF: 'y' })).toBe(
    'CONFIG_OPTIMIZE_PERF was chosen instead',
  );
});

test('an option that nobody can set, and a value out of its range', () => {
  expect(why('CONFIG_FOLLOWS', 'n', { CONFIG_FOLLOWS: 'y' })).toBe('it cannot be set, it follows from other options');
  expect(why('CONFIG_PAGES', '100', { CONFIG_HAVE_PAGING: 'y', CONFIG_PAGES: '64' })).toMatch(/1.*64/);
});

test('a value that is none of the type', () => {
  expect(why('CONFIG_PAGES', 'many', { CONFIG_HAVE_PAGING: 'y', CONFIG_PAGES: '1' })).toBe('it takes a whole number');
  expect(why('CONFIG_OPTIMIZE_SIZE', 'yes')).toBe('it takes y or n');
});

test('only a name that is nearly the same is proposed', () => {
  expect(why('CONFIG_LIBUKALLOC_POOL', 'y')).toBe('no Config.uk declares it');
});

test.each([
  ['A && !B', true],
  ['A && B', false],
  ['B || A && C', false],
  ['(B || A) && NAME = "x y"', true],
  ['NAME != "x y"', false],
  ['!(A && B) && MODULE', true],
  ['y', true],
])('%s', (expression, expected) => {
  expect(holds(expression, { CONFIG_A: 'y', CONFIG_MODULE: 'm', CONFIG_NAME: 'x y' })).toBe(expected);
});
