import type { Clock } from '../clock.ts';
import { withDeadline } from './guarded-store.ts';
import type { KeyChanged } from './key-store.ts';

type Narrowed = Extract<KeyChanged, { type: 'narrowed' }>;

/** What a store has written down since a time, by its own clock. */
export interface RecentChanges {
  /** The time there is now, by the same clock. */
  readonly time: number;
  readonly narrowed: readonly Pick<Narrowed, 'id' | 'version' | 'ended'>[];
  /** Whether there were more than it gives at once. */
  readonly isCut: boolean;
}

export interface ChangePollParts {
  /** @param since - absent: only what time it is */
  read(since: number | undefined): Promise<RecentChanges>;
  readonly pollMs: number;
  readonly clock: Clock;
  tell(change: KeyChanged): void;
  /** Hears of a look that failed. */
  onFailure(): void;
}

/**
 * How far each look goes back behind the one before. Changes become visible when they are committed, and not in the order of
 * their times: what a slow transaction or a lagging replica brings later than this is found when its entry is read again.
 */
const OVERLAP_MS = 15_000;

/** The clock of a database may be set back, or belong to another server by now. Less than this the overlap makes good. */
const BACKWARDS_MS = 5_000;

/** Rings closer together than this are one. */
const MIN_GAP_MS = 25;

/** After a mass revocation a look reads thousands of rows. It may take a fifth of the time, and no more. */
const REST_FOR_LOOK = 5;
const LONGEST_GAP_MS = 300;

const DEADLINE_MS = 1_000;
/** Looks that have not been answered, each of which may hold a connection. */
const MAX_UNANSWERED = 2;

/** Without a look that succeeded, counted from its begin. Whoever waits for silence would add a slow answer to it. */
const LOST_AFTER_MS = 4_000;

/** Looks at what was narrowed lately, at intervals and when asked to, and tells each change once. */
export class ChangePoll {
  readonly #parts: ChangePollParts;
  #isStopped = false;
  #isLooking = false;
  #isAskedAgain = false;
  #unanswered = 0;
  #lookedAt = 0;
  #tookMs = 0;
  #timer: NodeJS.Timeout | undefined;
  #lostTimer: NodeJS.Timeout | undefined;
  /** The time of the last look that succeeded, by the store. */
  #time: number | undefined;
  /** What that look found: told before, or there before we listened. */
  #known: ReadonlyMap<string, number> = new Map();

  constructor(parts: ChangePollParts) {
    this.#parts = parts;
  }

  /** Resolves once everything that is narrowed from then on will be told. */
  async start(): Promise<void> {
    const { read, clock } = this.#parts;
    const { time } = await read(undefined);
    const startedAt = clock.monotonic();
    const found = await read(time - OVERLAP_MS);
    this.#known = versionsOf(found);
    this.#hasLooked(found.time, startedAt);
    this.#later(this.#parts.pollMs);
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#lostTimer);
  }

  /** A bell has rung. Many that ring at once bring few looks. */
  look(): void {
    // What is being answered may have been taken before that which rang.
    if (this.#isLooking) this.#isAskedAgain = true;
    else this.#later(this.#gap());
  }

  #gap(): number {
    const gapMs = Math.min(LONGEST_GAP_MS, Math.max(MIN_GAP_MS, this.#tookMs * REST_FOR_LOOK));
    return Math.max(0, this.#lookedAt + gapMs - this.#parts.clock.monotonic());
  }

  #later(ms: number): void {
    clearTimeout(this.#timer);
    if (this.#isStopped) return;
    if (ms <= 0) void this.#look();
    else this.#timer = setTimeout(() => void this.#look(), ms).unref();
  }

  async #look(): Promise<void> {
    const { clock, pollMs, onFailure } = this.#parts;
    this.#isLooking = true;
    this.#isAskedAgain = false;
    this.#lookedAt = clock.monotonic();
    const startedAt = this.#lookedAt;
    try {
      const found = await this.#read();
      if (!this.#isStopped) this.#learn(found, startedAt);
    } catch {
      if (!this.#isStopped) onFailure();
    }
    this.#isLooking = false;
    this.#tookMs = clock.monotonic() - startedAt;
    const restMs = Math.max(0, startedAt + pollMs - clock.monotonic());
    this.#later(this.#isAskedAgain ? this.#gap() : Math.max(restMs, MIN_GAP_MS));
  }

  async #read(): Promise<RecentChanges> {
    if (this.#unanswered >= MAX_UNANSWERED) throw new Error('earlier looks are not answered yet');
    this.#unanswered += 1;
    const run = async (): Promise<RecentChanges> => {
      try {
        return await this.#parts.read((this.#time as number) - OVERLAP_MS);
      } finally {
        this.#unanswered -= 1;
      }
    };
    return withDeadline({ run }, DEADLINE_MS);
  }

  #learn(found: RecentChanges, startedAt: number): void {
    const wasSetBack = found.time < (this.#time as number) - BACKWARDS_MS;
    const known = this.#known;
    this.#known = versionsOf(found);
    this.#hasLooked(found.time, startedAt);
    if (found.isCut || wasSetBack) this.#parts.tell({ type: 'lost' });
    for (const { id, version, ended } of found.narrowed) {
      if (known.get(id) !== version) this.#parts.tell({ type: 'narrowed', id, version, ended });
    }
    this.#parts.tell({ type: 'alive' });
  }

  #hasLooked(time: number, startedAt: number): void {
    this.#time = time;
    this.#lookedAt = startedAt;
    clearTimeout(this.#lostTimer);
    const leftMs = startedAt + LOST_AFTER_MS - this.#parts.clock.monotonic();
    this.#lostTimer = setTimeout(() => this.#parts.tell({ type: 'lost' }), leftMs).unref();
  }
}

function versionsOf({ narrowed }: RecentChanges): ReadonlyMap<string, number> {
  return new Map(narrowed.map(({ id, version }) => [id, version]));
}
