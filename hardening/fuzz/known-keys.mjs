// Keys of each kind and state, whose texts hold the marker, in a store that counts its calls.
import { createHash, createHmac } from 'node:crypto';
import { keyRecord, MemoryKeyStore } from 'keystile';
import { withChecksum } from '../base62.mjs';
import { MARKER } from './findings.mjs';

export const PREFIX = 'acme';
export const PEPPER = { id: 'p1', secret: `${MARKER}-pepper-${'x'.repeat(40)}` };
/** The time of all clocks here, so that what failed can be had again on another day. */
export const NOW = Date.UTC(2026, 0, 1);
/** The longest that a cache keeps anything. */
export const HOUR_MS = 3_600_000;

/** Of other keys, which are not ours: the mark between is none that a header may hold without being told so. */
export const FOREIGN_SHAPE = /^old\|[0-9A-Za-z]{32}$/;
export const PAIR_SHAPE =
  /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\.[0-9A-Za-z]{43}$/;

/** @param {string} start @param {string} letter */
function keyText(start, letter) {
  return withChecksum(`${start}${letter.repeat(12)}${MARKER}${letter.repeat(14)}`);
}

/** @param {string} letter */
const pairId = (letter) => `0190${letter.repeat(4)}-1111-7111-8111-1111111111${letter}${letter}`;
/** @param {string} letter */
const pairSecret = (letter) => `${letter.repeat(20)}${MARKER}${letter.repeat(17)}`;

/** By name: what is presented. Of a pair, id and secret as one text. */
export const TEXTS = {
  good: keyText(`${PREFIX}_live_`, 'a'),
  revoked: keyText(`${PREFIX}_live_`, 'b'),
  expired: keyText(`${PREFIX}_live_`, 'c'),
  disabled: keyText(`${PREFIX}_live_`, 'd'),
  early: keyText(`${PREFIX}_live_`, 'e'),
  test: keyText(`${PREFIX}_test_`, 'f'),
  unknown: keyText(`${PREFIX}_live_`, 'g'),
  otherPrefix: keyText('acmf_live_', 'h'),
  pair: `${pairId('a')}.${pairSecret('i')}`,
  revokedPair: `${pairId('b')}.${pairSecret('j')}`,
  unknownPair: `${pairId('c')}.${pairSecret('k')}`,
  foreign: `old|${'m'.repeat(13)}${MARKER}${'n'.repeat(13)}`,
  unknownForeign: `old|${'o'.repeat(13)}${MARKER}${'p'.repeat(13)}`,
};

/** @typedef {keyof typeof TEXTS} KnownText */

/** What verify() answers of each of those: `'ok'` or a reason. @type {Readonly<Record<KnownText, string>>} */
export const OUTCOMES = {
  good: 'ok',
  revoked: 'revoked',
  expired: 'expired',
  disabled: 'disabled',
  early: 'not_yet_valid',
  test: 'wrong_environment',
  unknown: 'unknown',
  otherPrefix: 'malformed',
  pair: 'ok',
  revokedPair: 'revoked',
  unknownPair: 'unknown',
  foreign: 'ok',
  unknownForeign: 'unknown',
};

const KNOWN = new Map(
  Object.entries(TEXTS).map(([name, text]) => [text, OUTCOMES[/** @type {KnownText} */ (name)]]),
);

/** What verify() has to answer of a text where it reads these keys, by a second reading of the rules. @param {string} text */
export function outcomeOf(text) {
  return KNOWN.get(text) ?? reasonOf(text);
}

/** @param {string} text */
function reasonOf(text) {
  const [, environment] = /^acme_(live|test)_[0-9A-Za-z]{38}$/.exec(text) ?? [];
  if (environment !== undefined) {
    if (withChecksum(text.slice(0, -6)) !== text) return 'malformed';
    return environment === 'live' ? 'unknown' : 'wrong_environment';
  }
  return PAIR_SHAPE.test(text) || FOREIGN_SHAPE.test(text) ? 'unknown' : 'malformed';
}

/** @param {string} text */
export const sha256 = (text) => `sha256:${createHash('sha256').update(text).digest('base64url')}`;

/** @param {string} text */
export const peppered = (text) =>
  `hmac-sha256:${PEPPER.id}:${createHmac('sha256', PEPPER.secret).update(text).digest('base64url')}`;

/** @param {(text: string) => string} digestOf */
export function knownRecords(digestOf) {
  /** @type {Readonly<Record<string, object>>} */
  const states = {
    revoked: { revokedAt: new Date(NOW - 1) },
    revokedPair: { revokedAt: new Date(NOW - 1) },
    expired: { expiresAt: new Date(NOW) },
    disabled: { enabled: false },
    early: { notBefore: new Date(NOW + 1) },
    test: { environment: 'test' },
  };
  return Object.entries(TEXTS)
    .filter(([name]) => !/^unknown|^otherPrefix/.test(name))
    .map(([name, text]) => {
      const common = { name, organization: { id: 'org_1' }, scopes: ['ie_model'], ...states[name] };
      const [id, secret] = text.split('.');
      return secret === undefined
        ? keyRecord({ ...common, id: KEY_IDS[name] ?? name, digest: digestOf(text) })
        : keyRecord({ ...common, id, kind: 'pair', digest: digestOf(`${id}:${secret}`) });
    });
}

/** One vendor's ids are all UUIDs. @type {Readonly<Record<string, string>>} */
const KEY_IDS = { good: '01900000-2222-7222-8222-222222222222' };

export class CountingStore extends MemoryKeyStore {
  lookups = 0;

  /** @param {readonly string[]} digests @override */
  findByDigest(digests) {
    this.lookups += 1;
    return super.findByDigest(digests);
  }

  /** @param {string} id @override */
  findById(id) {
    this.lookups += 1;
    return super.findById(id);
  }
}

/** Whether an event holds the marker. Most are of plain texts, and there are very many. @param {object} event */
export function eventShows(event) {
  for (const value of Object.values(event)) {
    if (typeof value === 'string' && value.includes(MARKER)) return true;
    if (
      value instanceof Object &&
      JSON.stringify([value, value.message, value.stack, value.cause])?.includes(MARKER)
    )
      return true;
  }
  return false;
}
