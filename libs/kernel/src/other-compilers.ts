/** A compiler beside GCC that build files may call. */
interface OtherCompiler {
  /** Which sources are for it. */
  readonly sources: RegExp;
  /** Which words in build files, names of options and names of libraries bring it into a build. */
  readonly words: RegExp;
  /** @param prefix  of the GNU tools for an architecture */
  readonly programs: (prefix: string) => readonly string[];
  /** Which variables of the environment these take flags from. */
  readonly variables: RegExp;
}

/**
 * Unikraft's makefiles have rules for Rust (`RUSTC`, the library ukrust) and a name for gccgo (`GOC`, libgo); build files
 * of applications and libraries may call all of them. Its words for C flags of Clang (`have_clang`) call nothing.
 */
const others = {
  clang: {
    sources: /(?!)/,
    words: /(?<![\w-])clang(?!-format|-tidy)/,
    programs: () => ['clang', 'clang++'],
    variables: /^CCC_OVERRIDE_OPTIONS$/,
  },
  go: {
    sources: /(\.go|(^|\/)go\.mod)$/,
    words: /(?<![a-z])((gcc|lib)?go|goc(flags)?)(?![a-z])|\.go\b/i,
    programs: (prefix) => [`${prefix}gccgo`, 'go'],
    variables: /^(GO(FLAGS|OS|ARCH|AMD64|ARM|ARM64|EXPERIMENT)|CGO_\w+)$/,
  },
  rust: {
    sources: /(\.rs|(^|\/)Cargo\.toml)$/,
    words: /(?<![a-z])((lib)?(uk)?rust|cargo)|\.rs\b/i,
    programs: () => ['rustc', 'cargo'],
    variables:
      /^(RUSTC_BOOTSTRAP|(CARGO_(ENCODED|BUILD)_)?RUSTFLAGS|CARGO_BUILD_TARGET|CARGO_TARGET_\w+_\w+|CARGO_PROFILE_\w+)$/,
  },
} satisfies Readonly<Record<string, OtherCompiler>>;

export type OtherCompilerName = keyof typeof others;

export const otherCompilerNames = Object.keys(others) as readonly OtherCompilerName[];

/** The compilers beside GCC that lines of build files, names of options or names of libraries may bring into a build. */
export function findOtherCompilers(lines: readonly string[]): readonly OtherCompilerName[] {
  const text = lines.filter((line) => !/^\s*#/.test(line)).join('\n');
  return otherCompilerNames.filter((name) => others[name].words.test(text));
}

/** The compilers beside GCC that sources are for. */
export function compilersOfSources(files: readonly string[]): readonly OtherCompilerName[] {
  return otherCompilerNames.filter((name) => files.some((file) => others[name].sources.test(file)));
}

/** What one takes from the environment, as lines `NAME=value`. */
export function flagsFromEnvironment(name: OtherCompilerName): readonly string[] {
  const found = Object.keys(process.env).filter((variable) => others[name].variables.test(variable));
  return found.toSorted().map((variable) => `${variable}=${process.env[variable]}`);
}

/** @param prefix  of the GNU tools for an architecture */
export function programsOf(name: OtherCompilerName, prefix: string): readonly string[] {
  return others[name].programs(prefix);
}
