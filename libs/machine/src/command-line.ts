import { MachineFault } from './fault.ts';

/** What a guest learns from its command line. */
export interface CommandLine {
  /** Parameters of the kernel's libraries, `library.parameter=value`. */
  readonly kernelArguments: readonly string[];
  /** One address per network interface, see {@link formatAddress}. */
  readonly addresses: readonly string[];
  /** Entries of the guest's fstab, see {@link initrdMount}. */
  readonly mounts: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** What `main` gets after its name. */
  readonly arguments: readonly string[];
}

/**
 * The guest's fstab entry by which it unpacks its initrd at `/`, for kernels that do not do so by themselves: into a file
 * system in memory that is made for it unless something is mounted there (`ramfs=2`). Kraft leaves the option out, and newer
 * kernels then find nothing to unpack to.
 */
export const initrdMount = 'initrd0:/:extract::ramfs=2:';

/**
 * The text after the kernel's name, for the parser of Unikraft's lib/ukargparse: parameters of the kernel, `--` if
 * there are any, then the arguments of `main`.
 *
 * @throws MachineFault MACHINE_BAD_ARGUMENT for a parameter without the form `library.parameter=value`, for a variable
 *   without a name, and for what that parser cannot give to a program: empty arguments and NUL
 */
export function formatCommandLine(line: CommandLine): string {
  for (const argument of line.kernelArguments) {
    if (/^[\w-]+\.[\w-]+(=|$)/.test(argument)) continue;
    throw new MachineFault('MACHINE_BAD_ARGUMENT', `'${argument}' is no parameter of the kernel`, {
      hint: 'The form is library.parameter=value; arguments of the program come after them.',
    });
  }
  const parameters = [
    ...line.kernelArguments.map(quoteArgument),
    ...line.addresses.map((address) => `netdev.ip=${address}`),
    ...formatList('vfs.fstab', line.mounts),
    ...formatList('env.vars', Object.entries(line.environment).map(formatVariable)),
  ];
  return [...parameters, ...(parameters.length > 0 ? ['--'] : []), ...line.arguments.map(quoteArgument)].join(' ');
}

/** A list. Its parser takes any value whose last character is `]` for the last one, so such values stand alone. */
function formatList(name: string, values: readonly string[]): readonly string[] {
  const listed = values.filter((value) => !value.endsWith(']'));
  const alone = values.filter((value) => value.endsWith(']'));
  return [
    ...(listed.length === 0 ? [] : [`${name}=[`, ...listed.map(quoteAlways), ']']),
    ...alone.map((value) => quoteAlways(`${name}=${value}`)),
  ];
}

function formatVariable([name, value]: readonly [string, string]): string {
  if (name === '' || name.includes('=')) {
    throw new MachineFault('MACHINE_BAD_ARGUMENT', `'${name}' is no name of an environment variable`);
  }
  return `${name}=${value}`;
}

/** Writes an argument so that the guest's parser gives it back as it is: bare where that is enough. */
function quoteArgument(argument: string): string {
  if (argument === '') {
    throw new MachineFault('MACHINE_BAD_ARGUMENT', 'an empty argument cannot be given to a unikernel', {
      hint: "Unikraft's parser drops empty arguments. Leave it out, or give a value that stands for nothing.",
    });
  }
  return /[\s'"\\]/.test(argument) ? quoteAlways(argument) : requireText(argument);
}

function quoteAlways(text: string): string {
  return `"${requireText(text).replaceAll(/["\\]/g, '\\$&')}"`;
}

function requireText(text: string): string {
  if (!text.includes('\0')) return text;
  throw new MachineFault('MACHINE_BAD_ARGUMENT', 'a command line cannot hold the character NUL');
}

/** What a guest's network interface is to be; what is missing stays empty. */
export interface Address {
  /** With the length of its network's prefix, `172.44.0.2/24`. */
  readonly cidr: string;
  readonly gateway?: string;
  readonly nameservers?: readonly string[];
  readonly hostname?: string;
  readonly domain?: string;
}

/** The value of Unikraft's `netdev.ip`: `CIDR:GW:DNS0:DNS1:HOSTNAME:DOMAIN`. */
export function formatAddress({ cidr, gateway, nameservers = [], hostname, domain }: Address): string {
  return [cidr, gateway, nameservers[0], nameservers[1], hostname, domain].map((part) => part ?? '').join(':');
}

/** The address of a value of {@link formatAddress}, with its prefix. */
export function bareAddress(value: string): string {
  return value.split(':')[0] ?? '';
}
