import type { Option } from '../command.ts';
import { type Kind, type Place, kindOf } from './places.ts';

/** The completion script for zsh: to be sourced, or a file `_nx-kraft` in a folder of `$fpath`. */
export function zshCompletion(places: readonly Place[]): string {
  const named = places.map(({ path }) => path).filter((path) => path !== '');
  return `#compdef nx-kraft
# Completes nx-kraft in zsh.
_nx-kraft() {
  local place= index last=1
  local -a offered
  for ((index = 2; index < CURRENT; index++)); do
    case "$place \${words[index]}" in
    ${named.map(quote).join(' | ')}) place+=" \${words[index]}"; last=$index ;;
    esac
  done
  shift $((last - 1)) words
  ((CURRENT -= last - 1))
  case "$place" in
${places.map(placeCase).join('\n')}
  esac
}
if [[ \${funcstack[1]} == _nx-kraft ]]; then
  _nx-kraft "$@"
else
  compdef _nx-kraft nx-kraft
fi
`;
}

function placeCase({ path, commands, options, words }: Place): string {
  const rules = options.map(([name, option]) => optionRules(name, option));
  if (commands.length === 0) {
    return `  ${quote(path)}) _arguments -s ${[...rules, quote(`*:word:${action(words)}`)].join(' ')} ;;`;
  }
  const named = commands.map(([name, summary]) => quote(`${name}:${summary.replaceAll(':', String.raw`\:`)}`));
  return `  ${quote(path)})
    offered=(${named.join('\n      ')})
    _describe command offered
    ;;`;
}

function optionRules(name: string, { type, short, multiple, value = 'value', choices, summary }: Option): string {
  const explained = `[${summary.replaceAll(/[[\]\\]/g, String.raw`\$&`)}]`;
  const offered = choices === undefined ? action(kindOf(value)) : `(${choices.join(' ')})`;
  const takes = type === 'boolean' ? '' : `:${value.replaceAll(':', String.raw`\:`)}:${offered}`;
  const spelled = [`--${name}`, ...(short === undefined ? [] : [`-${short}`])];
  const often = multiple === true ? '*' : `(${spelled.join(' ')})`;
  return spelled.map((option) => quote(`${often}${option}${explained}${takes}`)).join(' ');
}

function action(kind: Kind): string {
  return { files: '_files', folders: '_files -/', nothing: ' ' }[kind];
}

function quote(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
