import { once } from 'node:events';
import { createWriteStream, type WriteStream } from 'node:fs';
import { resolve } from 'node:path';
import { printable, type Terminal } from './terminal.ts';
import { counted } from './words.ts';

export interface Reject {
  readonly line: number;
  readonly field?: string;
  readonly reason: string;
}

/** As many as are said where no file takes them. */
const SHOWN = 10;

/**
 * The rows that were not taken: into a file as JSON Lines, or the first of them to standard error. What is told of one
 * is its line, which member is wrong, and what it must be: never a value, which may be a digest.
 */
export class Rejects {
  readonly #terminal: Terminal;
  readonly #file: WriteStream | undefined;
  #count = 0;

  constructor(terminal: Terminal, name: string | undefined) {
    this.#terminal = terminal;
    this.#file =
      name === undefined ? undefined : createWriteStream(resolve(terminal.cwd, name), { mode: 0o600 });
    // A file that cannot be opened says so here, before anything is imported.
    this.#file?.on('error', () => undefined);
  }

  get count(): number {
    return this.#count;
  }

  /** @throws what the file system says, where the file cannot be written */
  async ready(): Promise<void> {
    if (this.#file?.pending) await once(this.#file, 'open');
  }

  async add({ line, field, reason }: Reject): Promise<void> {
    this.#count += 1;
    const safe = { line, ...safeField(field), reason: withoutValues(reason) };
    if (this.#file === undefined) this.#show(safe);
    else if (!this.#file.write(`${JSON.stringify(safe)}\n`)) await once(this.#file, 'drain');
  }

  async end(): Promise<void> {
    if (this.#file === undefined) {
      const more = this.#count - SHOWN;
      if (more > 0) this.#terminal.say(`and ${counted(more, 'more row')}; --rejects FILE takes them all`);
      return;
    }
    this.#file.end();
    await once(this.#file, 'close');
  }

  #show({ line, field = '', reason }: Reject): void {
    const where = reason.startsWith(field) ? '' : `${field} `;
    if (this.#count <= SHOWN) this.#terminal.say(`line ${line}: ${where}${printable(reason)}`);
  }
}

/** A member that is not known is named by its own name, which may be anything. */
function safeField(field: string | undefined): { field?: string } {
  if (field === undefined || field === '') return {};
  return /^(?:\/[\w.~-]{1,32})+$/.test(field) ? { field } : {};
}

function withoutValues(reason: string): string {
  const start = reason.replace(/, but got .*$/s, '');
  return /^\/\S{33,}/.test(start) ? start.replace(/^\S+ /, 'a member ') : start;
}
