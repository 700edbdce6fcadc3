import type { Clock } from '../clock.ts';
import type { ErrorCode } from '../errors.ts';
import type { Events } from '../events.ts';
import type { ApiKey, Environment } from '../keys/api-key.ts';
import { apiKeyOf } from '../keys/api-key-view.ts';
import { factsOf, type RefusalReason, refusalReason } from '../keys/checks.ts';
import { sha256 } from '../keys/digest.ts';
import type { KeyRecord } from '../keys/key-record.ts';
import { faultOf, WrongAnswerError } from '../stores/fault.ts';
import type { Found, KeyVerifier } from './key-verifier.ts';
import type { Entry, LookupCache, ReadStamp } from './lookup-cache.ts';
import type { OwnerCheck } from './owner-check.ts';
import type { Matched, RecordReader } from './record-reader.ts';
import type { RefusalCounter } from './refusal-counter.ts';
import type { Rehasher } from './rehasher.ts';
import { USE_RECORDED_EVERY_MS, type UseRecorder } from './use-recorder.ts';
import type { Refused, Verdict } from './verdict.ts';
import type { Verifiers } from './verifiers.ts';

export interface AuthenticatorParts {
  readonly environments: readonly Environment[];
  readonly verifiers: Verifiers;
  readonly cache: LookupCache;
  readonly reader: RecordReader;
  readonly ownerCheck: OwnerCheck | undefined;
  readonly uses: UseRecorder | undefined;
  readonly rehash: Rehasher | undefined;
  readonly refusals: RefusalCounter;
  readonly clock: Clock;
  readonly events: Events;
}

type Source = 'hit' | 'miss' | 'stale' | 'none';

/** How a read ended; a fault ends it by a rejection. */
interface Read {
  readonly stamp: ReadStamp;
  readonly entry: Entry | undefined;
}

/** What is known of a request while it is decided. */
interface Question {
  readonly text: string;
  readonly sha: string;
  /** Monotonic time; 0 when nobody listens. */
  readonly startedAt: number;
}

/** Reads of one key that a newer change may each have overtaken, before we stop and say that we don't know. */
const MAX_READS = 4;

/** From the text of a credential to a verdict. */
export class Authenticator {
  readonly #parts: AuthenticatorParts;
  /** Reads under way, by the SHA-256 of the text: all who ask for one text wait for one read. */
  readonly #reads = new Map<string, Promise<Read>>();

  constructor(parts: AuthenticatorParts) {
    this.#parts = parts;
  }

  /** A cache hit is answered at once, with no promise. @throws never; a fault is a rejection */
  verify(text: string): Verdict | Promise<Verdict> {
    const { verifiers, cache, refusals, clock, events } = this.#parts;
    const startedAt = events.hears('decision') ? clock.monotonic() : 0;
    if (typeof text !== 'string' || !verifiers.isReadable(text)) {
      return this.#refuse('malformed', undefined, 'none', startedAt);
    }
    const sha = sha256(text);
    const now = clock.now();
    const entry = cache.fresh(sha, now);
    if (entry !== undefined) return this.#decide(entry, text, now, 'hit', startedAt);
    const shape = verifiers.shapeOf(text);
    if (typeof shape === 'string') {
      refusals.count(text);
      return this.#refuse(shape, undefined, 'none', startedAt);
    }
    if (cache.isMissing(sha, now)) {
      refusals.count(text);
      return this.#refuse('unknown', undefined, 'hit', startedAt);
    }
    return this.#readAndDecide({ text, sha, startedAt }, shape);
  }

  async #readAndDecide(question: Question, verifier: KeyVerifier): Promise<Verdict> {
    const { cache, clock, events } = this.#parts;
    const { text, sha, startedAt } = question;
    try {
      for (let attempt = 1; attempt <= MAX_READS; attempt += 1) {
        const verdict = this.#settle(await this.#read(sha, text, verifier), question, attempt);
        if (verdict !== 'read_again') return verdict;
      }
      throw new WrongAnswerError('The key changed each time it was read.');
    } catch (thrown) {
      const { error, mayUseStale } = faultOf(thrown);
      const now = clock.now();
      const entry = mayUseStale ? cache.stale(sha, now) : undefined;
      if (entry !== undefined) return this.#decide(entry, text, now, 'stale', startedAt);
      if (events.hears('decision')) this.#tell('unavailable', 'miss', startedAt, error.code);
      throw error;
    }
  }

  /** Decides by a read that has ended, unless something happened since it began. */
  #settle({ stamp, entry }: Read, { text, startedAt }: Question, attempt: number): Verdict | 'read_again' {
    const { cache, clock, refusals } = this.#parts;
    if (entry === undefined) {
      if (attempt === 1 && cache.wasOvertaken(stamp)) return 'read_again';
      refusals.count(text);
      return this.#refuse('unknown', undefined, 'miss', startedAt);
    }
    const standing = cache.standing(entry);
    if (standing === 'current') return this.#decide(entry, text, clock.now(), 'miss', startedAt);
    if (standing === 'read_again' || attempt === 1) return 'read_again';
    if (standing === 'ended') return this.#refuse('revoked', entry.accepted.apiKey, 'miss', startedAt);
    throw new WrongAnswerError('The key store answers with an older version of the key than there is.');
  }

  #read(sha: string, text: string, verifier: KeyVerifier): Promise<Read> {
    const underWay = this.#reads.get(sha);
    if (underWay !== undefined) return underWay;
    const begun = this.#beginRead(sha, text, verifier).finally(() => this.#reads.delete(sha));
    this.#reads.set(sha, begun);
    return begun;
  }

  async #beginRead(sha: string, text: string, verifier: KeyVerifier): Promise<Read> {
    const { cache, clock, environments, reader, rehash } = this.#parts;
    const stamp = cache.beginRead(clock.now());
    const found = (await verifier.find(text, reader)) ?? undefined;
    if (found === undefined) {
      cache.keepMiss(sha, stamp);
      return { stamp, entry: undefined };
    }
    const match = this.#matchOf(found);
    const entry = await this.#entryOf(found, match, stamp);
    cache.keep(sha, entry);
    const isGood = refusalReason(entry.facts, clock.now(), environments) === undefined;
    if (isGood && found.rehash !== undefined) rehash?.(found.record, match, found.rehash);
    return { stamp, entry };
  }

  #matchOf({ record }: Found): Matched {
    const match = this.#parts.reader.matchOf(record);
    if (match !== undefined) return match;
    // Without a match nobody could tell whether the old key was presented, whose grace may be over.
    throw new WrongAnswerError('A verifier must answer with a record that its lookup gave it.');
  }

  async #entryOf({ record, expiresAt }: Found, match: Matched, stamp: ReadStamp): Promise<Entry> {
    const { ownerCheck } = this.#parts;
    const apiKey = apiKeyOf(record);
    const ownerActive = ownerCheck === undefined || (await ownerCheck(apiKey));
    const facts = factsOf(record, { previous: match.previous, expiresAt }, ownerActive);
    const graceUntil = match.previous ? { graceUntil: new Date(facts.graceEndsAt) } : undefined;
    const end = Math.min(facts.expiresAt, facts.graceEndsAt);
    return {
      facts,
      accepted: Object.freeze({ ok: true, apiKey, ...graceUntil }),
      read: stamp.read,
      wallAt: stamp.wallAt,
      monotonicAt: stamp.monotonicAt,
      endsAt: end > stamp.wallAt ? end : Number.POSITIVE_INFINITY,
      floorsSeen: -1,
      useDueAt: useDueAfter(record, match.previous),
    };
  }

  /** Decides by an entry, cached or new: the checks run here, on every request. */
  #decide(entry: Entry, text: string, now: number, source: Source, startedAt: number): Verdict {
    const { environments, events, refusals, uses } = this.#parts;
    const { facts, accepted } = entry;
    const reason = refusalReason(facts, now, environments);
    if (reason !== undefined) {
      refusals.count(text);
      return this.#refuse(reason, accepted.apiKey, source, startedAt);
    }
    if (uses !== undefined && now >= entry.useDueAt) {
      const isFirst = entry.useDueAt === Number.NEGATIVE_INFINITY;
      entry.useDueAt = uses.note(facts.id, accepted.graceUntil !== undefined, now, isFirst);
    }
    if (events.hears('decision')) this.#tell('accepted', source, startedAt, undefined, accepted.apiKey);
    return accepted;
  }

  #refuse(reason: RefusalReason, apiKey: ApiKey | undefined, source: Source, startedAt: number): Refused {
    if (this.#parts.events.hears('decision')) this.#tell('refused', source, startedAt, reason, apiKey);
    return Object.freeze(apiKey === undefined ? { ok: false, reason } : { ok: false, reason, apiKey });
  }

  #tell(
    outcome: 'accepted' | 'refused' | 'unavailable',
    cache: Source,
    startedAt: number,
    reason?: RefusalReason | ErrorCode,
    apiKey?: ApiKey,
  ): void {
    const { clock, events } = this.#parts;
    events.emit({
      type: 'decision',
      at: clock.now(),
      outcome,
      cache,
      durationMs: clock.monotonic() - startedAt,
      ...(reason === undefined ? undefined : { reason }),
      ...(apiKey === undefined ? undefined : { keyId: apiKey.id, organizationId: apiKey.organization.id }),
    });
  }
}

/** `-Infinity` until the key's first use, which is recorded at once. */
function useDueAfter(record: KeyRecord, previous: boolean): number {
  const lastUsedAt = previous ? record.previous?.lastUsedAt : record.lastUsedAt;
  return lastUsedAt === undefined ? Number.NEGATIVE_INFINITY : lastUsedAt.getTime() + USE_RECORDED_EVERY_MS;
}
