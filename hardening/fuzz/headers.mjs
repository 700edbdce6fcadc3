// Header lines through the middleware, in process: nothing stands between what is made here and what reads it.
import { apiKeyAuth, createApiKeys, keyPairs } from 'keystile';
import { describeThrown, falseAccept, falseRefusal, MARKER, wrong } from './findings.mjs';
import { expectedOf, makeHeaderLines } from './header-lines.mjs';
import { oldKeys } from './keys.mjs';
import { codeOf } from './known-answers.mjs';
import {
  CountingStore,
  eventShows,
  HOUR_MS,
  knownRecords,
  NOW,
  PREFIX,
  sha256,
  TEXTS,
} from './known-keys.mjs';
import { requestOf, responseTo } from './plain-exchange.mjs';

/** @typedef {import('./plain-exchange.mjs').PlainAnswer} PlainAnswer */

const PASSED = 'passed';

export function openHeaderKeys() {
  const store = new CountingStore(knownRecords(sha256));
  const seen = { leaks: 0 };
  const apiKeys = createApiKeys({
    store,
    prefix: PREFIX,
    now: () => NOW,
    verifiers: [keyPairs(), oldKeys()],
    silence: ['no_pepper', 'memory_store_in_production', 'late_in_outage', 'late_without_watch'],
    cache: { ttlMs: HOUR_MS },
    onEvent: (event) => {
      if (eventShows(event)) seen.leaks += 1;
    },
  });
  return { store, apiKeys, seen };
}

/** @returns {import('./fuzzer.mjs').Fuzzer} */
export function fuzzHeaders() {
  const { store, apiKeys, seen } = openHeaderKeys();
  const auth = apiKeyAuth(apiKeys);
  /** @type {Map<string, number>} */
  const tally = new Map();

  /** @param {string[]} lines */
  function check(lines) {
    const expected = expectedOf(lines);
    tally.set(expected, (tally.get(expected) ?? 0) + 1);
    const before = store.lookups;
    const answer = asked(auth, lines);
    if (!(answer instanceof Object) || !('then' in answer))
      return judged(answer, expected, store.lookups - before);
    return answer.then((late) => judged(late, expected, store.lookups - before));
  }

  /** @param {typeof PASSED | PlainAnswer | Error} answer @param {string} expected @param {number} lookups */
  function judged(answer, expected, lookups) {
    if (lookups > (expected === 'ok' || expected === 'invalid_token' ? 1 : 0))
      return wrong(`${lookups} look-ups`);
    if (seen.leaks > 0) return wrong('an event holds the marker');
    return judge(answer, expected);
  }

  return {
    name: 'headers',
    make: makeHeaderLines,
    check,
    async control() {
      for (const text of [TEXTS.good, TEXTS.pair, TEXTS.foreign]) {
        const finding =
          (await check(['Authorization', `Bearer ${text}`])) ?? (await check(['X-API-Key', text]));
        if (finding !== undefined) return finding;
      }
      return undefined;
    },
    details: () => [...tally].map(([code, count]) => `${code} ${count.toLocaleString('en')}`).join(', '),
    close: () => apiKeys.close(),
  };
}

/**
 * @param {import('express').RequestHandler} auth
 * @param {string[]} lines
 * @returns {typeof PASSED | PlainAnswer | Error | Promise<typeof PASSED | PlainAnswer>}
 */
function asked(auth, lines) {
  /** @type {typeof PASSED | PlainAnswer | undefined} */
  let answer;
  /** @type {((answer: typeof PASSED | PlainAnswer) => void) | undefined} */
  let tell;
  const settle = (/** @type {typeof PASSED | PlainAnswer} */ found) => {
    answer = found;
    tell?.(found);
  };
  const req = requestOf({ lines });
  try {
    auth(req, responseTo(req, settle), (error) => settle(error === undefined ? PASSED : notAllowed(error)));
  } catch (error) {
    return new Error(describeThrown(error));
  }
  return (
    answer ??
    new Promise((resolve) => {
      tell = resolve;
    })
  );
}

/** @param {unknown} error @returns {PlainAnswer} */
const notAllowed = (error) => ({ status: 0, body: `next(${describeThrown(error)})`, headers: {} });

/** @param {typeof PASSED | PlainAnswer | Error} answer @param {string} expected */
function judge(answer, expected) {
  if (answer instanceof Error) return wrong(`it throws ${answer.message}`);
  if (answer === PASSED)
    return expected === 'ok' ? undefined : falseAccept(`passes and ought to be ${expected}`);
  const { status, body, headers } = answer;
  const code = codeOf({ status, body, challenges: headers['www-authenticate']?.length ?? 0 });
  if (body.includes(MARKER) || Object.values(headers).join().includes(MARKER))
    return wrong('the answer holds the marker');
  if (code === expected) return undefined;
  // Wrong secrets for the id of one pair are counted here too.
  if (code === 'rate_limited' && expected === 'invalid_token') return undefined;
  const text = `is answered ${status} ${body} and ought to be ${expected}`;
  return expected === 'ok' ? falseRefusal(text) : wrong(text);
}
