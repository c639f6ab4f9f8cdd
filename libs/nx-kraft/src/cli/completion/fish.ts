import type { Option } from '../command.ts';
import { type Kind, type Place, kindOf } from './places.ts';

/** The completion script for fish. */
export function fishCompletion(places: readonly Place[]): string {
  const named = places.map(({ path }) => path).filter((path) => path !== '');
  return `# Completes nx-kraft in fish.
function __nx_kraft_at
  set -l place ''
  for word in (commandline -opc)[2..-1]
    contains -- "$place $word" ${named.map(quote).join(' ')}; and set place "$place $word"
  end
  test "$place" = "$argv"
end
complete -c nx-kraft -f
${places.flatMap(rules).join('\n')}
`;
}

function rules({ path, commands, options, words }: Place): readonly string[] {
  const here = `complete -c nx-kraft -n ${quote(`__nx_kraft_at ${quote(path)}`)}`;
  return [
    ...commands.map(([name, summary]) => `${here} -a ${quote(name)} -d ${quote(summary)}`),
    ...options.map(([name, option]) => `${here} ${optionWords(name, option)}`),
    ...(words === 'nothing' ? [] : [`${here} ${action(words)}`]),
  ];
}

function optionWords(name: string, { type, short, value, choices, summary }: Option): string {
  const takes =
    type === 'boolean'
      ? []
      : choices === undefined
        ? ['-r', action(kindOf(value))]
        : ['-x', '-a', quote(choices.join(' '))];
  return ['-l', name, ...(short === undefined ? [] : ['-s', short]), ...takes, '-d', quote(summary)].join(' ');
}

function action(kind: Kind): string {
  return { files: '-F', folders: "-f -a '(__fish_complete_directories)'", nothing: '-f' }[kind];
}

function quote(text: string): string {
  return `'${text.replaceAll(/['\\]/g, String.raw`\$&`)}'`;
}
