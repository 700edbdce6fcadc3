// The keys of the soak, what is sent of them, and what each answer must be.
import { randomBase62, withChecksum } from '../base62.mjs';

/** How late a process may hear of a change; with a live watch it is some milliseconds. */
const BOUND_MS = 5_000;
const GRACE_MS = 3_000;
/** Texts that a change has ended, or will, are asked about for a while. */
const ENDED_KEPT = 60;
/**
 * Among so many all changes happen: a cached key takes more room once it was rotated, which is no growth without end, and
 * all of these have been after ten minutes.
 */
const CHANGING = 600;

/**
 * One text that a client may send. Times are of the wall clock.
 *
 * @typedef {object} Text
 * @property {string} text
 * @property {string} id of the key
 * @property {number} worksUntil before this it has to be accepted
 * @property {number} endedAt when its end had been acknowledged
 * @property {number} failsFrom what is sent after this has to be refused
 */

/** So many keys at any time, of which some are rotated and some revoked and replaced. */
export class SoakKeys {
  #apiKeys;
  #random;
  #now;
  /** @type {{ kind: 'opaque' | 'pair' | 'jwt', text: Text, settledFrom: number }[]} */
  #keys = [];
  /** @type {Text[]} */
  #ended = [];
  #turn = 0;
  counts = { made: 0, rotated: 0, revoked: 0 };

  /**
   * @param {import('keystile').ApiKeys} apiKeys
   * @param {() => number} random
   * @param {() => number} now
   */
  constructor(apiKeys, random, now) {
    this.#apiKeys = apiKeys;
    this.#random = random;
    this.#now = now;
  }

  async fill(count) {
    this.#keys.push(...(await this.#makeMany(count)));
  }

  /** Keys that nothing is done to, and that nobody asks for again. @returns {Promise<Text[]>} */
  async passing(count) {
    return (await this.#makeMany(count)).map(({ text }) => text);
  }

  /** @returns {Text[]} */
  get texts() {
    return this.#keys.map(({ text }) => text);
  }

  /** @param {number} rank from 1 */
  current(rank) {
    return this.#keys[rank - 1].text;
  }

  /** One of those that changes have ended lately, or are about to. */
  ended() {
    return this.#ended[this.#below(this.#ended.length)];
  }

  /** Something that was never a key, of each kind in turn. */
  stranger() {
    this.#turn += 1;
    const { text } = this.current(1 + this.#below(this.#keys.length));
    const kinds = [
      () => withChecksum(`soak_live_${randomBase62(32, this.#random)}`),
      () => randomBase62(1 + this.#below(80), this.#random),
      () => text.slice(0, -1) + (text.endsWith('A') ? 'B' : 'A'),
      () => `soak_live_${randomBase62(38, this.#random)}`,
    ];
    return /** @type {Text} */ ({
      text: kinds[this.#turn % kinds.length](),
      id: '',
      worksUntil: 0,
      endedAt: 0,
      failsFrom: 0,
    });
  }

  async rotateOne() {
    const slot = this.#settled();
    const old = slot.text;
    old.worksUntil = this.#now() + GRACE_MS;
    this.#noteEnded(old);
    const made = await this.#apiKeys.rotate(old.id, { gracePeriodMs: GRACE_MS });
    const graceEndsAt = Number(made.apiKey.grace?.expiresAt);
    old.endedAt = graceEndsAt;
    old.failsFrom = Math.max(graceEndsAt, this.#now() + BOUND_MS);
    slot.settledFrom = graceEndsAt;
    slot.text = newText(made);
    this.counts.rotated += 1;
  }

  /** And puts another in its place. */
  async revokeOne() {
    const slot = this.#settled();
    const old = slot.text;
    old.worksUntil = this.#now();
    this.#noteEnded(old);
    const [made] = await Promise.all([this.#make(slot.kind), this.#apiKeys.revoke(old.id)]);
    old.endedAt = this.#now();
    old.failsFrom = old.endedAt + BOUND_MS;
    slot.text = made.text;
    slot.settledFrom = 0;
    this.counts.revoked += 1;
  }

  /** One key in so many changes, frequent ones and others; of 10,000 every 17th, so that all kinds are among them. */
  get #changing() {
    return Math.floor(this.#keys.length / CHANGING) + 1;
  }

  /** A key with no old text that still works: what is done to the key would be the end of that too. */
  #settled() {
    for (;;) {
      const slot = this.#keys[this.#changing * this.#below(Math.floor(this.#keys.length / this.#changing))];
      if (this.#now() >= slot.settledFrom) {
        slot.settledFrom = Infinity;
        return slot;
      }
    }
  }

  /** 19 in 20 are opaque; the rest are pairs and JWTs in turn. */
  async #makeMany(count) {
    const kindOf = (number) => (number % 20 > 0 ? 'opaque' : number % 40 > 0 ? 'pair' : 'jwt');
    const made = [];
    for (let first = 0; first < count; first += 50) {
      const some = Array.from({ length: Math.min(50, count - first) }, (_, i) =>
        this.#make(kindOf(first + i)),
      );
      made.push(...(await Promise.all(some)));
    }
    return made;
  }

  async #make(kind) {
    const made = await this.#apiKeys.create({ name: 'soak', organization: { id: 'org_1' }, kind });
    this.counts.made += 1;
    return { kind, text: newText(made), settledFrom: 0 };
  }

  #noteEnded(text) {
    this.#ended.push(text);
    if (this.#ended.length > ENDED_KEPT) this.#ended.shift();
  }

  #below(count) {
    return Math.floor(this.#random() * count);
  }
}

/** @returns {Text} */
function newText({ key, secret, apiKey }) {
  const text = secret === undefined ? key : `${key}.${secret}`;
  return { text, id: apiKey.id, worksUntil: Infinity, endedAt: Infinity, failsFrom: Infinity };
}

/** Counts answers, and notes those that are wrong. */
export class Answers {
  accepted = 0;
  refused = 0;
  unavailable = 0;
  falseAccepts = 0;
  falseRefusals = 0;
  /** The longest time after an acknowledged end for which its text was still accepted. */
  latestMs = 0;
  /** @type {string[]} */
  problems = [];

  /**
   * @param {Text} text
   * @param {{ status: number | string, id: string | undefined, sentAt: number, answeredAt: number }} answer
   */
  note(text, { status, id, sentAt, answeredAt }) {
    if (status === 200) this.#noteAccepted(text, id, sentAt);
    else if (status === 401) this.#noteRefused(text, answeredAt);
    else if (status === 503) this.unavailable += 1;
    else this.#complain(`a request was answered with ${status}`);
  }

  #noteAccepted(text, id, sentAt) {
    this.accepted += 1;
    this.latestMs = Math.max(this.latestMs, sentAt - text.endedAt);
    if (id === text.id && sentAt < text.failsFrom) return;
    this.falseAccepts += 1;
    this.#complain(`accepted as ${id}, ${sentAt - text.endedAt} ms after the end of key ${text.id}`);
  }

  #noteRefused(text, answeredAt) {
    this.refused += 1;
    if (answeredAt >= text.worksUntil) return;
    this.falseRefusals += 1;
    this.#complain(`key ${text.id} was refused, ${text.worksUntil - answeredAt} ms before its end`);
  }

  /** The first ones tell enough. */
  #complain(problem) {
    if (this.problems.length < 20) this.problems.push(problem);
  }
}
