import type { Clock } from '../clock.ts';
import { ApiKeyError, type ErrorCode } from '../errors.ts';
import type { Events } from '../events.ts';
import type { ApiKey, Environment } from '../keys/api-key.ts';
import { type RefusalReason, refusalReason } from '../keys/checks.ts';
import { faultOf, WrongAnswerError } from '../stores/fault.ts';
import { type CacheName, cacheNameOf, cacheNameOfPair } from './cache-name.ts';
import type { Entry } from './entry.ts';
import type { EntryReader, Read } from './entry-reader.ts';
import { splitPair } from './key-pairs.ts';
import type { Found } from './key-verifier.ts';
import type { LookupCache } from './lookup-cache.ts';
import type { RecordReader } from './record-reader.ts';
import type { RefusalCounter } from './refusal-counter.ts';
import type { UseRecorder } from './use-recorder.ts';
import type { Refused, Verdict } from './verdict.ts';
import type { Verifiers } from './verifiers.ts';
import type { Try, WrongSecrets } from './wrong-secrets.ts';

export interface AuthenticatorParts {
  readonly environments: readonly Environment[];
  readonly verifiers: Verifiers;
  readonly cache: LookupCache;
  readonly reader: RecordReader;
  readonly entryReader: EntryReader;
  readonly uses: UseRecorder | undefined;
  readonly refusals: RefusalCounter;
  readonly wrongSecrets: WrongSecrets;
  readonly clock: Clock;
  readonly events: Events;
}

type Source = 'hit' | 'miss' | 'stale' | 'none';

/** A credential that is not in the cache. */
interface Question {
  readonly name: CacheName;
  /** As it was presented; of a pair the id. */
  readonly text: string;
  /** The id of a pair, of which wrong secrets are counted, and how many may be. */
  readonly pairId: string | undefined;
  readonly triesPerMinute?: number | undefined;
  readonly source: RequestSource | undefined;
  /** Monotonic time, or {@link NOBODY_LISTENS}: an event is built only for those who listened when it began. */
  readonly startedAt: number;
  find(): Promise<Found | undefined>;
}

/** Where a credential came from; a request fits. Its address is read only when a pair is looked up. */
export interface RequestSource {
  readonly ip?: string | undefined;
}

/** Reads of one key that a newer change may each have overtaken, before we stop and say that we don't know. */
const MAX_READS = 4;

const NOBODY_LISTENS = -1;

/** From the text of a credential to a verdict. */
export class Authenticator {
  readonly #parts: AuthenticatorParts;
  /** Reads under way, by the name of the text: all who ask for one text wait for one read. */
  readonly #reads = new Map<string, Promise<Read>>();

  constructor(parts: AuthenticatorParts) {
    this.#parts = parts;
  }

  /** A cache hit is answered at once, with no promise. @throws never; a fault is a rejection */
  verify(text: string, source?: RequestSource): Verdict | Promise<Verdict> {
    const { verifiers, clock, cache } = this.#parts;
    const startedAt = this.#startedAt();
    if (typeof text !== 'string' || !verifiers.isReadable(text)) {
      return this.#refuse('malformed', undefined, 'none', startedAt);
    }
    const name = cacheNameOf(text);
    const now = clock.now();
    const entry = cache.fresh(name, now);
    if (entry !== undefined) return this.#decide(entry, text, now, 'hit', startedAt);
    return this.#verifyUnheld(name, text, source, startedAt);
  }

  /**
   * As {@link verify}, for a text out of a header field. Whether such a field may hold it is asked where that is not known
   * of the cached text already: reading through all its characters takes a sixth of the time of a hit.
   *
   * @returns `undefined` for a text that is not sound
   */
  verifySound(
    text: string,
    source: RequestSource,
    isSound: (text: string) => boolean,
  ): Verdict | Promise<Verdict> | undefined {
    const { verifiers, clock, cache } = this.#parts;
    const startedAt = this.#startedAt();
    if (!verifiers.isReadable(text)) {
      return isSound(text) ? this.#refuse('malformed', undefined, 'none', startedAt) : undefined;
    }
    const name = cacheNameOf(text);
    const now = clock.now();
    const entry = cache.fresh(name, now);
    if (entry?.isSound !== true && !isSound(text)) return undefined;
    if (entry === undefined) return this.#verifyUnheld(name, text, source, startedAt);
    entry.isSound = true;
    return this.#decide(entry, text, now, 'hit', startedAt);
  }

  #verifyUnheld(
    name: CacheName,
    text: string,
    source: RequestSource | undefined,
    startedAt: number,
  ): Verdict | Promise<Verdict> {
    const { verifiers, reader } = this.#parts;
    const shape = verifiers.shapeOf(text);
    if (typeof shape === 'string') {
      this.#parts.refusals.count(text);
      return this.#refuse(shape, undefined, 'none', startedAt);
    }
    const pairId = shape.pairs === undefined ? undefined : splitPair(text)[0];
    const triesPerMinute = shape.pairs?.triesPerMinute;
    const find = () => shape.find(text, reader);
    return this.#lookUp({ name, text, pairId, triesPerMinute, source, startedAt, find });
  }

  /** As {@link verify}, for an id and its secret. */
  verifyPair(id: string, secret: string, source?: RequestSource): Verdict | Promise<Verdict> {
    const { verifiers, reader, clock, cache } = this.#parts;
    const startedAt = this.#startedAt();
    const areTexts = typeof id === 'string' && typeof secret === 'string';
    if (!areTexts || !verifiers.isReadable(id) || !verifiers.isReadable(secret)) {
      return this.#refuse('malformed', undefined, 'none', startedAt);
    }
    const name = cacheNameOfPair(id, secret);
    const now = clock.now();
    const entry = cache.fresh(name, now);
    if (entry !== undefined) return this.#decide(entry, id, now, 'hit', startedAt);
    const pairs = verifiers.pairVerifierOf(id, secret);
    if (pairs === undefined) return this.#refuse('malformed', undefined, 'none', startedAt);
    const { triesPerMinute } = pairs;
    const find = () => pairs.find(id, secret, reader);
    return this.#lookUp({ name, text: id, pairId: id, triesPerMinute, source, startedAt, find });
  }

  #startedAt(): number {
    const { events, clock } = this.#parts;
    return events.hears('decision') ? clock.monotonic() : NOBODY_LISTENS;
  }

  #lookUp(question: Question): Verdict | Promise<Verdict> {
    const { cache, clock, wrongSecrets } = this.#parts;
    const { pairId, triesPerMinute, source, name, startedAt } = question;
    let counted: Try | undefined;
    try {
      // Who joins a read that is under way tries nothing new.
      const isNew = pairId !== undefined && !this.#reads.has(keyOf(name));
      if (isNew) counted = wrongSecrets.begin(pairId, source?.ip, triesPerMinute);
    } catch (error) {
      if (error instanceof ApiKeyError) this.#tell('refused', 'none', startedAt, error.code);
      return Promise.reject(error);
    }
    if (cache.isMissing(name, clock.now())) return this.#refuseUnknown(question, 'hit');
    return this.#readAndDecide(question, counted);
  }

  async #readAndDecide(question: Question, counted: Try | undefined): Promise<Verdict> {
    const { cache, clock, wrongSecrets } = this.#parts;
    const { text, name, startedAt } = question;
    let isWrong = false;
    try {
      for (let attempt = 1; attempt <= MAX_READS; attempt += 1) {
        const verdict = this.#settle(await this.#read(question), question, attempt);
        if (verdict === 'read_again') continue;
        isWrong = !verdict.ok && verdict.reason === 'unknown';
        return verdict;
      }
      throw new WrongAnswerError('The key changed each time it was read.');
    } catch (thrown) {
      const { error, mayUseStale } = faultOf(thrown, [text]);
      const now = clock.now();
      const entry = mayUseStale ? cache.stale(name, now) : undefined;
      if (entry !== undefined) return this.#decide(entry, text, now, 'stale', startedAt);
      this.#tell('unavailable', 'miss', startedAt, error.code);
      throw error;
    } finally {
      if (counted !== undefined && !isWrong) wrongSecrets.takeBack(counted);
    }
  }

  /** Decides by a read that has ended, unless something happened since it began. */
  #settle({ stamp, entry, isMissing }: Read, question: Question, attempt: number): Verdict | 'read_again' {
    const { cache, clock } = this.#parts;
    const { text, startedAt } = question;
    const standing = cache.standing(entry);
    if (isMissing) {
      if (attempt === 1 && cache.wasOvertaken(stamp)) return 'read_again';
      return this.#refuseUnknown(question, 'miss');
    }
    if (standing === 'current') return this.#decide(entry, text, clock.now(), 'miss', startedAt);
    if (standing === 'read_again' || attempt === 1) return 'read_again';
    if (standing === 'ended') return this.#refuse('revoked', entry.accepted.apiKey, 'miss', startedAt);
    throw new WrongAnswerError('The key store answers with an older version of the key than there is.');
  }

  #read(question: Question): Promise<Read> {
    const { name, find } = question;
    const key = keyOf(name);
    const underWay = this.#reads.get(key);
    if (underWay !== undefined) return underWay;
    const begun = this.#parts.entryReader.read(name, find).finally(() => this.#reads.delete(key));
    this.#reads.set(key, begun);
    return begun;
  }

  /** Decides by an entry, cached or new: the checks run here, on every request. */
  #decide(entry: Entry, text: string, now: number, source: Source, startedAt: number): Verdict {
    const { environments, refusals, uses } = this.#parts;
    const { accepted } = entry;
    const reason = refusalReason(entry, now, environments);
    if (reason !== undefined) {
      refusals.count(text);
      return this.#refuse(reason, accepted.apiKey, source, startedAt);
    }
    if (uses !== undefined && now >= entry.useDueAt) {
      const isFirst = entry.useDueAt === 0;
      entry.useDueAt = uses.note(entry.id, accepted.graceUntil !== undefined, now, isFirst);
    }
    this.#tell('accepted', source, startedAt, undefined, accepted.apiKey);
    return accepted;
  }

  #refuseUnknown({ text, startedAt }: Question, from: Source): Refused {
    this.#parts.refusals.count(text);
    return this.#refuse('unknown', undefined, from, startedAt);
  }

  #refuse(reason: RefusalReason, apiKey: ApiKey | undefined, source: Source, startedAt: number): Refused {
    this.#tell('refused', source, startedAt, reason, apiKey);
    return Object.freeze(apiKey === undefined ? { ok: false, reason } : { ok: false, reason, apiKey });
  }

  #tell(
    outcome: 'accepted' | 'refused' | 'unavailable',
    cache: Source,
    startedAt: number,
    reason?: RefusalReason | ErrorCode,
    apiKey?: ApiKey,
  ): void {
    if (startedAt === NOBODY_LISTENS) return;
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

function keyOf({ sha, rest }: CacheName): string {
  return sha + rest;
}
