// Requests with the texts that one key has had, while it is rotated over HTTP. What each answer must be is worked out
// from what the rotations were answered, and never from what the package holds.

/**
 * @typedef {object} Text
 * @property {string} key
 * @property {number} endingAt when a rotation was begun that ends it; monotonic, Infinity before that
 * @property {number} endedAt when that rotation was answered
 * @property {number} graceMayEndAt before this its grace has not ended; by the wall clock
 * @property {number} graceEndsAt the end of its grace as the rotation was answered; Infinity before that
 */

/** The texts of one key, the newest last, and what is certain of each. */
export class Texts {
  #now;
  /** @type {Text[]} */
  #all = [];

  /** @param {() => number} now the wall clock of the server */
  constructor(now) {
    this.#now = now;
  }

  /** @param {string} key that works from now on */
  add(key) {
    const never = Infinity;
    this.#all.push({ key, endingAt: never, endedAt: never, graceMayEndAt: never, graceEndsAt: never });
  }

  /** A text to send: mostly the current one or the one before, now and then an older one. */
  pick(turn) {
    const back = [0, 1, 0, 1, 0, 2, 1, 3][turn % 8] ?? 0;
    return this.#all[Math.max(0, this.#all.length - 1 - back)];
  }

  /**
   * Rotates by the call that is given, and notes what that ends: the text before the current one at once, and the
   * current one after its grace.
   *
   * @param {number} gracePeriodMs
   * @param {() => Promise<{ key: string, graceEndsAt: number | undefined }>} rotate
   */
  async rotate(gracePeriodMs, rotate) {
    const current = this.#all.at(-1);
    const previous = this.#all.at(-2);
    const begunAt = performance.now();
    // Without a grace it works until the rotation takes effect, which is some time before the answer.
    if (gracePeriodMs > 0) current.graceMayEndAt = this.#now() + gracePeriodMs;
    const ending = gracePeriodMs === 0 ? [current, previous] : [previous];
    for (const text of ending) if (text !== undefined) text.endingAt = Math.min(text.endingAt, begunAt);
    const { key, graceEndsAt } = await rotate();
    const endedAt = performance.now();
    for (const text of ending) if (text !== undefined) text.endedAt = Math.min(text.endedAt, endedAt);
    if (graceEndsAt !== undefined) {
      current.graceMayEndAt = graceEndsAt;
      current.graceEndsAt = graceEndsAt;
    }
    this.add(key);
  }

  /**
   * What was wrong with an answer, if anything. Between the beginning and the end of a rotation both answers are right.
   *
   * @param {Text} text
   * @param {boolean} accepted
   * @param {{ at: number, wall: number }} sent
   */
  judge(text, accepted, sent) {
    const isStillGood = performance.now() < text.endingAt && this.#now() < text.graceMayEndAt;
    const hadEnded = sent.at > text.endedAt || sent.wall >= text.graceEndsAt;
    if (isStillGood && !accepted) return 'a valid key was refused';
    if (hadEnded && accepted) return 'an ended key was accepted';
    return undefined;
  }

  moment() {
    return { at: performance.now(), wall: this.#now() };
  }
}

/** Counts answers, and keeps what was wrong. */
export class Tally {
  accepted = 0;
  refused = 0;
  /** A machine that is too busy for the load closes connections. */
  unanswered = 0;
  /** @type {string[]} */
  wrong = [];

  /**
   * @param {Texts} texts
   * @param {number} turn
   * @param {(key: string) => Promise<number>} send answers the status
   */
  async ask(texts, turn, send) {
    const text = texts.pick(turn);
    const sent = texts.moment();
    const status = await send(text.key).catch(() => undefined);
    if (status === undefined) {
      this.unanswered += 1;
      return;
    }
    const accepted = status === 200;
    if (accepted) this.accepted += 1;
    else this.refused += 1;
    const problem = status === 200 || status === 401 ? texts.judge(text, accepted, sent) : `status ${status}`;
    if (problem !== undefined) this.wrong.push(problem);
  }
}
