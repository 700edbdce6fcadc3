import type { KeyRecord } from '../../lib/keys/key-record.ts';
import type { KeyChange, KeyChanged, KeyPage, KeyStore } from '../../lib/stores/key-store.ts';

export type Narrowed = Extract<KeyChanged, { type: 'narrowed' }>;

/** One for all: to make an error costs as much as an interleaving. */
const FAULT = new Error('the store failed');

/** Answers a number from 0 up to and not including `below`. */
export type Random = (below: number) => number;

/** A call that the store has been given and that goes on only when it is told to. */
export interface GatedCall {
  readonly label: string;
  /** Whether it did its work: took its snapshot, or committed. */
  isDone: boolean;
  work(): void;
  answer(): void;
  fail(): void;
}

/**
 * A key store in which nothing happens by itself. Every call stops twice: before it does its work, and before its
 * answer reaches the caller. Writes go to a primary and take effect at once and whole; where there is a replica, most
 * look-ups by digest are answered from it, as of an earlier commit until it is made to catch up.
 */
export class GatedStore implements KeyStore {
  readonly calls: GatedCall[] = [];
  /** Messages on their way to those who watch. */
  readonly messages: Narrowed[] = [];
  /** All that a key ever was: member `n` is its version `n + 1`, and `undefined` its deletion. */
  readonly histories = new Map<string, (KeyRecord | undefined)[]>();
  readonly #watchers: ((change: KeyChanged) => void)[] = [];
  readonly #random: Random;
  readonly #hasReplica: boolean;
  /** Of each key, how many versions the replica lacks. */
  readonly #lag = new Map<string, number>();
  /** The order in which the replica will see what it lacks. */
  readonly #unseen: string[] = [];

  constructor(records: readonly KeyRecord[], hasReplica: boolean, random: Random) {
    for (const record of records) this.histories.set(record.id, [record]);
    this.#hasReplica = hasReplica;
    this.#random = random;
  }

  get isBehind(): boolean {
    return this.#unseen.length > 0;
  }

  /** The replica sees one commit more. */
  catchUp(): void {
    const id = this.#unseen.shift() as string;
    this.#lag.set(id, this.#lagOf(id) - 1);
  }

  deliver(message: Narrowed): void {
    this.messages.splice(this.messages.indexOf(message), 1);
    for (const hear of this.#watchers) hear(message);
  }

  /** Commits at once; `narrows` puts a message on its way. A deletion counts as a version of its own. */
  commit(id: string, next: KeyRecord | undefined, narrows: boolean): void {
    const history = this.historyOf(id);
    history.push(next);
    if (this.#hasReplica) {
      this.#unseen.push(id);
      this.#lag.set(id, this.#lagOf(id) + 1);
    }
    const ended = next === undefined || next.revokedAt !== undefined;
    if (narrows) this.messages.push({ type: 'narrowed', id, version: history.length, ended });
  }

  historyOf(id: string): (KeyRecord | undefined)[] {
    return this.histories.get(id) as (KeyRecord | undefined)[];
  }

  latest(id: string): KeyRecord | undefined {
    return this.histories.get(id)?.at(-1);
  }

  findByDigest(digests: readonly string[]): Promise<KeyRecord | undefined> {
    return this.#gate('findByDigest', () => {
      const fromReplica = this.#hasReplica && this.#random(4) > 0;
      for (const [id, history] of this.histories) {
        const record = history[history.length - 1 - (fromReplica ? this.#lagOf(id) : 0)];
        if (record !== undefined && digests.includes(record.digest)) return record;
      }
      return undefined;
    });
  }

  findById(id: string): Promise<KeyRecord | undefined> {
    return this.#gate('findById', () => this.latest(id));
  }

  update(id: string, change: KeyChange, expectedVersion: number): Promise<KeyRecord | undefined> {
    return this.#gate('update', () => {
      const record = this.latest(id);
      if (record?.version !== expectedVersion) return undefined;
      const next = changedRecord(record, change);
      this.commit(id, next, change.narrows);
      return next;
    });
  }

  delete(id: string): Promise<boolean> {
    return this.#gate('delete', () => {
      if (this.latest(id) === undefined) return false;
      this.commit(id, undefined, true);
      return true;
    });
  }

  async watch(onChange: (change: KeyChanged) => void): Promise<() => Promise<void>> {
    this.#watchers.push(onChange);
    return async () => undefined;
  }

  async insert(): Promise<void> {
    throw new Error('not part of the model');
  }

  async list(): Promise<KeyPage> {
    throw new Error('not part of the model');
  }

  #lagOf(id: string): number {
    return this.#lag.get(id) ?? 0;
  }

  #gate<T>(label: string, work: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      let result: T;
      const leave = (): void => void this.calls.splice(this.calls.indexOf(call), 1);
      const call: GatedCall = {
        label,
        isDone: false,
        work() {
          result = work();
          call.isDone = true;
        },
        answer() {
          leave();
          resolve(result);
        },
        fail() {
          leave();
          reject(FAULT);
        },
      };
      this.calls.push(call);
    });
  }
}

export function changedRecord(record: KeyRecord, change: KeyChange): KeyRecord {
  const { clear = [], narrows, ...members } = change;
  const next = { ...record, ...members, version: record.version + 1 };
  for (const name of clear) delete next[name];
  return next as KeyRecord;
}
