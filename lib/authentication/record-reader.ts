import type { Clock } from '../clock.ts';
import { type Digester, sameDigest } from '../keys/digest.ts';
import type { KeyRecord } from '../keys/key-record.ts';
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

/** The {@link Lookup} that verifiers get, and what the authenticator learns from it beside the record. */
export interface RecordReader extends Lookup {
  /** How a record was found; `undefined` for one that no look-up by digest has answered. */
  matchOf(record: KeyRecord): Matched | undefined;
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
  const matches = new WeakMap<KeyRecord, Matched>();
  return {
    digests: digester.digestsOf,
    now: clock.now,
    matchOf: (record) => matches.get(record),

    async byDigest(digests) {
      const operation = 'findByDigest';
      const secrets = secretPartsOf(digests);
      const run = () => store.findByDigest(digests);
      const answer = await circuit.run(() => caller.call({ operation, secrets, run }));
      const record = answeredRecord(operation, answer);
      if (record === undefined) return undefined;
      const match = matchAmong(digests, record);
      if (match === undefined) throw wrongRecord(operation, 'it has none of the digests that were asked for');
      matches.set(record, match);
      return record;
    },

    async byId(id) {
      const operation = 'findById';
      if (!('findById' in store)) {
        throw new TypeError('this verifier looks keys up by id, so the store must have findById()');
      }
      const answer = await circuit.run(() => caller.call({ operation, run: () => store.findById(id) }));
      const record = answeredRecord(operation, answer);
      if (record === undefined) return undefined;
      if (record.id !== id) throw wrongRecord(operation, 'it has another id than the one that was asked for');
      matches.set(record, { previous: false, digest: record.digest });
      return record;
    },
  };
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

/** A driver may quote a digest without its scheme. */
function secretPartsOf(digests: readonly string[]): readonly string[] {
  return digests.flatMap((digest) => [digest, digest.slice(digest.lastIndexOf(':') + 1)]);
}
