// Bodies: JSON values of any structure, put where something else is expected, and then damaged as texts.
import { brotliCompressSync, constants, deflateSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { MARKER } from './findings.mjs';
import { TEXTS } from './known-keys.mjs';
import { edited, makeTextEdits } from './text-edits.mjs';

/** @typedef {import('./choices.mjs').Choices} Choices */

const POOL = 1_000;

/** Any JSON, `__proto__` among its names. */
const ANY_JSON = fc.jsonValue({ maxDepth: 4, depthSize: 'medium' });

/** Texts that two readers of JSON may read differently, or one of them not at all. */
const STRANGE = [
  ...[
    '1e400',
    '-1e400',
    '1E-400',
    '-0',
    '00',
    '01',
    '+1',
    '.5',
    '1.',
    '0x10',
    'NaN',
    'Infinity',
    'undefined',
  ],
  ...[
    '9007199254740993',
    '123456789012345678901234567890',
    '"\\ud800"',
    '"\\udc00\\ud800"',
    '"\\u0000"',
    '"\\ufffd"',
  ],
  ...[
    '"\u0000"',
    '"\t"',
    "'x'",
    '"\\x41"',
    '"\\u00zz"',
    'nul',
    'True',
    '[1,]',
    '{"a":1,}',
    '/**/1',
    '"\ud83d\ude00"',
  ],
  ...['{"__proto__":{"x":1}}', '{"constructor":{"prototype":{"x":1}}}', '{"toJSON":1}', '{"length":1e9}'],
  ...[
    `${'['.repeat(8)}${']'.repeat(8)}`,
    `${'['.repeat(9)}${']'.repeat(9)}`,
    '['.repeat(8_000),
    '{"a":'.repeat(2_000),
  ],
  `"${'x'.repeat(16_500)}"`,
  `"${MARKER.repeat(3)}"`,
  `[${'1,'.repeat(5_000)}1]`,
  `{${Array.from({ length: 1_000 }, (_, i) => `"n${i}":0`).join()}}`,
  `"${'\\u0041'.repeat(2_500)}"`,
  '"2026-02-30T10:00:00Z"',
  '"2026-12-01T10:00:00Z"',
  '8.64e15',
  '["reports:read"]',
  '["reports:*","*"]',
  '["admin:all"]',
];
const NAMES = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  '',
  'x',
  'rateLimitMax',
  'id',
  'revokedAt',
];
const TYPES = [
  ...['application/json;charset=utf-8', 'application/json; charset="utf8"', 'application/json;charset=utf-7'],
  ...[
    'application/json; charset=utf-16le',
    'text/plain',
    'application/xml',
    '',
    'multipart/form-data; boundary=x',
  ],
  ...['APPLICATION/JSON', 'application/json, text/html', 'application/problem+json', 'application/json\t;x'],
  ...['application/x-www-form-urlencoded', 'application/x-www-form-urlencoded;charset=latin1'],
];
const CODINGS = ['gzip', 'deflate', 'br', 'x-gzip', 'identity', 'gzip, gzip', 'zstd', 'compress', 'GZIP'];

/** @returns a maker of values, which fast-check makes a pool at a time */
export function createValues() {
  /** @type {string[]} */
  let pool = [];
  return (/** @type {Choices} */ choose) => {
    if (pool.length === 0)
      pool = fc.sample(ANY_JSON, { seed: choose.seed(), numRuns: POOL }).map((one) => JSON.stringify(one));
    return pool.pop() ?? 'null';
  };
}

/**
 * @param {Choices} choose
 * @param {import('./body-targets.mjs').Target} target
 * @param {(choose: Choices) => string} makeValue
 * @returns {string} each character is a byte
 */
export function makeBody(choose, target, makeValue) {
  const body = latin1(target.speaks === 'form' ? makeForm(choose) : makeJson(choose, target, makeValue));
  if (choose.chance(0.6)) return body;
  const kind = choose.below(8);
  if (kind < 4) return latin1(edited(body, makeTextEdits(choose)));
  if (kind === 4) return `\xef\xbb\xbf${body}`;
  if (kind === 5) return Buffer.from(body, 'utf16le').latin1Slice();
  if (kind === 6) return body.slice(0, choose.below(body.length + 1));
  return Array.from({ length: choose.below(40) }, () => choose.byte()).join('');
}

/** @param {string} text */
const latin1 = (text) =>
  /^[\0-\xff]*$/.test(text) && !/[\x80-\xff]/.test(text) ? text : Buffer.from(text).latin1Slice();

/** @param {Choices} choose @param {import('./body-targets.mjs').Target} target @param {(choose: Choices) => string} makeValue */
function makeJson(choose, target, makeValue) {
  if (choose.chance(0.15)) return choose.chance(0.5) ? makeValue(choose) : choose.pick(STRANGE);
  const members = Object.entries(target.good ?? {}).map(([name, value]) => [name, JSON.stringify(value)]);
  for (let i = choose.below(3); i > 0; i -= 1) {
    const value = makeMember(choose, makeValue);
    const name =
      choose.chance(0.7) && target.members.length > 0 ? choose.pick(target.members) : choose.pick(NAMES);
    const at = members.findIndex(([one]) => one === name);
    if (at !== -1 && choose.chance(0.8)) members[at] = [name, value];
    else members.splice(choose.below(members.length + 1), 0, [name, value]);
  }
  return `{${members.map(([name, value]) => `${JSON.stringify(name)}:${value}`).join()}}`;
}

/** @param {Choices} choose @param {(choose: Choices) => string} makeValue */
function makeMember(choose, makeValue) {
  const kind = choose.below(4);
  if (kind === 0) return makeValue(choose);
  if (kind === 1) return choose.pick(STRANGE);
  return JSON.stringify(choose.pick(Object.values(TEXTS).flatMap((text) => [text, ...text.split('.')])));
}

/** @param {Choices} choose */
function makeForm(choose) {
  const fields = [
    [
      'token',
      choose.chance(0.4) ? TEXTS.good : edited(choose.pick(Object.values(TEXTS)), makeTextEdits(choose)),
    ],
  ];
  if (choose.chance(0.2))
    fields.push([choose.pick(['token', 'TOKEN', 'token[]', 'token_type_hint', '__proto__']), choose.text(8)]);
  const form = fields.map(
    ([name, value]) =>
      `${name}=${choose.chance(0.8) ? encodeURIComponent(`${value}`.toWellFormed()) : value}`,
  );
  return choose.chance(0.9) ? form.join('&') : form.join(choose.pick([';', '&&', '&=&', '%26', '\n']));
}

/** @param {Choices} choose @param {import('./body-targets.mjs').Target} target */
export function makeType(choose, target) {
  const usual = target.speaks === 'form' ? 'application/x-www-form-urlencoded' : 'application/json';
  return choose.chance(0.9) ? usual : choose.pick(TYPES);
}

/** @param {Choices} choose */
export const makeCoding = (choose) => (choose.chance(0.92) ? undefined : choose.pick(CODINGS));

/** The best would take longer than all else. */
const QUICK = { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } };

/** @type {Readonly<Record<string, (bytes: Buffer) => Buffer>>} */
const ENCODERS = {
  gzip: (bytes) => gzipSync(bytes),
  'x-gzip': (bytes) => gzipSync(bytes),
  GZIP: (bytes) => gzipSync(bytes),
  deflate: (bytes) => deflateSync(bytes),
  br: (bytes) => brotliCompressSync(bytes, QUICK),
};

/** @param {string} body @param {string | undefined} coding @param {boolean} isTrue - whether it is as it says */
export function bytesOf(body, coding, isTrue) {
  const bytes = Buffer.from(body, 'latin1');
  const encode = isTrue ? ENCODERS[coding ?? ''] : undefined;
  return encode === undefined ? bytes : encode(bytes);
}
