import { createClock } from '../clock.ts';
import { ChangeBell } from './change-bell.ts';
import type { ChangeBus } from './change-bus.ts';
import { withDeadline } from './guarded-store.ts';
import type { KeyChanged } from './key-store.ts';
import type { ScriptAnswer } from './redis-server.ts';

/** Also the pause between two heartbeats, which are due every 2 s. */
const POLL_MS = 1_000;

/** Between two looks at the least, however often the bell is rung, and by whomever. */
const REST_MS = 10;

const PATIENCE_MS = 1_000;

const MAX_ENTRIES = 1_000;

/** An entry of the log: the place that Redis gave it, and what it says. */
export interface LogEntry {
  readonly place: string;
  readonly text: string;
}

export interface RedisWatchParts {
  /** Who the server is, and the last entry. */
  start(): Promise<ScriptAnswer>;
  /** Who the server is, and the entries from this one on, itself among them. */
  news(from: string, limit: number): Promise<ScriptAnswer>;
  /** What is published only asks for a look at the log: nothing that it says is read. */
  readonly bus: ChangeBus;
  onChange(change: KeyChanged): void;
}

/** What is said of a change in the log, and read by every version of this package. */
export function changeText(id: string, version: number, ended: boolean): string {
  return `${version} ${ended ? 1 : 0} ${id}`;
}

/**
 * Reads the log of narrowing changes from where it was at the start, whenever the bell rings and every second. The
 * entry that was read last must still be there: where it is not, the log was cut, or the server has lost a part of it.
 *
 * @returns what stops it
 */
export async function watchLog(parts: RedisWatchParts): Promise<() => Promise<void>> {
  const reader = new LogReader(parts);
  await reader.begin();
  const reading = reader.run();
  const bell = new ChangeBell(parts.bus, createClock(), () => reader.ring());
  return async () => {
    reader.stop();
    await Promise.all([reading, bell.close()]);
  };
}

class LogReader {
  readonly #parts: RedisWatchParts;
  #server = '';
  #last: LogEntry | undefined;
  #isStopped = false;
  #isRung = false;
  #isFailing = false;
  #reading: Promise<void> | undefined;
  /** Ends the pause that it is in. */
  #wake: () => void = () => undefined;
  /** The same, where the bell may. */
  #answerBell: () => void = () => undefined;

  constructor(parts: RedisWatchParts) {
    this.#parts = parts;
  }

  async begin(): Promise<void> {
    const { server, entries } = readAnswer(await this.#parts.start());
    this.#server = server;
    this.#last = entries[0];
  }

  async run(): Promise<void> {
    while (!this.#isStopped) {
      // Before the look: what is rung for meanwhile may come too late for it.
      this.#isRung = false;
      await this.#look();
      await this.#pause(REST_MS);
      if (!this.#isRung) await this.#pause(POLL_MS - REST_MS, { endsWithBell: true });
    }
  }

  ring(): void {
    this.#isRung = true;
    this.#answerBell();
  }

  stop(): void {
    this.#isStopped = true;
    this.#wake();
  }

  async #look(): Promise<void> {
    try {
      // One that is not answered in time is waited for at the next look too, rather than asked again.
      this.#reading ??= this.#readNews().finally(() => {
        this.#reading = undefined;
      });
      const reading = this.#reading;
      await withDeadline({ run: () => reading }, PATIENCE_MS);
      this.#isFailing = false;
      this.#tell({ type: 'alive' });
    } catch {
      // Once is enough: no word of life follows until the server has answered.
      if (!this.#isFailing) this.#tell({ type: 'lost' });
      this.#isFailing = true;
    }
  }

  async #readNews(): Promise<void> {
    const last = this.#last;
    if (last === undefined) return this.#beginAnew();
    const { server, entries } = readAnswer(await this.#parts.news(last.place, MAX_ENTRIES));
    const [first, ...news] = entries;
    const isSameLog = first?.place === last.place && first.text === last.text;
    const changes = news.map(({ text }) => readChange(text));
    if (!isSameLog || server !== this.#server || changes.includes(undefined)) return this.#beginAnew();
    this.#last = news.at(-1) ?? last;
    for (const change of changes) if (change !== undefined) this.#tell(change);
    if (entries.length === MAX_ENTRIES) this.ring();
  }

  /** From the end of the log as it now is: what came before it is covered by what is told here. */
  async #beginAnew(): Promise<void> {
    await this.begin();
    this.#tell({ type: 'lost' });
  }

  /** A listener that throws has no say in what others hear. */
  #tell(change: KeyChanged): void {
    if (this.#isStopped) return;
    try {
      this.#parts.onChange(change);
    } catch {}
  }

  #pause(ms: number, { endsWithBell = false } = {}): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        this.#wake = () => undefined;
        this.#answerBell = () => undefined;
        resolve();
      };
      const timer = setTimeout(end, ms).unref();
      this.#wake = end;
      if (endsWithBell) this.#answerBell = end;
      if (this.#isStopped) end();
    });
  }
}

function readAnswer([, server = '', ...parts]: ScriptAnswer): {
  readonly server: string;
  readonly entries: readonly LogEntry[];
} {
  const entries: LogEntry[] = [];
  for (let at = 0; at + 1 < parts.length; at += 2) {
    entries.push({ place: parts[at] as string, text: parts[at + 1] as string });
  }
  return { server, entries };
}

/** @returns `undefined` for what is none, such as the mark of a log that began anew */
function readChange(text: string): KeyChanged | undefined {
  const [, version, ended, id] = /^(\d{1,16}) ([01]) ([!-~]{1,255})$/.exec(text) ?? [];
  if (id === undefined || !Number.isSafeInteger(Number(version))) return undefined;
  return { type: 'narrowed', id, version: Number(version), ended: ended === '1' };
}
