import { widthOf } from './terminal.ts';

export interface Column {
  readonly title: string;
  /** May be cut down to so many columns; without it, the text stays whole. */
  readonly least?: number;
}

const GAP = 2;

/**
 * Lines of a table, the first of them the titles. Where there is a width, the columns that may be cut are cut, the
 * longest first, and columns at the end that still find no room are left out.
 */
export function tableLines(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width: number | undefined,
): string[] {
  const all = [columns.map(({ title }) => title), ...rows];
  const natural = columns.map((_, column) => Math.max(...all.map((row) => widthOf(row[column] ?? ''))));
  const widths = width === undefined ? natural : fitted(columns, natural, width);
  return all.map((row) =>
    widths
      .map((columnWidth, column) => padded(row[column] ?? '', columnWidth))
      .join(' '.repeat(GAP))
      .trimEnd(),
  );
}

function fitted(columns: readonly Column[], natural: readonly number[], width: number): number[] {
  const leastOf = (index: number): number =>
    Math.min(natural[index] as number, columns[index]?.least ?? Number.POSITIVE_INFINITY);
  let count = 1;
  let least = leastOf(0);
  while (count < columns.length && least + GAP + leastOf(count) <= width) {
    least += GAP + leastOf(count);
    count += 1;
  }
  const widths = natural.slice(0, count);
  for (let over = sum(widths) + GAP * (count - 1) - width; over > 0; over -= 1) {
    const widest = widestOf(widths, leastOf);
    if (widest === undefined) break;
    widths[widest] = (widths[widest] as number) - 1;
  }
  return widths;
}

/** Of the columns that can still give something. */
function widestOf(widths: readonly number[], leastOf: (index: number) => number): number | undefined {
  let widest: number | undefined;
  for (const [index, width] of widths.entries()) {
    const canGive = width > leastOf(index);
    if (canGive && (widest === undefined || width > (widths[widest] as number))) widest = index;
  }
  return widest;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}

function padded(text: string, width: number): string {
  const missing = width - widthOf(text);
  return missing >= 0 ? text + ' '.repeat(missing) : cut(text, width);
}

function cut(text: string, width: number): string {
  let kept = '';
  let used = 0;
  for (const character of text) {
    const next = used + widthOf(character);
    if (next > width - 1) break;
    kept += character;
    used = next;
  }
  return `${kept}…${' '.repeat(Math.max(0, width - 1 - used))}`;
}
