// JWTs: good ones that were changed after they were signed, and strange ones that a trusted key has signed.
import { createApiKeys, keyRecord } from 'keystile';
import { jwtKeys } from 'keystile/jwt';
import { describeThrown, falseAccept, falseRefusal, MARKER, wrong } from './findings.mjs';
import { CountingStore, eventShows, HOUR_MS, NOW } from './known-keys.mjs';
import { edited, makeTextEdits } from './text-edits.mjs';
import { makeClaims, makeHeader, mayBeAccepted } from './token-claims.mjs';
import {
  AUDIENCE,
  createTokenMaker,
  encoded,
  headerOf,
  ISSUER,
  KEY_IDS,
  LONGEST_MS,
  negated,
} from './token-maker.mjs';

/**
 * @typedef {object} TokenInput
 * @property {string} [of] - a token from before, by name
 * @property {{ header: string, payload: string, by: string }} [signed] - or one that is signed now
 * @property {readonly (readonly [how: string, part: number, more?: any])[]} [changes] - of the token's parts
 * @property {readonly import('./text-edits.mjs').TextEdit[]} [edits] - of its text
 */

/** A signature takes a hundred times as long as all else, so few are made anew. */
const SIGNED_SHARE = 0.03;

/** @returns {import('./fuzzer.mjs').Fuzzer} */
export function fuzzTokens() {
  const maker = createTokenMaker();
  const tokens = knownTokens(maker);
  const outcomes = outcomesOf(tokens);
  const store = new CountingStore(tokenRecords());
  let accepted = 0;
  let leaks = 0;
  const apiKeys = createApiKeys({
    store,
    now: () => NOW,
    verifiers: [
      jwtKeys({
        issuer: ISSUER,
        audience: AUDIENCE,
        maxLifetimeMs: LONGEST_MS,
        keys: /** @type {any} */ (maker.keys),
      }),
    ],
    silence: ['no_pepper', 'memory_store_in_production', 'late_in_outage', 'late_without_watch'],
    cache: { ttlMs: HOUR_MS },
    onEvent: (event) => {
      if (eventShows(event)) leaks += 1;
    },
  });

  /** @param {TokenInput} input */
  function build({ of, signed, changes = [], edits = [] }) {
    const token =
      signed === undefined ? tokens.get(of ?? '') : maker.token(signed.header, signed.payload, signed.by);
    const text = edited(changed(token ?? '', changes, tokens), edits);
    const expected =
      outcomes.get(text) ??
      (text === token && signed !== undefined ? expectedOf(signed) : 'refused by itself');
    return { text, expected };
  }

  /** @type {WeakMap<TokenInput, ReturnType<typeof build>>} so that an input that seems slow is timed without its making */
  const built = new WeakMap();

  /** @param {TokenInput} input */
  async function check(input) {
    const { text, expected } = built.get(input) ?? build(input);
    built.set(input, { text, expected });
    const before = store.lookups;
    const verdict = await settled(apiKeys, text);
    if (verdict instanceof Error) return wrong(verdict.message);
    if (verdict.ok) accepted += 1;
    if (leaks > 0 || JSON.stringify(verdict).includes(MARKER)) return wrong('the marker comes out');
    return judge(verdict, expected, store.lookups - before);
  }

  return {
    name: 'JWTs',
    make: (choose) => make(choose, [...tokens.keys()]),
    check,
    async control() {
      for (const id of KEY_IDS) {
        const finding = await check({ of: `good ${id}` });
        if (finding !== undefined) return finding;
      }
      return check({
        signed: { header: JSON.stringify(headerOf('k1')), payload: JSON.stringify(claims('good')), by: 'k1' },
      });
    },
    details: () => `${accepted} accepted`,
    close: () => apiKeys.close(),
  };
}

/** @param {string} id */
function claims(id) {
  const iat = NOW / 1_000;
  return { iss: ISSUER, aud: AUDIENCE, sub: id, jti: id, iat, exp: iat + 3_600 };
}

function tokenRecords() {
  const states = { good: {}, revoked: { revokedAt: new Date(NOW - 1) }, later: {} };
  return Object.entries(states).map(([id, state]) => {
    const iat = NOW / 1_000 + (id === 'later' ? 3_600 : 0);
    return keyRecord({
      id,
      kind: 'jwt',
      digest: `jwt:${id}:${iat}`,
      organization: { id: 'org_1' },
      ...state,
    });
  });
}

/** @param {ReturnType<typeof createTokenMaker>} maker */
function knownTokens(maker) {
  /** @type {Map<string, string>} */
  const tokens = new Map();
  for (const id of KEY_IDS) {
    const header = JSON.stringify(headerOf(id));
    tokens.set(`good ${id}`, maker.token(header, JSON.stringify(claims('good')), id));
    for (const name of ['revoked', 'later', 'unknown']) {
      tokens.set(`${name} ${id}`, maker.token(header, JSON.stringify(claims(name)), id));
    }
  }
  return tokens;
}

/**
 * Of an ES256 signature its holder can make a second one, `(r, n - s)`: it is as good, and nothing hangs on which of the
 * two it is.
 *
 * @param {ReadonlyMap<string, string>} tokens
 */
function outcomesOf(tokens) {
  /** @type {Map<string, string>} */
  const outcomes = new Map();
  for (const [name, token] of tokens) {
    const outcome = name.startsWith('good') ? 'ok' : 'refused by its record';
    outcomes.set(token, outcome);
    if (name.endsWith('k1')) outcomes.set(negated(token), outcome);
  }
  return outcomes;
}

/** @param {NonNullable<TokenInput['signed']>} signed */
function expectedOf(signed) {
  if (mayBeAccepted(signed, NOW)) return 'ok';
  return KEY_IDS.some((id) => id === signed.by) ? 'refused by its record' : 'refused by itself';
}

/** @param {import('./choices.mjs').Choices} choose @param {readonly string[]} names @returns {TokenInput} */
function make(choose, names) {
  const edits = choose.chance(0.6) ? makeTextEdits(choose) : [];
  if (choose.chance(SIGNED_SHARE)) {
    const id = choose.chance(0.9) ? choose.pick(['k1', 'k2']) : 'k3';
    const by = choose.chance(0.7)
      ? id
      : choose.pick(['k1', 'k2', 'k3', 'evil-k1', 'evil-k2', 'public', 'secret', 'none']);
    const signed = { header: makeHeader(choose, id), payload: makeClaims(choose, claims('good')), by };
    return choose.chance(0.8) ? { signed } : { signed, edits };
  }
  const of = choose.chance(0.7) ? `good ${choose.pick(KEY_IDS)}` : choose.pick(names);
  const changes = choose.chance(0.85) ? [makeChange(choose, names)] : [];
  return { of, changes, edits };
}

const SPELLINGS = ['=', '==', ' ', '\n', '%3D', '\t', '.', '\u00ad'];

/** @param {import('./choices.mjs').Choices} choose @param {readonly string[]} names */
function makeChange(choose, names) {
  const part = choose.below(3);
  const how = choose.pick([
    'edit',
    'after',
    'double',
    'drop',
    'json',
    'take',
    'negate',
    'plain',
    'last',
    'order',
    'huge',
  ]);
  /** @type {Readonly<Record<string, () => unknown>>} */
  const more = {
    edit: () => makeTextEdits(choose),
    after: () => choose.pick(SPELLINGS),
    last: () => choose.text(1, 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'),
    take: () => choose.pick(names),
    json: () => (part === 0 ? makeHeader(choose, choose.pick(KEY_IDS)) : makeClaims(choose, claims('good'))),
    huge: () => choose.pick([8_000, 8_192, 8_400, 20_000]),
  };
  const value = more[how]?.();
  return value === undefined ? /** @type {const} */ ([how, part]) : /** @type {const} */ ([how, part, value]);
}

/** @type {Readonly<Record<string, (parts: string[], at: number, more: any, tokens: ReadonlyMap<string, string>) => string[]>>} */
const CHANGES = {
  edit: (parts, at, more) => parts.with(at, edited(parts[at] ?? '', more)),
  after: (parts, at, more) => parts.with(at, parts[at] + more),
  last: (parts, at, more) => parts.with(at, (parts[at] ?? '').slice(0, -1) + more),
  double: (parts, at) => parts.toSpliced(at, 0, parts[at] ?? ''),
  drop: (parts, at) => parts.toSpliced(at, 1),
  json: (parts, at, more) => parts.with(at, encoded(more)),
  take: (parts, at, more, tokens) => parts.with(at, tokens.get(more)?.split('.')[at] ?? ''),
  negate: (parts) => negated(parts.join('.')).split('.'),
  plain: (parts, at) => parts.with(at, (parts[at] ?? '').replaceAll('-', '+').replaceAll('_', '/')),
  order: (parts, at) => [...parts.slice(at), ...parts.slice(0, at)],
  huge: (parts, at, more) => parts.with(at, (parts[at] ?? '').padEnd(more, 'A')),
};

/** @param {string} token @param {NonNullable<TokenInput['changes']>} changes @param {ReadonlyMap<string, string>} tokens */
function changed(token, changes, tokens) {
  let parts = token.split('.');
  for (const [how, part, more] of changes)
    parts = CHANGES[how]?.(parts, Math.min(part, parts.length - 1), more, tokens) ?? parts;
  return parts.join('.');
}

/** @param {import('keystile').Verdict} verdict @param {string} expected @param {number} lookups */
function judge(verdict, expected, lookups) {
  if (lookups > (expected === 'refused by itself' ? 0 : 1))
    return wrong(`${lookups} look-ups for a token ${expected}`);
  if (verdict.ok) return expected === 'ok' ? undefined : falseAccept(`is ok and ought to be ${expected}`);
  return expected === 'ok' ? falseRefusal(`is ${verdict.reason} and ought to be ok`) : undefined;
}

/** @param {import('keystile').ApiKeys} apiKeys @param {string} text */
async function settled(apiKeys, text) {
  try {
    return await apiKeys.verify(text);
  } catch (error) {
    return new Error(`verify() fails: ${describeThrown(error)}`);
  }
}
