// Header lines as clients, proxies and attackers write them, and what is to be answered to them, by a second reading of
// the rules.
import { OUTCOMES, outcomeOf, TEXTS } from './known-keys.mjs';
import { edited, makeTextEdits } from './text-edits.mjs';

/** @typedef {string[]} HeaderLines name and value in turns, as Node has them in `rawHeaders` */

const NOISE = [
  ['Host', 'api.example.com'],
  ['Accept', 'application/json'],
  ['User-Agent', 'example/1.0'],
  ['Cookie', `session=${TEXTS.good}`],
  ['Proxy-Authorization', `Bearer ${TEXTS.good}`],
  ['X-Forwarded-For', '10.0.0.1, 10.0.0.2'],
  ['X-Organization-Id', 'org_evil'],
  ['X-HTTP-Method-Override', 'DELETE'],
  ['X-API-Key-Id', TEXTS.good],
];
const NAMES = ['Authorization', 'X-API-Key'];
const ODD_NAMES = [
  ...[
    'authorization',
    'AUTHORIZATION',
    'aUtHoRiZaTiOn',
    'Authorization ',
    'Authorization\0',
    'Authorisation',
  ],
  ...['x-api-key', 'X-API-KEY', 'X-Api-Key', 'X_API_Key', 'X-API-Key\t', 'XAPI-Key', 'api-key'],
];
const SCHEMES = [
  'Bearer',
  'bearer',
  'BEARER',
  'Basic',
  'Bearer:',
  'Bearer,',
  '',
  'ApiKey',
  'Digest',
  'Bear\xadr',
  'JWT',
];
const GAPS = [' ', '  ', '   ', '\t', ' \t', '', '\xa0', ' ,', '="', '%20', '\r\n '];
const TAILS = [' ', '=', '==', ', Bearer x', ' x', '\t', '\0', ';q=1', '"', '\xff', '\r\n X'];
const KNOWN = Object.values(TEXTS);
const CARRIERS = [0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 3];
const LENGTHS = [0, 1, 44, 511, 512, 513, 2_000, 8_192, 8_193, 15_000];

/** @param {import('./choices.mjs').Choices} choose @returns {HeaderLines} */
export function makeHeaderLines(choose) {
  /** @type {HeaderLines} */
  const lines = [];
  const carriers = choose.pick(CARRIERS);
  for (let i = choose.below(3); i > 0; i -= 1) lines.push(...choose.pick(NOISE));
  for (let i = 0; i < carriers; i += 1) lines.push(...makeCarrier(choose));
  for (let i = choose.below(2); i > 0; i -= 1) lines.push(...choose.pick(NOISE));
  if (choose.chance(0.002)) lines.push(...manyLines(choose));
  return lines;
}

/** @param {import('./choices.mjs').Choices} choose */
function manyLines(choose) {
  const count = choose.pick([20, 31, 32, 33, 998, 999, 1_000, 1_001]);
  return Array.from({ length: count }, (_, index) => [`X-${index}`, 'x']).flat();
}

/** @param {import('./choices.mjs').Choices} choose @returns {[string, string]} */
function makeCarrier(choose) {
  const name = choose.chance(0.8) ? choose.pick(NAMES) : choose.pick(ODD_NAMES);
  const text = makeText(choose);
  const isPlain = !name.startsWith('A') && !name.startsWith('a');
  if (isPlain && choose.chance(0.9)) return [name, text + makeTail(choose)];
  const start = choose.chance(0.8) ? 'Bearer ' : choose.pick(SCHEMES) + choose.pick(GAPS);
  return [name, start + text + makeTail(choose)];
}

/** @param {import('./choices.mjs').Choices} choose */
const makeTail = (choose) => (choose.chance(0.8) ? '' : choose.pick(TAILS));

/** @param {import('./choices.mjs').Choices} choose */
function makeText(choose) {
  const kind = choose.below(100);
  if (kind < 30) return choose.pick(KNOWN);
  if (kind < 80) return bytesOf(edited(choose.pick(KNOWN), makeTextEdits(choose)));
  if (kind < 95) return choose.text(choose.below(80));
  if (kind < 98) return Array.from({ length: choose.below(20) }, () => choose.byte()).join('');
  return choose.text(choose.pick(LENGTHS), choose.chance(0.5) ? 'aB0' : '=.-_');
}

/** What a parser of bytes would have made of it. @param {string} text */
function bytesOf(text) {
  return /[\u0100-\uffff]/.test(text) ? Buffer.from(text).latin1Slice() : text;
}

/** What Node keeps of header lines. */
const MOST_LINES = 1_000;

/**
 * What the middleware, with its defaults, has to answer: `ok` or a code.
 *
 * @param {HeaderLines} lines
 */
export function expectedOf(lines) {
  /** @type {string[]} */
  const carried = [];
  const seen = new Set();
  for (let i = 0; i < lines.length; i += 2) {
    const name = carrierNamed(lines[i] ?? '');
    if (name === undefined) continue;
    if (seen.has(name)) return 'invalid_request';
    seen.add(name);
    const value = lines[i + 1] ?? '';
    const text = name === 'x-api-key' ? value : bearerOf(value);
    if (text !== undefined) carried.push(text);
  }
  const [text] = carried;
  if (text === undefined) return 'missing_credentials';
  const isBroken = carried.length > 1 || lines.length / 2 >= MOST_LINES || !/^[\w.~+/|-]+=*$/.test(text);
  if (isBroken) return 'invalid_request';
  return outcomeOf(text) === OUTCOMES.good ? 'ok' : 'invalid_token';
}

/** @param {string} name */
function carrierNamed(name) {
  if (/^authorization$/i.test(name)) return 'authorization';
  return /^x-api-key$/i.test(name) ? 'x-api-key' : undefined;
}

/** What stands behind `Bearer`, `''` for an empty field. @param {string} value @returns {string | undefined} */
function bearerOf(value) {
  if (value === '') return '';
  return /^bearer(?![^ \t]) *([\s\S]*)$/i.exec(value)?.[1];
}
