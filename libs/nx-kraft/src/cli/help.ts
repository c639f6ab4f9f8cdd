import type { Command, Entry, Group, Leaf, Option } from './command.ts';
import { optionText } from './read-call.ts';

/**
 * The help of a command, from its description.
 *
 * @param path  how it is called, with the program's name: `nx-kraft pkg ls`
 */
export function formatHelp(path: string, summary: string, command: Command): string {
  const parts = 'commands' in command ? groupHelp(path, command) : leafHelp(path, command);
  return `${[...parts.slice(0, 1), summary, ...parts.slice(1)].filter((part) => part !== '').join('\n\n')}\n`;
}

function leafHelp(path: string, { arguments: words, options, notes }: Leaf): readonly string[] {
  const named = Object.entries(options);
  const required = named
    .filter(([, option]) => option.required)
    .map(([name, { value = 'VALUE' }]) => `--${name} ${value}`);
  const rest = named.length > required.length ? ['[OPTION…]'] : [];
  const usage = [path, words, ...required, ...rest].filter((part) => part !== '').join(' ');
  const rows = named.map(([name, option]) => {
    const text = optionText(name, option);
    return [option.short === undefined ? `    ${text}` : text, optionSummary(option)] as const;
  });
  return [usage, table(rows), notes];
}

function groupHelp(path: string, group: Group): readonly string[] {
  const entries = Object.entries(group.commands);
  const width = Math.max(...entries.map(([name]) => name.length));
  const subjects = new Map<string, [string, Entry][]>();
  for (const entry of entries) {
    const subject = entry[1].subject ?? 'Commands';
    subjects.set(subject, [...(subjects.get(subject) ?? []), entry]);
  }
  const sections = [...subjects].map(
    ([subject, members]) =>
      `${subject}:\n${table(
        members.map(([name, { summary }]) => [name, summary]),
        width,
      )}`,
  );
  const byDefault = group.default === undefined ? '' : ` Without a command: ${group.default}.`;
  return [
    `${path} COMMAND …`,
    ...sections,
    group.notes ?? '',
    `${path} COMMAND --help explains a command.${byDefault}`,
  ];
}

/** What an option does, with the values it takes where its name shows others. */
function optionSummary({ summary, value, choices }: Option): string {
  return value === undefined || choices === undefined ? summary : `${summary}: ${choices.join(', ')}`;
}

const lineWidth = 110;

/** Two columns; what is right is wrapped, and below what is left where that is long. */
function table(rows: readonly (readonly [string, string])[], least = 0): string {
  const short = rows.map(([left]) => left.length).filter((length) => length <= 28);
  const width = Math.max(least, ...short);
  const indent = ' '.repeat(width + 4);
  return rows
    .map(([left, right]) => {
      const lines = wrap(right, lineWidth - indent.length);
      const text = lines.join(`\n${indent}`);
      return left.length > width ? `  ${left}\n${indent}${text}` : `  ${left.padEnd(width)}  ${text}`;
    })
    .join('\n');
}

function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}
