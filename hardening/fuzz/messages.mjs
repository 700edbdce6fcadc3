// What a store's watch may call its listener with: it can force reads, and neither let anybody in nor lock anybody out
// whom it does not name.
import { createApiKeys } from 'keystile';
import { describeThrown, falseAccept, falseRefusal, wrong } from './findings.mjs';
import { describeHostile, hostileValue } from './hostile-values.mjs';
import { CountingStore, eventShows, knownRecords, NOW, PREFIX, sha256, TEXTS } from './known-keys.mjs';

/**
 * @typedef {object} Message
 * @property {Readonly<Record<string, string | number | boolean>>} [says] - members as they are
 * @property {Readonly<Record<string, string | number>>} [strange] - members by the description of a hostile value
 * @property {string | number} [whole] - the description of what comes instead of a message
 * @property {number} [times]
 * @property {true} [again] - told once more by whoever is told of it
 */

/** Of the key that messages may name; nobody names the others. */
const NAMED_ID = '01900000-2222-7222-8222-222222222222';
const IDS = [
  NAMED_ID,
  'revoked',
  'unknown',
  '__proto__',
  'constructor',
  '',
  'x'.repeat(256),
  `${NAMED_ID} `,
  '\0',
  'ключ',
];
const VERSIONS = [0, 1, 2, 3, -1, 0.5, 2 ** 31, 2 ** 53 - 1, 2 ** 53];
const TYPES = ['narrowed', 'narrowed', 'narrowed', 'alive', 'lost', 'widened', '', 'NARROWED', '__proto__'];
/** Some of those that are told again and again. */
const TIMES = [2, 10, 100];

/** @returns {import('./fuzzer.mjs').Fuzzer} */
export function fuzzMessages() {
  /** @type {(message: any) => void} */
  let tell = () => undefined;
  let leaks = 0;
  class WatchedStore extends CountingStore {
    /** @param {(change: any) => void} onChange @override */
    watch(onChange) {
      tell = onChange;
      return Promise.resolve(() => Promise.resolve());
    }
  }
  const store = new WatchedStore(knownRecords(sha256));
  const apiKeys = createApiKeys({
    store,
    prefix: PREFIX,
    now: () => NOW,
    silence: ['no_pepper', 'memory_store_in_production', 'late_in_outage', 'late_without_watch'],
    onEvent: (event) => {
      if (eventShows(event)) leaks += 1;
    },
  });
  /** Whether the named key may be held back, as a change of it was told that the store does not show. */
  let isNamed = false;

  /** @param {readonly Message[]} messages */
  async function check(messages) {
    for (const message of messages) {
      isNamed ||= names(message);
      const problem = told(message);
      if (problem !== undefined) return problem;
    }
    return (await askedOfNamed()) ?? others();
  }

  async function askedOfNamed() {
    const before = store.lookups;
    const named = await asked(TEXTS.good);
    const mayBe = isNamed ? ['ok', 'revoked', 'temporarily_unavailable'] : ['ok'];
    if (!mayBe.includes(named)) return falseRefusal(`the named key is ${named}`);
    // Below the version that was told of, the read is repeated once.
    return store.lookups - before > 2 ? wrong(`${store.lookups - before} look-ups`) : undefined;
  }

  async function others() {
    const revoked = await asked(TEXTS.revoked);
    if (revoked !== 'revoked') return falseAccept(`a revoked key is ${revoked}`);
    if (leaks > 0) return wrong('an event holds the marker');
    const [early, bystander] = [await asked(TEXTS.early), await asked(TEXTS.expired)];
    if (early !== 'not_yet_valid' || bystander !== 'expired')
      return wrong(`keys that nobody named are ${early} and ${bystander}`);
    return undefined;
  }

  /** @param {Message} message */
  function told({ says = {}, strange = {}, whole, times = 1, again }) {
    try {
      const members = Object.entries(strange).map(([name, value]) => [name, hostileValue(value)]);
      const message = whole === undefined ? { ...says, ...Object.fromEntries(members) } : hostileValue(whole);
      for (let time = 0; time < times; time += 1) {
        tell(again && message instanceof Object ? retold(message, tell) : message);
      }
      return undefined;
    } catch (error) {
      return wrong(`the listener throws ${describeThrown(error)}`);
    }
  }

  /** @param {string} text */
  async function asked(text) {
    try {
      const verdict = await apiKeys.verify(text);
      return verdict.ok ? 'ok' : verdict.reason;
    } catch (error) {
      return /** @type {any} */ (error).code ?? describeThrown(error);
    }
  }

  return {
    name: 'watch messages',
    make: (choose) => Array.from({ length: 1 + choose.below(3) }, () => makeMessage(choose)),
    check,
    control: async () =>
      (await asked(TEXTS.foreign)) === 'malformed' ? undefined : wrong('a strange text is not malformed'),
    close: () => apiKeys.close(),
  };
}

/** @param {import('./choices.mjs').Choices} choose @returns {Message} */
function makeMessage(choose) {
  if (choose.chance(0.1)) return { whole: describeHostile(choose) };
  const says = {
    type: choose.pick(TYPES),
    id: choose.chance(0.9) ? choose.pick(IDS) : choose.text(1 + choose.below(40)),
    version: choose.pick(VERSIONS),
    ended: choose.chance(0.5),
  };
  /** @type {Record<string, string | number>} */
  const strange = {};
  if (choose.chance(0.3))
    strange[choose.pick(['type', 'id', 'version', 'ended', 'extra'])] = describeHostile(choose);
  const times = choose.chance(0.01) ? { times: choose.pick(TIMES) } : undefined;
  const again = choose.chance(0.02) ? { again: /** @type {const} */ (true) } : undefined;
  return { says, strange, ...times, ...again };
}

/** Tells of something else while it is looked at. @param {object} message @param {(message: unknown) => void} tell */
function retold(message, tell) {
  return new Proxy(message, {
    get(target, name) {
      tell({ type: 'lost' });
      return Reflect.get(target, name);
    },
  });
}

/** @param {Message} message */
function names({ says, strange = {}, whole }) {
  if (whole !== undefined || says === undefined || says['type'] !== 'narrowed' || 'type' in strange)
    return false;
  return says['id'] === NAMED_ID && !('id' in strange);
}
