// Headers and payloads of JWTs as raw JSON, and which of them a reader may take.
import { MARKER } from './findings.mjs';
import { AUDIENCE, headerOf, ISSUER, LONGEST_MS } from './token-maker.mjs';

/** @typedef {import('./choices.mjs').Choices} Choices */

const VALUES = [
  ...[
    'null',
    'true',
    'false',
    '0',
    '-1',
    '1',
    '1.5',
    '1e3',
    '1e400',
    '-0',
    '9007199254740993',
    '8640000000001',
  ],
  ...[
    '""',
    '" "',
    '"0"',
    '[]',
    '{}',
    '[[]]',
    '{"a":1}',
    '["x"]',
    '"\\u0000"',
    '"\\ud800"',
    '"good"',
    '"__proto__"',
  ],
  `"${MARKER}"`,
  `"${'x'.repeat(300)}"`,
  `"${'9'.repeat(400)}"`,
  `${'['.repeat(60)}${']'.repeat(60)}`,
  JSON.stringify([AUDIENCE, 'https://evil.example']),
  JSON.stringify([AUDIENCE]),
  JSON.stringify([ISSUER]),
];
const HEADER_EXTRAS = [
  '"crit":["b64"]',
  '"crit":["exp"]',
  '"crit":[]',
  '"b64":false',
  '"b64":true',
  '"zip":"DEF"',
  '"cty":"JWT"',
  '"jku":"https://evil.example/jwks"',
  '"x5u":"https://evil.example/x"',
  '"x5c":["MII"]',
  '"jwk":{"kty":"EC"}',
  '"__proto__":{"kid":"k1"}',
  '"constructor":1',
  '"nonce":"x"',
];
const ALGORITHMS = [
  'none',
  'None',
  'HS256',
  'HS512',
  'RS256',
  'PS256',
  'ES256',
  'ES384',
  'EdDSA',
  'es256',
  'ES256K',
  '',
];
const KIDS = ['k1', 'k2', 'k3', 'k4', '', '../k1', '__proto__', 'constructor', "k1' OR '1'='1", 'k1\0', 'K1'];
const TYPES = ['apikey+jwt', 'JWT', 'at+jwt', 'application/apikey+jwt', 'apikey+JWT', ''];
const CLAIM_EXTRAS = [
  '"nbf":0',
  '"nbf":99999999999',
  '"scope":"*"',
  '"scopes":["admin:*"]',
  '"admin":true',
  '"cnf":{"jkt":"x"}',
  '"__proto__":{"jti":"good"}',
  '"constructor":{}',
  '"act":{"sub":"x"}',
  '"exp":99999999999',
  '"jti":"good"',
];

/** @param {Choices} choose @param {string} id */
export function makeHeader(choose, id) {
  const header = headerOf(/** @type {import('./token-maker.mjs').KeyId} */ (id));
  if (choose.chance(0.4)) return JSON.stringify(header);
  const members = Object.entries(header).map(([name, value]) => `"${name}":${JSON.stringify(value)}`);
  const kind = choose.below(6);
  if (kind === 0) return written(choose, members.with(0, `"alg":${JSON.stringify(choose.pick(ALGORITHMS))}`));
  if (kind === 1) return written(choose, members.with(1, `"typ":${JSON.stringify(choose.pick(TYPES))}`));
  if (kind === 2) return written(choose, members.with(2, `"kid":${JSON.stringify(choose.pick(KIDS))}`));
  if (kind === 3) return written(choose, [...members, choose.pick(HEADER_EXTRAS)]);
  return written(choose, damaged(choose, members));
}

/** @param {Choices} choose @param {object} claims */
export function makeClaims(choose, claims) {
  if (choose.chance(0.3)) return JSON.stringify(claims);
  const members = Object.entries(claims).map(([name, value]) => `"${name}":${JSON.stringify(value)}`);
  if (choose.chance(0.2)) return written(choose, [...members, choose.pick(CLAIM_EXTRAS)]);
  if (choose.chance(0.3)) return written(choose, withTime(choose, claims));
  return written(choose, damaged(choose, members));
}

const TIMES = ['iat', 'exp', 'nbf'];
const SHIFTS = [-1e6, -86_401, -3_600, -1, 0, 1, 4, 5, 6, 3_600, 82_800, 86_400, 86_401, 1e9, 0.5];

/** @param {Choices} choose @param {any} claims */
function withTime(choose, claims) {
  const name = choose.pick(TIMES);
  const moved = { ...claims, [name]: (claims[name] ?? claims.iat) + choose.pick(SHIFTS) };
  return Object.entries(moved).map(([one, value]) => `"${one}":${JSON.stringify(value)}`);
}

/** @param {Choices} choose @param {string[]} members */
function damaged(choose, members) {
  const at = choose.below(members.length);
  const member = members[at] ?? '';
  const name = member.slice(0, member.indexOf(':'));
  const kind = choose.below(5);
  if (kind === 0) return members.toSpliced(at, 1);
  if (kind === 1) return [...members, member];
  if (kind === 2) return [`${name}:${choose.pick(VALUES)}`, ...members];
  if (kind === 3) return [...members, `"\\u0061${name.slice(2)}:${choose.pick(VALUES)}`];
  return members.with(at, `${name}:${choose.pick(VALUES)}`);
}

/** @param {Choices} choose @param {readonly string[]} members */
function written(choose, members) {
  const json = `{${members.join(',')}}`;
  if (choose.chance(0.85)) return json;
  const wrap = [
    `[${json}]`,
    ` ${json}`,
    `${json} `,
    json.slice(0, -1),
    `${json}x`,
    `\xef\xbb\xbf${json}`,
    json.replace('{', '{ '),
  ];
  const bytes = [
    `\xff${json}`,
    json.replace('good', 'go\xc0\xafod'),
    json.replaceAll('"', "'"),
    `"${json}"`,
    'null',
    '{}',
    '',
  ];
  return choose.pick([...wrap, ...bytes]);
}

const HEADER_NAMES = ['alg', 'typ', 'kid'];
const CLAIM_NAMES = ['iss', 'aud', 'sub', 'jti', 'iat', 'exp', 'nbf'];
/** They say nothing to anybody; that they are there is no harm. */
const IDLE = /"(?:__proto__|constructor)":/;

/**
 * By a reading of its own: every name once, none that is not known, and all that is said in order.
 *
 * @param {{ header: string, payload: string, by: string }} signed
 * @param {number} now
 */
export function mayBeAccepted({ header, payload, by }, now) {
  // White space in front would be no header of ours; of claims it is as good as without, for whoever has signed them.
  if (!header.startsWith('{"')) return false;
  const said = readOnce(header, HEADER_NAMES);
  const claims = readOnce(payload, CLAIM_NAMES);
  if (said === undefined || claims === undefined) return false;
  const good = JSON.stringify(headerOf(/** @type {import('./token-maker.mjs').KeyId} */ (by)));
  if (JSON.stringify({ alg: said.alg, typ: said.typ, kid: said.kid }) !== good) return false;
  const { iss, aud, sub, jti, iat, exp, nbf = 0 } = claims;
  if (iss !== ISSUER || aud !== AUDIENCE || sub !== 'good' || jti !== 'good') return false;
  if (![iat, exp, nbf].every((time) => Number.isSafeInteger(time) && time >= 0)) return false;
  const seconds = now / 1_000;
  const isAlive = iat >= seconds && iat <= seconds + 5 && exp > seconds && nbf <= seconds;
  return isAlive && exp > iat && (exp - iat) * 1_000 <= LONGEST_MS;
}

/** @param {string} json @param {readonly string[]} names @returns {any} */
function readOnce(json, names) {
  try {
    const value = JSON.parse(json);
    const isObject = value instanceof Object && !Array.isArray(value);
    if (!isObject) return undefined;
    const own = Object.keys(value);
    const isKnown = own.every(
      (name) => names.includes(name) || (names === CLAIM_NAMES && IDLE.test(`"${name}":`)),
    );
    // Names that are there twice are one fewer afterwards.
    const written = json.match(/"(?:[^"\\]|\\.)*"\s*:/g)?.length ?? 0;
    const nested = own.flatMap(
      (name) => JSON.stringify(value[name])?.match(/"(?:[^"\\]|\\.)*"\s*:/g) ?? [],
    ).length;
    return isKnown && written - nested === own.length ? value : undefined;
  } catch {
    return undefined;
  }
}
