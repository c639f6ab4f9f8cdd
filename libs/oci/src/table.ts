/** One column of a table: its heading, and whether it may be shortened when a terminal is narrow. */
export interface Column<Row> {
  readonly heading: string;
  readonly value: (row: Row) => string;
  readonly canShrink?: boolean;
}

const gap = '  ';
const narrowest = 8;

/**
 * A table as text, a line for each row, columns as wide as what is in them, two blanks between. Where that is wider
 * than the terminal, the columns that may shrink do so, the widest first.
 *
 * @param width  columns of the terminal; unlimited when it is none
 */
export function formatTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[], width = Infinity): string {
  const cells = rows.map((row) => columns.map((column) => printable(column.value(row))));
  const lines = [columns.map((column) => column.heading), ...cells];
  const widths = columns.map((_, position) => Math.max(...lines.map((line) => line[position]?.length ?? 0)));
  shrink(columns, widths, width);
  const text = lines.map((line) =>
    line
      .map((cell, position) => fit(cell, widths[position] ?? 0))
      .join(gap)
      .trimEnd(),
  );
  return `${text.join('\n')}\n`;
}

/** The rows as objects for programs, keyed by heading in lower case. */
export function tableRecords<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
): readonly Readonly<Record<string, string>>[] {
  const keys = columns.map((column) => column.heading.toLowerCase().replaceAll(' ', '_'));
  return rows.map((row) =>
    Object.fromEntries(columns.map((column, position) => [keys[position] ?? '', column.value(row)] as const)),
  );
}

function shrink<Row>(columns: readonly Column<Row>[], widths: number[], width: number): void {
  const total = () => widths.reduce((sum, each) => sum + each + gap.length, -gap.length);
  while (total() > width) {
    const widest = columns.reduce<number | undefined>(
      (best, column, position) =>
        column.canShrink === true && (best === undefined || (widths[position] ?? 0) > (widths[best] ?? 0))
          ? position
          : best,
      undefined,
    );
    if (widest === undefined || (widths[widest] ?? 0) <= narrowest) return;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
}

function fit(cell: string, width: number): string {
  return cell.length <= width ? cell.padEnd(width) : `${cell.slice(0, width - 1)}…`;
}

/** Names come from registries: nothing in them may move a terminal's cursor. */
export function printable(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, '?');
}
