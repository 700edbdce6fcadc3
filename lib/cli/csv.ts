/** One record of a CSV file, with the line on which it begins; `problem` where it is none. */
export interface CsvRecord {
  readonly line: number;
  readonly cells: readonly string[];
  readonly problem?: string;
}

const LONGEST_RECORD = 1_000_000;

/**
 * Reads RFC 4180 piece by piece: cells in quotes may hold commas, line ends and doubled quotes; lines end in CRLF or
 * LF. Empty lines and a byte order mark are passed over.
 */
export async function* readCsv(chunks: AsyncIterable<string>): AsyncGenerator<CsvRecord> {
  const reader = new CsvReader();
  for await (const chunk of chunks) yield* reader.push(chunk);
  yield* reader.end();
}

type Place = 'start' | 'bare' | 'quoted' | 'behind';

class CsvReader {
  /** Where in a cell: before its first character, in one without quotes, in one with quotes, behind its last quote. */
  #place: Place = 'start';
  #cells: string[] = [];
  #cell = '';
  #length = 0;
  #problem: string | undefined;
  #line = 1;
  #startLine = 1;
  #isAfterReturn = false;
  #isFirst = true;

  *push(chunk: string): Generator<CsvRecord> {
    const text = this.#isFirst ? chunk.replace(/^\uFEFF/, '') : chunk;
    this.#isFirst &&= chunk === '';
    for (const part of text.match(/[^",\r\n]+|[",\r\n]/g) ?? []) {
      const isLineEnd = this.#take(part);
      if (isLineEnd) yield* this.#endRecord();
    }
  }

  *end(): Generator<CsvRecord> {
    if (this.#place === 'quoted') this.#problem = 'a quote is not closed';
    yield* this.#endRecord();
  }

  /** @returns whether the record has ended */
  #take(part: string): boolean {
    const isSecondHalf = part === '\n' && this.#isAfterReturn;
    this.#isAfterReturn = part === '\r';
    if ((part === '\n' && !isSecondHalf) || part === '\r') this.#line += 1;
    this.#length += part.length;
    if (this.#length > LONGEST_RECORD)
      throw new RangeError(`the record at line ${this.#startLine} is too long`);
    if (this.#place === 'quoted') {
      if (part === '"') this.#place = 'behind';
      else this.#cell += part;
      return false;
    }
    if (part === ',') this.#endCell();
    else if (part === '\n' || part === '\r') return !isSecondHalf;
    else if (part === '"') this.#takeQuote();
    else this.#takeText(part);
    return false;
  }

  #takeQuote(): void {
    // Two quotes inside of quotes are one.
    if (this.#place === 'behind') this.#cell += '"';
    else if (this.#place === 'bare') this.#problem = 'a quote stands in a cell that does not begin with one';
    this.#place = this.#place === 'bare' ? 'bare' : 'quoted';
  }

  #takeText(part: string): void {
    if (this.#place === 'behind') this.#problem = 'text stands behind a closing quote';
    else this.#place = 'bare';
    this.#cell += part;
  }

  #endCell(): void {
    this.#cells.push(this.#cell);
    this.#cell = '';
    this.#place = 'start';
  }

  *#endRecord(): Generator<CsvRecord> {
    const isEmpty = this.#cells.length === 0 && this.#cell === '' && this.#place === 'start';
    this.#endCell();
    const [cells, line, problem] = [this.#cells, this.#startLine, this.#problem];
    this.#cells = [];
    this.#problem = undefined;
    this.#length = 0;
    this.#startLine = this.#line;
    if (isEmpty) return;
    yield problem === undefined ? { line, cells } : { line, cells, problem };
  }
}

/**
 * What a spreadsheet takes for a formula, which may fetch from the network or run something. Quotes before it count
 * too, so that taking one away always gives back what was there.
 */
const FORMULA = /^'*[=+\-@\t\r\n\uFF1D\uFF0B\uFF0D\uFF20]/;

/** A cell for a file that somebody may open in a spreadsheet: a formula gets an apostrophe before it. */
export function csvCell(text: string): string {
  const safe = FORMULA.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** Takes away the apostrophe that {@link csvCell} has put there. */
export function cellText(cell: string): string {
  return cell.startsWith("'") && FORMULA.test(cell) ? cell.slice(1) : cell;
}
