import { resolve } from 'node:path';
import type { ApiKeys } from '../api-keys.ts';
import { StoreUnavailableError } from '../errors.ts';
import type { ImportInput } from '../issuance/import-input.ts';
import type { Command, Context } from './command.ts';
import { type ImportRow, openSource } from './import-source.ts';
import { printJson } from './key-view.ts';
import { Progress } from './progress.ts';
import { Rejects } from './rejects.ts';
import { RefusedError, UsageError } from './usage-error.ts';
import { counted } from './words.ts';

const CHUNK = 1_000;

export const importCommand: Command = {
  name: 'import',
  summary: 'bring in keys from JSON Lines or CSV',
  argument: '[FILE]',
  flags: {
    format: { takes: 'FORMAT', help: 'jsonl or csv; by the name of the file' },
    rejects: { takes: 'FILE', help: 'where to write the rows that were not taken' },
    'from-line': { takes: 'N', help: 'begin at this line of the file' },
  },
  notes: [
    'Without FILE, standard input is read. Keys that are here already stay as they',
    'are, so an import that broke off is run again. Exit code 1 when a row was not',
    'taken. The columns and members are in docs/command-line.md.',
  ],
  async run(context) {
    const { values, terminal, argument, clock, isJson } = context;
    const fromLine = values.whole('from-line') ?? 1;
    const source = openSource(terminal, argument, values.oneOf('format', ['jsonl', 'csv']));
    const rejectsName = values.text('rejects');
    if (rejectsName !== undefined && source.isAt(resolve(terminal.cwd, rejectsName)))
      throw new UsageError('--rejects names the file that is read, which would be emptied.');
    const rejects = new Rejects(terminal, rejectsName);
    await rejects.ready();
    const progress = new Progress(terminal, clock, 'row');
    const job = new ImportJob(await context.keys(), rejects, (rows) => progress.show(rows, source.share()));
    try {
      await job.run(source.rows, fromLine);
    } finally {
      progress.end();
      await rejects.end();
    }
    const { imported, unchanged, isStopped } = job;
    const rejected = rejects.count;
    if (isJson) printJson(terminal, { imported, unchanged, rejected });
    else terminal.print(job.summary());
    if (isStopped) terminal.say(job.whereToGoOn(context));
    return isStopped || rejected > 0 ? 1 : 0;
  },
};

/** Imports chunk by chunk, so that memory does not grow and one knows up to which line everything is in. */
class ImportJob {
  imported = 0;
  unchanged = 0;
  isStopped = false;
  readonly #apiKeys: ApiKeys;
  readonly #rejects: Rejects;
  readonly #onProgress: (rows: number) => void;
  #rows = 0;
  /** All up to this line is in, or was not taken. */
  #lastLine = 0;

  constructor(apiKeys: ApiKeys, rejects: Rejects, onProgress: (rows: number) => void) {
    this.#apiKeys = apiKeys;
    this.#rejects = rejects;
    this.#onProgress = onProgress;
  }

  async run(rows: AsyncIterable<ImportRow>, fromLine: number): Promise<void> {
    const stop = (): void => {
      this.isStopped = true;
    };
    // Once: who presses it again does not want to wait for the chunk that is under way.
    process.once('SIGINT', stop);
    try {
      await this.#takeAll(rows, fromLine);
    } catch (error) {
      throw this.#brokenOff(error);
    } finally {
      process.off('SIGINT', stop);
    }
  }

  summary(): string {
    const { imported, unchanged } = this;
    const parts = [
      `${imported.toLocaleString('en-US')} imported`,
      `${unchanged.toLocaleString('en-US')} unchanged`,
    ];
    return `${counted(this.#rows, 'row')}: ${parts.join(', ')}, ${this.#rejects.count.toLocaleString('en-US')} rejected`;
  }

  whereToGoOn({ argument }: Context): string {
    const from =
      argument === '' || argument === '-' ? '' : `, or from there: --from-line ${this.#lastLine + 1}`;
    return `Stopped after line ${this.#lastLine}. Run it again: what is in stays as it is${from}`;
  }

  async #takeAll(rows: AsyncIterable<ImportRow>, fromLine: number): Promise<void> {
    let chunk: ImportRow[] = [];
    for await (const row of rows) {
      if (row.line < fromLine) continue;
      chunk.push(row);
      if (chunk.length < CHUNK) continue;
      await this.#take(chunk);
      chunk = [];
      if (this.isStopped) return;
    }
    await this.#take(chunk);
  }

  async #take(chunk: readonly ImportRow[]): Promise<void> {
    const lines: number[] = [];
    const inputs: ImportInput[] = [];
    const rejected: { line: number; field?: string; reason: string }[] = [];
    for (const row of chunk) {
      if ('problem' in row) {
        rejected.push({ line: row.line, field: row.problem.field, reason: row.problem.message });
        continue;
      }
      lines.push(row.line);
      inputs.push(row.input);
    }
    const report = await this.#apiKeys.import(inputs);
    for (const { index, ...reject } of report.rejected)
      rejected.push({ line: lines[index] as number, ...reject });
    for (const reject of rejected.sort((one, other) => one.line - other.line))
      await this.#rejects.add(reject);
    this.imported += report.imported;
    this.unchanged += report.unchanged;
    this.#rows += chunk.length;
    this.#lastLine = chunk.at(-1)?.line ?? this.#lastLine;
    this.#onProgress(this.#rows);
  }

  #brokenOff(error: unknown): unknown {
    const isOurs = error instanceof StoreUnavailableError || error instanceof RangeError;
    if (!isOurs) return error;
    const last = this.#lastLine;
    return new RefusedError(
      `The import ended after line ${last} (${this.summary()}): ${error.message} Run it again: what is in stays as it is.`,
      { cause: error },
    );
  }
}
