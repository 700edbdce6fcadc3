import { createReadStream, statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { ImportInput } from '../issuance/import-input.ts';
import { nearestName } from '../options.ts';
import { type CsvRecord, readCsv } from './csv.ts';
import { CSV_NAMES, inputOfCells, inputOfJson, RowProblem } from './key-row.ts';
import type { Terminal } from './terminal.ts';
import { readLines } from './text-lines.ts';
import { UsageError } from './usage-error.ts';

export type Format = 'jsonl' | 'csv';

/** A line of the file: a key to import, or what is wrong with it. */
export type ImportRow =
  | { readonly line: number; readonly input: ImportInput }
  | { readonly line: number; readonly problem: RowProblem };

export interface ImportSource {
  readonly rows: AsyncIterable<ImportRow>;
  /** How far it has been read, from 0 to 1; `undefined` where nobody knows how much there is. */
  share(): number | undefined;
  /** Whether this is the file that the rows come from. */
  isAt(path: string): boolean;
}

/** @throws UsageError where there is no such file, or nothing comes on standard input */
export function openSource(terminal: Terminal, name: string, format: Format | undefined): ImportSource {
  const isStdin = name === '' || name === '-';
  if (isStdin && terminal.stdin.isTTY)
    throw new UsageError('Name a file, or send it to standard input: keystile import keys.jsonl');
  if (isStdin) {
    const rows = rowsOf(texts(terminal.stdin), format ?? 'jsonl');
    return { rows, share: () => undefined, isAt: (path) => isSameFile('/dev/stdin', path) };
  }
  const path = resolve(terminal.cwd, name);
  const size = statSync(path, { throwIfNoEntry: false })?.size;
  if (size === undefined) throw new UsageError(`There is no file ${name}.`);
  const stream = createReadStream(path, { highWaterMark: 1 << 18 });
  return {
    rows: rowsOf(texts(stream), format ?? formatOf(name)),
    share: () => (size === 0 ? 1 : stream.bytesRead / size),
    isAt: (other) => isSameFile(path, other),
  };
}

function isSameFile(one: string, other: string): boolean {
  const [a, b] = [one, other].map((path) => statSync(path, { throwIfNoEntry: false }));
  return a !== undefined && b !== undefined && a.isFile() && a.dev === b.dev && a.ino === b.ino;
}

/** By the end of its name, unless it is told. */
export function formatOf(name: string): Format {
  return /\.csv$/i.test(name) ? 'csv' : 'jsonl';
}

async function* texts(stream: AsyncIterable<Uint8Array | string>): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: false });
  for await (const chunk of stream)
    yield typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true });
  yield decoder.decode();
}

function rowsOf(chunks: AsyncIterable<string>, format: Format): AsyncGenerator<ImportRow> {
  return format === 'csv' ? csvRows(chunks) : jsonRows(chunks);
}

async function* jsonRows(chunks: AsyncIterable<string>): AsyncGenerator<ImportRow> {
  for await (const { line, text } of readLines(chunks)) yield row(line, () => inputOfJson(text));
}

async function* csvRows(chunks: AsyncIterable<string>): AsyncGenerator<ImportRow> {
  let names: readonly string[] | undefined;
  for await (const record of readCsv(chunks)) {
    if (names === undefined) names = readHeader(record);
    else yield csvRow(names, record);
  }
}

function csvRow(names: readonly string[], { line, cells, problem }: CsvRecord): ImportRow {
  if (problem !== undefined) return { line, problem: new RowProblem('', problem) };
  return row(line, () => inputOfCells(names, cells));
}

function row(line: number, read: () => ImportInput): ImportRow {
  try {
    return { line, input: read() };
  } catch (error) {
    if (error instanceof RowProblem) return { line, problem: error };
    throw error;
  }
}

/** A file without a first line of names begins with a key, so a cell of it is shown only where it is like a name. */
function readHeader({ cells, problem }: CsvRecord): readonly string[] {
  if (problem !== undefined) throw new UsageError(`The first line of the CSV file is broken: ${problem}.`);
  const names = cells.map((cell) => cell.trim());
  for (const [index, name] of names.entries()) {
    if (!CSV_NAMES.includes(name)) throw unknownColumn(index, name);
    if (names.indexOf(name) !== index) throw new UsageError(`The column ${name} is there twice.`);
  }
  return names;
}

function unknownColumn(index: number, name: string): UsageError {
  const shown = /^[A-Za-z][A-Za-z_ -]{0,31}$/.test(name) ? ` "${name}"` : '';
  const nearest = nearestName(name, CSV_NAMES);
  const hint = nearest === undefined ? `Known are ${CSV_NAMES.join(', ')}` : `Did you mean "${nearest}"?`;
  return new UsageError(
    `The first line of a CSV file names its columns, and column ${index + 1}${shown} is not known. ${hint}`,
  );
}
