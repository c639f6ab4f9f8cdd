import type { Place } from './places.ts';

/** The completion script for bash, 3.2 and newer. */
export function bashCompletion(places: readonly Place[]): string {
  return `# Completes nx-kraft in bash.
_nx_kraft() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} place= offered= index
  for ((index = 1; index < COMP_CWORD; index++)); do
    case "$place \${COMP_WORDS[index]}" in
    ${commandPatterns(places)}) place+=" \${COMP_WORDS[index]}" ;;
    esac
  done
  case "$place $previous" in
${valueCases(places)}
  *)
    case "$place" in
${places.flatMap(placeCases).join('\n')}
    esac
    ;;
  esac
  local IFS=$'\\n'
  COMPREPLY=($(compgen -W "\${offered// /$IFS}" -- "$current"))
}
# Where nothing is offered bash completes names of files.
complete -o bashdefault -o default -F _nx_kraft nx-kraft
`;
}

/** Values of options: the words to choose from, or nothing. */
function valueCases(places: readonly Place[]): string {
  const free: string[] = [];
  const chosen: string[] = [];
  for (const { path, options } of places) {
    for (const [name, { type, short, choices }] of options) {
      if (type === 'boolean') continue;
      const spelled = [`--${name}`, ...(short === undefined ? [] : [`-${short}`])];
      const patterns = spelled.map((option) => quote(`${path} ${option}`));
      if (choices === undefined) free.push(...patterns);
      else chosen.push(`  ${patterns.join(' | ')}) offered=${quote(choices.join(' '))} ;;`);
    }
  }
  return [...chosen, `  ${free.join(' | ')}) ;;`].join('\n');
}

function commandPatterns(places: readonly Place[]): string {
  return places
    .filter(({ path }) => path !== '')
    .map(({ path }) => quote(path))
    .join(' | ');
}

function placeCases({ path, commands, options }: Place): readonly string[] {
  const flags = options.map(([name]) => `--${name}`).join(' ');
  const names = commands.map(([name]) => name).join(' ');
  return [
    `    ${quote(path)}) if [[ $current == -* ]]; then offered=${quote(flags)}; else offered=${quote(names)}; fi ;;`,
  ];
}

function quote(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
