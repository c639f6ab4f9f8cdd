/**
 * A table for a terminal: columns as wide as their widest cell, two spaces between them, no blanks at the ends of lines.
 *
 * @returns text that ends with a newline
 */
export function formatTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  // What indexes say is printed as text, never as commands to the terminal.
  const lines = [head, ...rows].map((line) => line.map((cell) => cell.replace(/\p{Cc}+/gu, ' ')));
  const widths = head.map((_, column) => Math.max(...lines.map((line) => (line[column] ?? '').length)));
  const format = (line: readonly string[]): string =>
    widths.map((width, column) => (line[column] ?? '').padEnd(width)).join('  ');
  return lines.map((line) => `${format(line).trimEnd()}\n`).join('');
}

/** A number of bytes for people: `812 B`, `38.2 MiB`. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(bytes, 1)) / 10));
  const value = bytes / 1024 ** power;
  return `${power === 0 ? value : value.toFixed(1)} ${units[power] ?? ''}`;
}
