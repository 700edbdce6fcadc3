// One fault of one method: requests and management calls while it comes and goes, and the truth afterwards.
import { setTimeout as sleep } from 'node:timers/promises';
import { createApiKeys } from 'keystile';
import { fakeClock, faultStore } from 'keystile/testing';
import { newSubject, turnTo } from './judge.mjs';
import { manage, someInput } from './managed-life.mjs';
import { oneOf } from './store-calls.mjs';
import { openTraffic } from './traffic.mjs';

const ROUNDS = 3;
const REQUESTS = 10;
const CALLS = 3;
const GOOD_KEYS = 12;
/** Of the calls that are made while the fault is there. */
const SHARE = 0.4;
const TTL_MS = 500;
const MOST_TRIES = 100;
/** Of what is no part of the fault, on a busy machine. */
const PATIENCE_MS = 30_000;

/**
 * @typedef {object} Plot
 * @property {import('./fault-stores.mjs').FaultedKind} kind
 * @property {import('keystile').KeyStore} store
 * @property {import('./store-calls.mjs').StoreFault} fault
 * @property {string} method
 * @property {import('./judge.mjs').Judge} judge
 * @property {() => number} random
 */

export class Episode {
  #plot;
  #clock = fakeClock(Date.now());
  #faulty;
  #apiKeys;
  #witness;
  #traffic;
  #subjects = [];
  #others = [];
  #older = new Map();
  #late = new Set();
  #faulted = 0;

  constructor(plot) {
    this.#plot = plot;
  }

  /** @param {Plot} plot */
  static async begin(plot) {
    const episode = new Episode(plot);
    await episode.#open();
    return episode;
  }

  async #open() {
    const { kind, store, method, judge, random } = this.#plot;
    const { now } = this.#clock;
    this.#witness = createApiKeys({ store, prefix: 'acme', storeTimeoutMs: PATIENCE_MS, cache: false, now });
    await this.#fill();
    this.#faulty = faultStore(method === 'watch' || random() < 0.3 ? store : withoutWatch(store));
    // Begun before the store is first called: a watch is called but once.
    if (method === 'watch') this.#plant();
    this.#apiKeys = createApiKeys({
      store: this.#faulty,
      prefix: 'acme',
      storeTimeoutMs: kind.deadlineMs,
      now,
      cache: random() < 0.3 ? false : { ttlMs: TTL_MS, staleIfErrorMs: 0, missTtlMs: TTL_MS },
    });
    this.#traffic = await openTraffic(this.#apiKeys, judge);
  }

  /** Good keys, one that is revoked, and one that is unknown; and what the store holds of them now. */
  async #fill() {
    const { store, random } = this.#plot;
    for (let i = 0; i < GOOD_KEYS; i += 1) {
      const { key, apiKey } = await this.#witness.create(someInput(random));
      this.#subjects.push(newSubject(key, apiKey.id));
    }
    const [revoked, unknown] = this.#subjects;
    await this.#witness.revoke(revoked.id);
    await this.#witness.delete(unknown.id);
    turnTo(revoked, 'refused');
    turnTo(unknown, 'refused');
    for (const { id } of this.#subjects) {
      const record = await store.findById(id);
      if (record === undefined) continue;
      this.#others.push(record);
      this.#older.set(id, record);
      this.#older.set(record.digest, record);
    }
  }

  #plant() {
    const { kind, fault, method, random } = this.#plot;
    const stand = fault.make({
      method,
      random,
      asked: () => this.#faulty.asked(method).at(-1) ?? [],
      others: this.#others,
      older: this.#older,
      lateMs: Math.round(kind.deadlineMs * 1.5),
    });
    this.#faulty.always(method, (real) => {
      if (random() >= SHARE) return real();
      this.#faulted += 1;
      return this.#noted(stand, real);
    });
  }

  /** Remembers the real call, which may come when nobody waits any more. */
  #noted(stand, real) {
    return stand(() => {
      const call = real();
      const settled = call.then(ignore, ignore).finally(() => this.#late.delete(settled));
      this.#late.add(settled);
      return call;
    });
  }

  /** @returns how many calls were faulty */
  async run() {
    const { method, kind } = this.#plot;
    if (method !== 'watch') this.#plant();
    for (let round = 0; round < ROUNDS; round += 1) {
      this.#passTime(round);
      await this.#round();
    }
    this.#faulty.heal();
    // What acts after the deadline has acted by then.
    await sleep(kind.deadlineMs * 2);
    await Promise.all(this.#late);
    await this.#holdAgainstTruth();
    await this.#close();
    this.#lookForPollution();
    return this.#faulted;
  }

  /** Entries have to be read anew; a clock that goes back has the circuit breaker closed again, which else spares the store. */
  #passTime(round) {
    if (round % 2 === 1) this.#clock.set(this.#clock.now() - 1);
    else this.#clock.advance(this.#plot.random() < 0.3 ? 61_000 : TTL_MS + 1);
  }

  async #round() {
    const { random, judge, store } = this.#plot;
    const bench = { apiKeys: this.#apiKeys, real: store, random, judge, subjects: this.#subjects };
    const requests = Array.from({ length: REQUESTS }, () => this.#traffic.ask(oneOf(this.#subjects, random)));
    const chosen = new Set(Array.from({ length: CALLS }, () => this.#someGood()));
    chosen.delete(undefined);
    // Two keys of one record are one: calls for it must not come between another and its look at the store.
    const byId = new Map([...chosen].map((subject) => [subject.id, subject]));
    await Promise.all([...requests, ...[...byId.values()].map((subject) => manage(bench, subject))]);
    await Promise.all(
      Array.from({ length: REQUESTS / 2 }, () => this.#traffic.ask(oneOf(this.#subjects, random))),
    );
  }

  #someGood() {
    return oneOf(
      this.#subjects.filter(({ state }) => state === 'good'),
      this.#plot.random,
    );
  }

  /** What the store says by itself is what the process must say too, now that nothing fails. */
  async #holdAgainstTruth() {
    const { judge, store } = this.#plot;
    for (const subject of this.#subjects) {
      const { ok } = await this.#witness.verify(subject.key);
      if (ok && subject.state === 'refused') judge.problem(`${subject.id} came back in the store`);
      if (!ok && subject.state === 'good') judge.problem(`${subject.id} has gone in the store`);
      turnTo(subject, ok ? 'good' : 'refused');
      // Never a half of a change: the store reads what it wrote.
      await store.findById(subject.id);
    }
    for (const subject of this.#subjects) await this.#untilDecided(subject);
  }

  async #untilDecided(subject) {
    for (let tries = 1; tries <= MOST_TRIES; tries += 1) {
      this.#clock.set(this.#clock.now() - 1);
      const { status } = await this.#traffic.ask(subject);
      if (status !== 503) return;
      await sleep(10);
    }
    this.#plot.judge.problem(`key ${subject.id} is 503, though nothing fails any more`);
  }

  async #close() {
    const { judge, method, kind } = this.#plot;
    if (method === 'close') this.#plant();
    await this.#traffic.close();
    const late = sleep(kind.deadlineMs * 20 + 1_000, 'late', { ref: false });
    const how = await Promise.race([this.#apiKeys.close().catch((error) => error), late]);
    if (how === 'late') judge.problem('close() does not end');
    else if (how !== undefined && how.code !== 'temporarily_unavailable')
      judge.problem(`close(): ${how.stack}`);
    await this.#witness.close();
  }

  #lookForPollution() {
    for (const one of [{}, [], () => undefined]) {
      if ('polluted' in one) this.#plot.judge.problem('a prototype was polluted');
    }
  }
}

/** Then the process knows of a change by its own calls alone. */
function withoutWatch(store) {
  const methods = ['findByDigest', 'findById', 'insert', 'update', 'list', 'delete', 'recordUse', 'close'];
  const has = methods.filter((name) => store[name] !== undefined);
  return Object.fromEntries(has.map((name) => [name, (...given) => store[name](...given)]));
}

function ignore() {
  // How a call ended that is only waited for is the business of whoever made it.
}
