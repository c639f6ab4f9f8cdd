import { KernelFault } from './fault.ts';

/** Symbols (`CONFIG_…`) and their values as KConfig writes them, strings without their quotes. */
export type Kconfig = Readonly<Record<string, string>>;

/** The symbols that an architecture implies. */
const architectures: Readonly<Record<string, Kconfig>> = {
  x86_64: { CONFIG_ARCH_X86_64: 'y' },
  arm64: { CONFIG_ARCH_ARM_64: 'y' },
  arm: { CONFIG_ARCH_ARM_32: 'y' },
};

/** The symbols that a platform implies; Unikraft Cloud boots kernels on Firecracker and has no VGA console. */
const platforms: Readonly<Record<string, Kconfig>> = {
  qemu: { CONFIG_PLAT_KVM: 'y', CONFIG_KVM_VMM_QEMU: 'y' },
  fc: { CONFIG_PLAT_KVM: 'y', CONFIG_KVM_VMM_FIRECRACKER: 'y' },
  kraftcloud: {
    CONFIG_PLAT_KVM: 'y',
    CONFIG_KVM_VMM_FIRECRACKER: 'y',
    CONFIG_KVM_DEBUG_VGA_CONSOLE: 'n',
    CONFIG_KVM_KERNEL_VGA_CONSOLE: 'n',
  },
  xen: { CONFIG_PLAT_XEN: 'y' },
  linuxu: { CONFIG_PLAT_LINUXU: 'y' },
};

/**
 * The symbols that a target's architecture and platform stand for.
 *
 * @throws KernelFault KERNEL_BAD_TARGET for a name that Unikraft does not build
 */
export function targetSymbols(architecture: string, platform: string): Kconfig {
  const architectureSymbols = architectures[architecture];
  const platformSymbols = platforms[platform];
  if (architectureSymbols === undefined || platformSymbols === undefined) {
    const [what, known] =
      architectureSymbols === undefined
        ? [`architecture '${architecture}'`, Object.keys(architectures)]
        : [`platform '${platform}'`, Object.keys(platforms)];
    throw new KernelFault('KERNEL_BAD_TARGET', `Unikraft has no ${what}`, { hint: `Known: ${known.join(', ')}.` });
  }
  return { ...architectureSymbols, ...platformSymbols };
}

/** Merges layers of configuration; a later layer wins and keeps the place of the earlier one. */
export function mergeKconfig(...layers: readonly Kconfig[]): Kconfig {
  return Object.assign({}, ...layers) as Kconfig;
}

/**
 * The text of a fragment that `defconfig` reads, sorted so that equal configurations give equal bytes.
 *
 * @param strings  symbols of type string, whose values stay in quotes even when they look like numbers
 */
export function formatFragment(values: Kconfig, strings: ReadonlySet<string> = new Set()): string {
  const lines = Object.entries(values)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([symbol, value]) => {
      if (strings.has(symbol)) return `${symbol}=${quote(value)}`;
      return value === 'n' ? `# ${symbol} is not set` : `${symbol}=${isBare(value) ? value : quote(value)}`;
    });
  return `${lines.join('\n')}\n`;
}

/** KConfig takes `y`, `m`, numbers and hexadecimal numbers bare, and everything else in quotes. */
function isBare(value: string): boolean {
  return /^(y|m|-?\d+|0x[\da-f]+)$/i.test(value);
}

function quote(value: string): string {
  return `"${value.replaceAll(/["\\]/g, '\\$&')}"`;
}

/** Reads a `.config`: set symbols with their values, and symbols that are not set as `n`. */
export function parseConfig(text: string): Kconfig {
  const values: Record<string, string> = {};
  for (const line of text.split('\n')) {
    const unset = /^# (CONFIG_\w+) is not set$/.exec(line);
    if (unset?.[1] !== undefined) values[unset[1]] = 'n';
    const set = /^(CONFIG_\w+)=(.*)$/.exec(line);
    if (set?.[1] !== undefined && set[2] !== undefined) values[set[1]] = unquote(set[2]);
  }
  return values;
}

function unquote(value: string): string {
  return /^".*"$/.test(value) ? value.slice(1, -1).replaceAll(/\\(.)/g, '$1') : value;
}

/** An option that was asked for and that the finished configuration does not have. */
export interface DroppedOption {
  readonly symbol: string;
  readonly asked: string;
  /** The value in the finished configuration; undefined when it does not know the symbol at all. */
  readonly got: string | undefined;
}

/**
 * Compares what was asked with what KConfig made of it. `defconfig` drops symbols that do not exist or whose
 * dependencies are not met without a word; here they are told. A symbol that is not there at all counts as `n`.
 */
export function findDroppedOptions(asked: Kconfig, finished: Kconfig): readonly DroppedOption[] {
  return Object.entries(asked)
    .map(([symbol, value]) => ({ symbol, asked: value, got: finished[symbol] }))
    .filter(({ asked: value, got }) => !sameValue(value, got));
}

function sameValue(asked: string, got: string | undefined): boolean {
  if (got === undefined) return asked === 'n' || asked === '';
  if (asked === got) return true;
  const isNumber = /^(-?\d+|0x[\da-f]+)$/i;
  return isNumber.test(asked) && isNumber.test(got) && Number(asked) === Number(got);
}
