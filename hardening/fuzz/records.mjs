// Records that a store ought never to answer with: none may let anybody in, and each is a fault or a refusal.
import { createApiKeys } from 'keystile';
import { describeThrown, falseAccept, falseRefusal, MARKER, wrong } from './findings.mjs';
import { describeHostile } from './hostile-values.mjs';
import { NOW, PREFIX, sha256, TEXTS } from './known-keys.mjs';
import { shows } from './process-watch.mjs';
import { goodRecord, makeRecordInput, mayBeGood, recordOf } from './record-edits.mjs';

/** @typedef {import('./record-edits.mjs').RecordInput} RecordInput */

const DIGEST = sha256(TEXTS.good);
const INSPECT_EVERY = 16;
const VIEW = [
  ...[
    'id',
    'kind',
    'name',
    'environment',
    'start',
    'end',
    'organization',
    'owner',
    'scopes',
    'enabled',
    'version',
  ],
  ...[
    'createdAt',
    'createdBy',
    'updatedAt',
    'lastUsedAt',
    'expiresAt',
    'notBefore',
    'revokedAt',
    'revocationReason',
  ],
  ...['rotatedAt', 'grace', 'metadata'],
];

/** @returns {import('./fuzzer.mjs').Fuzzer} */
export function fuzzRecords() {
  /** @type {RecordInput | undefined} */
  let current;
  let lookups = 0;
  let inspected = 0;
  const counts = { accepted: 0, refused: 0, faults: 0 };
  let eventShown = false;
  const store = {
    /** @returns {any} */
    findByDigest() {
      lookups += 1;
      if (current === undefined) return goodRecord();
      if (current.fails === undefined) return recordOf(current);
      const fault = new Error(`no answer to ${DIGEST} for ${TEXTS.good}`, { cause: recordOf(current) });
      if (current.fails === 'reject') return Promise.reject(fault);
      throw fault;
    },
  };
  const apiKeys = createApiKeys({
    store,
    prefix: PREFIX,
    now: () => NOW,
    // Nothing is remembered, so that each record is read.
    cache: false,
    // Some answers never come, such as that of a record with a `then` of its own.
    storeTimeoutMs: 300,
    silence: ['no_pepper', 'memory_store_in_production', 'late_in_outage', 'late_without_watch'],
    onEvent: (event) => {
      inspected += 1;
      const isClose = inspected % INSPECT_EVERY === 0;
      if ('error' in event && (isClose ? shows(event.error) : quotesSecret(event.error))) eventShown = true;
    },
  });

  /** @param {RecordInput} input */
  async function check(input) {
    const mayPass = mayBeGood(input);
    current = input;
    lookups = 0;
    eventShown = false;
    const { verdict, thrown } = await settled(apiKeys);
    current = undefined;
    const asked = lookups;
    // A good answer in between, or the store would be left alone after a few bad ones.
    const control = verdict?.ok ? undefined : await good();
    count(verdict);
    if (asked > 1) return wrong(`${asked} look-ups`);
    if (eventShown) return wrong('an event holds a secret');
    return judge(verdict, thrown, mayPass) ?? control;
  }

  async function good() {
    const { verdict, thrown } = await settled(apiKeys);
    return verdict?.ok
      ? undefined
      : falseRefusal(`a good record is not taken: ${verdict?.reason ?? describeThrown(thrown)}`);
  }

  /** @param {any} verdict */
  function count(verdict) {
    if (verdict === undefined) counts.faults += 1;
    else counts[verdict.ok ? 'accepted' : 'refused'] += 1;
  }

  return {
    name: 'records',
    make: (choose) => makeRecordInput(choose, describeHostile),
    check,
    control: good,
    details: () =>
      Object.entries(counts)
        .map(([what, times]) => `${what} ${times}`)
        .join(', '),
    close: () => apiKeys.close(),
  };
}

/** @param {import('keystile').ApiKeys} apiKeys @returns {Promise<{ verdict?: any, thrown?: any }>} */
async function settled(apiKeys) {
  try {
    return { verdict: await apiKeys.verify(TEXTS.good) };
  } catch (thrown) {
    return { thrown };
  }
}

/** @param {any} verdict @param {any} thrown @param {boolean} mayPass */
function judge(verdict, thrown, mayPass) {
  if (verdict === undefined) {
    if (thrown?.code !== 'temporarily_unavailable' || thrown.status !== 503) {
      return wrong(`verify() fails otherwise than it may: ${describeThrown(thrown)}`);
    }
    return quotesSecret(thrown) || shows(thrown) ? wrong('the error holds a secret') : undefined;
  }
  if (verdict.ok && !mayPass) return falseAccept('a record is taken that no reader may take');
  const strange = Object.keys(verdict.apiKey ?? {}).filter((name) => !VIEW.includes(name));
  if (strange.length > 0) return wrong(`the view of a key has ${strange.join(', ')}`);
  if (verdict.apiKey !== undefined && !Object.isFrozen(verdict.apiKey))
    return wrong('the view of a key is not frozen');
  return verdict.apiKey !== undefined && JSON.stringify(verdict).includes(DIGEST)
    ? wrong('the verdict holds the digest')
    : undefined;
}

/** What a logger would print of it first. @param {any} error */
function quotesSecret(error) {
  const text = `${error?.message}${error?.stack}${error?.cause?.message}`;
  return text.includes(MARKER) || text.includes(DIGEST.slice(7));
}
