// Key texts: good ones, changed, through verify() and verifyPair(), with and without a pepper.
import { createApiKeys, foreignKeys, keyPairs } from 'keystile';
import { withChecksum } from '../base62.mjs';
import { describeThrown, falseAccept, falseRefusal, MARKER, wrong } from './findings.mjs';
import {
  CountingStore,
  eventShows,
  FOREIGN_SHAPE,
  HOUR_MS,
  knownRecords,
  NOW,
  OUTCOMES,
  outcomeOf,
  PEPPER,
  PREFIX,
  peppered,
  sha256,
  TEXTS,
} from './known-keys.mjs';
import { shows } from './process-watch.mjs';
import { edited, makeTextEdits } from './text-edits.mjs';

/**
 * @typedef {object} KeyInput
 * @property {'plain' | 'peppered'} keys
 * @property {string} of - one of the known texts, or `''`
 * @property {readonly import('./text-edits.mjs').TextEdit[]} edits
 * @property {string} [text] - instead of a known text
 * @property {true} [mended] - with the checksum of what came of it
 * @property {true} [pair] - through verifyPair(), parted at the last dot
 */

const NAMES = Object.keys(TEXTS);
/** More of the error than its text is looked at once in so many. */
const INSPECT_EVERY = 16;

/** @returns {import('./fuzzer.mjs').Fuzzer} */
export function fuzzKeys() {
  const worlds = { plain: openWorld(sha256), peppered: openWorld(peppered) };
  let accepted = 0;

  /** @param {KeyInput} input */
  async function check(input) {
    const world = worlds[input.keys];
    const text = textOf(input);
    const outcome = input.pair ? pairOutcomeOf(text) : outcomeOf(text);
    const [id, secret] = parted(text);
    const before = world.store.lookups;
    const answer = await settled(() =>
      input.pair ? world.apiKeys.verifyPair(id, secret) : world.apiKeys.verify(text),
    );
    if (answer.verdict?.ok) accepted += 1;
    return judge(answer, outcome, world.store.lookups - before) ?? world.leak();
  }

  return {
    name: 'keys',
    make,
    check,
    async control() {
      for (const input of CONTROLS) {
        const finding = await check(input);
        if (finding !== undefined) return finding;
      }
      return undefined;
    },
    details: () => `${accepted} accepted`,
    async close() {
      await worlds.plain.apiKeys.close();
      await worlds.peppered.apiKeys.close();
    },
  };
}

/** A pair as one text and in two parts, as each is known apart. @type {KeyInput[]} */
const CONTROLS = ['good', 'pair', 'foreign'].flatMap((of) => [
  { keys: 'plain', of, edits: [] },
  { keys: 'peppered', of, edits: [] },
]);
for (const keys of /** @type {const} */ (['plain', 'peppered']))
  CONTROLS.push({ keys, of: 'pair', edits: [], pair: true });

/** @param {(text: string) => string} digestOf */
function openWorld(digestOf) {
  const store = new CountingStore(knownRecords(digestOf));
  let leaks = 0;
  const apiKeys = createApiKeys({
    store,
    prefix: PREFIX,
    now: () => NOW,
    peppers: digestOf === peppered ? [PEPPER] : [],
    silence: ['no_pepper', 'memory_store_in_production', 'late_in_outage', 'late_without_watch'],
    verifiers: [keyPairs(), oldKeys()],
    // Right pairs stay known for the whole run: wrong secrets for their ids are soon too many.
    cache: { ttlMs: HOUR_MS },
    onEvent: (event) => {
      if (eventShows(event)) leaks += 1;
    },
  });
  const leak = () => (leaks > 0 ? wrong('an event holds the marker') : undefined);
  return { store, apiKeys, leak };
}

export function oldKeys() {
  return foreignKeys({
    name: 'old',
    matches: FOREIGN_SHAPE,
    examples: [`old|${'0'.repeat(32)}`],
    characters: '|',
    digests: () => [],
  });
}

/** @param {import('./choices.mjs').Choices} choose @returns {KeyInput} */
function make(choose) {
  const keys = choose.pick(/** @type {const} */ (['plain', 'peppered']));
  const pair = choose.chance(0.2) ? { pair: /** @type {const} */ (true) } : undefined;
  if (choose.chance(0.05)) return { keys, of: '', edits: [], text: strangeText(choose), ...pair };
  const of = choose.pick(NAMES);
  const edits = choose.chance(0.1) ? [] : makeTextEdits(choose);
  const mended = choose.chance(0.3) ? { mended: /** @type {const} */ (true) } : undefined;
  return { keys, of, edits, ...mended, ...pair };
}

/** @param {import('./choices.mjs').Choices} choose */
function strangeText(choose) {
  const length = choose.pick([0, 1, 6, 44, 48, 300, 512, 513, 8_192, 9_000]);
  const alphabet = choose.pick([
    ['_', '.', 'a', 'A', '0'],
    Array.from({ length: 4 }, () => choose.odd()),
    ['\u{1f4a5}'],
  ]);
  return choose.text(length, alphabet);
}

/** @param {KeyInput} input */
function textOf({ of, edits, text, mended }) {
  const made = edited(text ?? TEXTS[/** @type {import('./known-keys.mjs').KnownText} */ (of)], edits);
  return mended ? withChecksum(made.slice(0, -6)) : made;
}

/** @param {string} text @returns {[string, string]} */
function parted(text) {
  const dot = text.lastIndexOf('.');
  return [text.slice(0, Math.max(0, dot)), text.slice(dot + 1)];
}

/** Imported pairs may be of any visible characters, so their shape says little. @param {string} text */
function pairOutcomeOf(text) {
  for (const name of /** @type {const} */ (['pair', 'revokedPair']))
    if (text === TEXTS[name]) return OUTCOMES[name];
  const areVisible = parted(text).every((part) => /^[\x21-\x7E]{1,255}$/.test(part));
  return areVisible ? 'unknown' : 'malformed';
}

/** @typedef {{ verdict?: import('keystile').Verdict, thrown?: unknown }} Answer */

/** @param {() => import('keystile').Verdict | Promise<import('keystile').Verdict>} ask @returns {Promise<Answer>} */
async function settled(ask) {
  try {
    const pending = ask();
    // That it is answered by a rejection and never by a throw is promised.
    return await Promise.resolve(pending).then(
      (verdict) => ({ verdict }),
      (error) =>
        error?.code === 'rate_limited' ? { thrown: error } : { thrown: new Error(describeThrown(error)) },
    );
  } catch (error) {
    return { thrown: new Error(`it throws: ${describeThrown(error)}`) };
  }
}

let judged = 0;

/** @param {Answer} answer @param {string} expected @param {number} lookups */
function judge({ verdict, thrown }, expected, lookups) {
  if (verdict === undefined) return judgeThrown(thrown, expected);
  const found = verdict.ok ? 'ok' : verdict.reason;
  if (found !== expected) {
    const text = `is ${found} and ought to be ${expected}`;
    if (verdict.ok) return falseAccept(text);
    return expected === 'ok' ? falseRefusal(text) : wrong(text);
  }
  const most = expected === 'malformed' || expected === 'wrong_environment' ? 0 : 1;
  if (lookups > most) return wrong(`${lookups} look-ups for ${expected}`);
  judged += 1;
  const isShown = judged % INSPECT_EVERY === 0 ? shows(verdict) : JSON.stringify(verdict).includes(MARKER);
  return isShown ? wrong('the verdict holds the marker') : undefined;
}

/** Too many wrong secrets of one id are told apart; nothing else may be thrown, as this store never fails. */
/** @param {any} thrown @param {string} expected */
function judgeThrown(thrown, expected) {
  const isLimited = thrown?.code === 'rate_limited' && thrown.status === 429;
  if (!isLimited) return wrong(`verify() fails: ${thrown?.message}`);
  if (expected === 'ok') return falseRefusal('a good pair is limited');
  if (expected !== 'unknown' && expected !== 'revoked') return wrong(`${expected} is limited`);
  return shows(thrown) ? wrong('the error holds the marker') : undefined;
}
