import type { Clock } from '../clock.ts';
import type { ApiKey } from '../keys/api-key.ts';
import { apiKeyOf } from '../keys/api-key-view.ts';
import { factsOf, type KeyFacts, type RefusalReason, refusalReason } from '../keys/checks.ts';
import type { KeyRecord } from '../keys/key-record.ts';
import { type Fault, faultOf, WrongAnswerError } from '../stores/fault.ts';
import { withDeadline } from '../stores/guarded-store.ts';
import { cacheNameOf } from './cache-name.ts';
import { explainChecks } from './check-explanation.ts';
import { LONGEST_FIND_MS } from './entry-reader.ts';
import type { Explanation, ExplanationStep, StepName } from './explanation.ts';
import type { BuiltInVerifier, Found, Lookup } from './key-verifier.ts';
import type { Held, LookupCache } from './lookup-cache.ts';
import type { OwnerCheck } from './owner-check.ts';
import type { RecordReader } from './record-reader.ts';
import { explainShape, type ShapeParts } from './shape-explanation.ts';

export interface ExplainerParts extends ShapeParts {
  readonly cache: LookupCache;
  readonly reader: RecordReader;
  readonly ownerCheck: OwnerCheck | undefined;
  readonly clock: Clock;
}

/** What decides: a record, from the cache or read now; or that there is none, or no answer. */
type Basis = Known | { readonly reason: RefusalReason; readonly apiKey?: ApiKey } | { readonly fault: Fault };

interface Known {
  readonly facts: KeyFacts;
  readonly apiKey: ApiKey;
}

/**
 * Tells how a key is decided. It goes the way of a request, asks the store always, and leaves nothing behind: no entry in the
 * cache, no use, no decision, no count of wrong secrets.
 */
export class Explainer {
  readonly #parts: ExplainerParts;

  constructor(parts: ExplainerParts) {
    this.#parts = parts;
  }

  async explain(text: string): Promise<Explanation> {
    const { cache, clock, environments, ownerCheck } = this.#parts;
    const explained = explainShape(text, this.#parts);
    const steps = [...explained.steps];
    const { shape } = explained;
    if (typeof shape === 'string') return frozen({ verdict: 'refused', reason: shape, steps });
    const held = cache.look(cacheNameOf(text), clock.now());
    steps.push(cacheStep(held));
    const read = await this.#read(shape, text, steps);
    const basis = deciding(held, read);
    if ('fault' in basis) return frozen({ verdict: 'unavailable', error: basis.fault.error, steps });
    if ('reason' in basis) return frozen({ verdict: 'refused', ...basis, steps });
    const { facts, apiKey } = basis;
    const now = clock.now();
    const asksOwner = ownerCheck !== undefined;
    steps.push(...explainChecks({ facts, apiKey, now, environments, asksOwner }));
    const reason = refusalReason(facts, now, environments);
    if (reason !== undefined) return frozen({ verdict: 'refused', reason, apiKey, steps });
    return frozen({ verdict: 'accepted', apiKey, steps });
  }

  async #read(shape: BuiltInVerifier, text: string, steps: ExplanationStep[]): Promise<Basis> {
    try {
      const lookup = this.#watched(steps);
      const asked = steps.length;
      const run = () => shape.find(text, lookup);
      const found = (await withDeadline({ run }, LONGEST_FIND_MS)) ?? undefined;
      if (found !== undefined) return await this.#judge(found, steps);
      steps.push(...notTaken(shape.name, steps.slice(asked)));
      return { reason: 'unknown' };
    } catch (thrown) {
      const fault = faultOf(thrown, [text]);
      // A call to the store has told of its own failure already.
      if (steps.at(-1)?.outcome !== 'fail') steps.push(step('verifier', 'fail', fault.error.message));
      return { fault };
    }
  }

  /** The lookup of verifiers, of which each call becomes a step. */
  #watched(steps: ExplanationStep[]): Lookup {
    const { reader, clock } = this.#parts;
    async function watch(operation: string, call: Promise<KeyRecord | undefined>) {
      const startedAt = clock.monotonic();
      const took = () => `in ${(clock.monotonic() - startedAt).toFixed(1)} ms`;
      try {
        const record = await call;
        const isFound = record !== undefined;
        const what = isFound ? `found a record, of version ${record.version},` : 'found no record';
        steps.push(step('store', isFound ? 'pass' : 'fail', `${operation}() ${what} ${took()}.`));
        return record;
      } catch (error) {
        steps.push(step('store', 'fail', `No answer ${took()}: ${faultOf(error).error.message}`));
        throw error;
      }
    }
    return {
      byDigest: (digests) => watch('findByDigest', reader.byDigest(digests)),
      byId: (id) => watch('findById', reader.byId(id)),
      digests: reader.digests,
      now: reader.now,
    };
  }

  async #judge({ record, expiresAt, ...found }: Found, steps: ExplanationStep[]): Promise<Basis> {
    const { reader, cache, ownerCheck } = this.#parts;
    const match = reader.matchOf(record);
    if (match === undefined) {
      throw new WrongAnswerError('A verifier must answer with a record that its lookup gave it.');
    }
    const apiKey = apiKeyOf(record);
    const standing = cache.standingNow(record.id, record.version);
    const isNewest = standing === 'current';
    steps.push(step('version', isNewest ? 'pass' : 'fail', VERSION_DETAILS[isNewest ? 'current' : 'below']));
    if (standing === 'ended') return { reason: 'revoked', apiKey };
    if (!isNewest) return { fault: faultOf(new WrongAnswerError(VERSION_DETAILS.below)) };
    const needsOwner = ownerCheck !== undefined && record.enabled && record.revokedAt === undefined;
    const isActive = !needsOwner || (await ownerCheck(apiKey));
    const previous = found.previous ?? match.previous;
    return { facts: factsOf(record, { previous, expiresAt }, isActive), apiKey };
  }
}

const VERSION_DETAILS = {
  current: 'No newer version is known here.',
  below: 'A newer version is known here than the store answers with.',
};

/** As the authenticator has it: a fresh entry, else a miss that is remembered, else what was read, else an older entry. */
function deciding({ entry, isFresh, isMissing, mayBridge }: Held, read: Basis): Basis {
  const kept: Known | undefined = entry && { facts: entry, apiKey: entry.accepted.apiKey };
  if (kept !== undefined && isFresh) return kept;
  if (isMissing) return { reason: 'unknown' };
  const isBridged = 'fault' in read && read.fault.mayUseStale && mayBridge;
  return isBridged && kept !== undefined ? kept : read;
}

function cacheStep({ entry, isFresh, isMissing, mayBridge, ageMs, leftMs, standing }: Held): ExplanationStep {
  const age = Math.round(ageMs);
  if (entry === undefined) {
    if (!isMissing) return step('cache', 'info', 'It is not held, so the store decides.');
    const detail = `It is held as unknown since ${age} ms, and decided so for ${Math.round(leftMs)} ms more.`;
    return step('cache', 'fail', detail);
  }
  const held = `It is held with version ${entry.version}, read ${age} ms ago`;
  if (isFresh) return step('cache', 'pass', `${held}: this decides for up to ${Math.round(leftMs)} ms more.`);
  if (standing !== 'current') {
    return step('cache', 'info', `${held}, and may have changed since, so the store decides.`);
  }
  const bridge = mayBridge ? ', unless it fails' : '';
  return step('cache', 'info', `${held}, which is too long ago, so the store decides${bridge}.`);
}

/** A verifier says only that it found nothing; whether it asked, and was answered, tells more. */
function notTaken(name: string, asked: readonly ExplanationStep[]): readonly ExplanationStep[] {
  if (asked.length === 0) {
    const detail = `"${name}" refused it without asking the store. Of a JWT, its header, claims or signature are wrong.`;
    return [step('verifier', 'fail', detail)];
  }
  if (!asked.some(({ outcome }) => outcome === 'pass')) return [];
  const detail = `"${name}" did not take the record that was found: a wrong secret, another kind of key, or a text from before.`;
  return [step('verifier', 'fail', detail)];
}

function step(name: StepName, outcome: ExplanationStep['outcome'], detail: string): ExplanationStep {
  return { step: name, outcome, detail };
}

function frozen(explanation: Explanation): Explanation {
  for (const each of explanation.steps) Object.freeze(each);
  Object.freeze(explanation.steps);
  return Object.freeze(explanation);
}
