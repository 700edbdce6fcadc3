import type { Clock } from '../clock.ts';
import type { Terminal } from './terminal.ts';
import { counted, durationWords } from './words.ts';

const REFRESH_MS = 200;

/** One line on standard error that is written anew while something long goes on; nothing where that is no terminal. */
export class Progress {
  readonly #terminal: Terminal;
  readonly #clock: Clock;
  readonly #name: string;
  readonly #startedAt: number;
  #shownAt = Number.NEGATIVE_INFINITY;

  /** @param name - of what is counted, in the singular */
  constructor(terminal: Terminal, clock: Clock, name: string) {
    this.#terminal = terminal;
    this.#clock = clock;
    this.#name = name;
    this.#startedAt = clock.monotonic();
  }

  /** @param share - how much of it that is, from 0 to 1, where it is known */
  show(count: number, share: number | undefined): void {
    const { stderr } = this.#terminal;
    const now = this.#clock.monotonic();
    if (!stderr.isTTY || now - this.#shownAt < REFRESH_MS) return;
    this.#shownAt = now;
    const line = progressText(this.#name, count, now - this.#startedAt, share);
    stderr.write(`\r\x1B[K${line.slice(0, (stderr.columns || 80) - 1)}`);
  }

  /** Clears the line. */
  end(): void {
    if (this.#terminal.stderr.isTTY && this.#shownAt >= 0) this.#terminal.stderr.write('\r\x1B[K');
  }
}

/** `12,000 rows  34 %  8,100 a second  about 3 minutes left` */
function progressText(name: string, count: number, ms: number, share: number | undefined): string {
  const rate = Math.round(count / Math.max(ms / 1_000, 0.001));
  const parts = [counted(count, name), `${rate.toLocaleString('en-US')} a second`];
  if (share !== undefined && share > 0) {
    parts.splice(1, 0, `${Math.min(100, Math.floor(share * 100))} %`);
    parts.push(`about ${durationWords(Math.max(0, (ms / share) * (1 - share)))} left`);
  }
  return parts.join('  ');
}
