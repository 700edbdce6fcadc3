import { randomBytes } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { withDeadline } from './guarded-store.ts';
import type { MaybePromise } from './key-store.ts';

/** What rings: a bus, or LISTEN and NOTIFY. */
export interface BellLine {
  publish(message: string): Promise<unknown>;
  /** @param onEnd - may be called once the line is seen to be cut */
  subscribe(onMessage: (message: string) => void, onEnd: () => void): Promise<() => MaybePromise<unknown>>;
}

/** It says that something has changed, and not what: whoever hears it looks for himself. */
export const RING = 'changed';

const ECHO = 'echo:';
const DEADLINE_MS = 5_000;
const CLOSING_MS = 1_000;
const QUIET_MS = 5_000;
const ECHO_WAIT_MS = 2_000;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 10_000;

/**
 * Hears a bell for as long as it is wanted. A line can be dead without a sign, behind a pooler or with a process at the
 * other end that has stopped; so where nothing was heard for 5 s, a message of our own has to come back within 2 s, or the
 * line is opened anew. Nothing that is heard is believed: all it does is to make somebody look.
 */
export class ChangeBell {
  readonly #line: BellLine;
  readonly #clock: Clock;
  readonly #onRing: () => void;
  #isClosed = false;
  #failures = 0;
  #heardAt = 0;
  #timer: NodeJS.Timeout | undefined;
  #stopListening: (() => MaybePromise<unknown>) | undefined;
  /** Each opening has a number; what an earlier one still brings does not count. */
  #opening = 0;
  #opened: Promise<void> | undefined;

  constructor(line: BellLine, clock: Clock, onRing: () => void) {
    this.#line = line;
    this.#clock = clock;
    this.#onRing = onRing;
    this.#open();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#letGo();
    // Who closes the connection next would otherwise meet a line that is just being opened on it.
    await withDeadline({ run: () => this.#opened }, CLOSING_MS).catch(() => undefined);
  }

  /** The line is taken for dead; another is opened after a pause. */
  reopen(): void {
    if (this.#isClosed) return;
    void this.#letGo();
    const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.#failures);
    this.#failures += 1;
    // Jitter, so that many processes do not come back to a recovering server at one moment.
    this.#later(pause * (0.5 + Math.random() / 2), () => this.#open());
  }

  #open(): void {
    this.#opening += 1;
    const opening = this.#opening;
    const isCurrent = (): boolean => opening === this.#opening;
    const subscribe = () =>
      this.#line.subscribe(
        (message) => isCurrent() && this.#hear(message),
        () => isCurrent() && this.reopen(),
      );
    this.#opened = withDeadline(
      { run: subscribe, onLate: (late) => void quit(late?.value) },
      DEADLINE_MS,
    ).then(
      (stopListening) => {
        if (!isCurrent()) return quit(stopListening);
        this.#stopListening = stopListening;
        this.#heardAt = this.#clock.monotonic();
        this.#later(QUIET_MS, () => this.#check());
        // For what rang before it was open.
        this.#onRing();
        return undefined;
      },
      () => {
        if (isCurrent()) this.reopen();
      },
    );
  }

  #hear(message: unknown): void {
    this.#heardAt = this.#clock.monotonic();
    this.#failures = 0;
    const isEcho = typeof message === 'string' && message.startsWith(ECHO);
    if (!isEcho) this.#onRing();
  }

  /** Anybody's echo proves the line, so that of many processes few have to ask. */
  #check(): void {
    const quietMs = this.#clock.monotonic() - this.#heardAt;
    if (quietMs < QUIET_MS) {
      this.#later(QUIET_MS - quietMs, () => this.#check());
      return;
    }
    const askedAt = this.#clock.monotonic();
    void ring(this.#line, `${ECHO}${randomBytes(6).toString('hex')}`);
    this.#later(ECHO_WAIT_MS, () => {
      if (this.#heardAt >= askedAt) this.#check();
      else this.reopen();
    });
  }

  async #letGo(): Promise<void> {
    clearTimeout(this.#timer);
    this.#opening += 1;
    const stopListening = this.#stopListening;
    this.#stopListening = undefined;
    await quit(stopListening);
  }

  #later(ms: number, action: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(action, ms).unref();
  }
}

/** No change waits for it, and it never fails: who does not hear it looks a little later. */
export async function ring(line: Pick<BellLine, 'publish'>, message: string = RING): Promise<void> {
  await withDeadline({ run: () => line.publish(message) }, DEADLINE_MS).catch(() => undefined);
}

async function quit(stopListening: (() => MaybePromise<unknown>) | undefined): Promise<void> {
  if (stopListening === undefined) return;
  await withDeadline({ run: stopListening }, DEADLINE_MS).catch(() => undefined);
}
