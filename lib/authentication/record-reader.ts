import type { Clock } from '../clock.ts';
import { type Digester, isDigest, sameDigest } from '../keys/digest.ts';
import { idProblem } from '../keys/fields.ts';
import { DECOY_RECORD, type KeyRecord } from '../keys/key-record.ts';
import { answeredRecord, wrongRecord } from '../stores/fault.ts';
import type { StoreCaller } from '../stores/guarded-store.ts';
import type { KeyLookup, KeyStore } from '../stores/key-store.ts';
import type { Circuit } from './circuit.ts';
import type { Lookup } from './key-verifier.ts';

/** Which of a record's two digests a look-up was answered by. */
export interface Matched {
  readonly previous: boolean;
  readonly digest: string;
}

/** Noted where there is no record, for the sake of the time that it takes. */
const DECOY_MATCH: Matched = { previous: false, digest: DECOY_RECORD.digest };

/** The {@link Lookup} that verifiers get, and what the authenticator learns from it beside the record. */
export interface RecordReader extends Lookup {
  /** How a record was found; `undefined` for one that no look-up by digest has answered. */
  matchOf(record: KeyRecord): Matched | undefined;
  /** What was read last where there was no record: to go through, as one that was found is gone through. */
  decoy(): KeyRecord;
}

export interface RecordReaderParts {
  readonly store: KeyLookup | KeyStore;
  readonly caller: StoreCaller;
  readonly circuit: Circuit;
  readonly digester: Digester;
  readonly clock: Clock;
}

export function createRecordReader({
  store,
  caller,
  circuit,
  digester,
  clock,
}: RecordReaderParts): RecordReader {
  const matches = new WeakMap<KeyRecord, Matched>([[DECOY_RECORD, DECOY_MATCH]]);
  let decoy = DECOY_RECORD;
  function absent(copy: KeyRecord): undefined {
    decoy = copy;
  }
  return {
    digests: digester.digestsOf,
    now: clock.now,
    matchOf: (record) => matches.get(record),
    // The copy that was just made, and not one that all share: a new object is slower to go through than an old one.
    decoy: () => decoy,

    async byDigest(digests) {
      const operation = 'findByDigest';
      if (!digests.every(isDigest)) throw new TypeError('a verifier asked for what is no digest');
      const run = () => store.findByDigest(digests);
      const answer = await circuit.run(() => caller.call({ operation, secrets: digests, run }));
      const record = answeredRecord(operation, answer ?? newDecoy()) as KeyRecord;
      const match = matchAmong(digests, record);
      matches.set(record, match ?? DECOY_MATCH);
      if (isAbsent(answer)) return absent(record);
      if (match === undefined) throw wrongRecord(operation, 'it has none of the digests that were asked for');
      return record;
    },

    async byId(id) {
      const operation = 'findById';
      if (!('findById' in store)) {
        throw new TypeError('this verifier looks keys up by id, so the store must have findById()');
      }
      if (idProblem(id) !== undefined) return undefined;
      const answer = await circuit.run(() => caller.call({ operation, run: () => store.findById(id) }));
      const record = answeredRecord(operation, answer ?? newDecoy()) as KeyRecord;
      matches.set(record, { previous: false, digest: record.digest });
      if (isAbsent(answer)) return absent(record);
      if (record.id !== id) throw wrongRecord(operation, 'it has another id than the one that was asked for');
      return record;
    },
  };
}

/** What a store answers is a new object each time, which takes longer to read than one that is read again and again. */
function newDecoy(): KeyRecord {
  return { ...DECOY_RECORD };
}

function isAbsent(answer: unknown): boolean {
  return answer === undefined || answer === null;
}

/**
 * A store that answers with somebody else's record has happened: a connection that handed over the reply of another
 * request, a collation that takes other letters for the same. Such an answer is a fault, never a key.
 */
function matchAmong(digests: readonly string[], record: KeyRecord): Matched | undefined {
  for (const digest of digests) {
    if (sameDigest(digest, record.digest)) return { previous: false, digest };
    if (record.previous !== undefined && sameDigest(digest, record.previous.digest))
      return { previous: true, digest };
  }
  return undefined;
}
