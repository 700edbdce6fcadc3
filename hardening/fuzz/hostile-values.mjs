// Values that stand where a store's record should hold another: described by a name, so that they can be had again.
import fc from 'fast-check';
import { MARKER } from './findings.mjs';
import { NOW, sha256, TEXTS } from './known-keys.mjs';

const ANYTHING = fc.anything({
  withBigInt: true,
  withDate: true,
  withMap: true,
  withSet: true,
  withNullPrototype: true,
  withObjectString: true,
  withTypedArray: true,
  withSparseArray: true,
});

/** As a driver quotes what it was asked. */
const QUOTE = `no row for ${TEXTS.good}, ${sha256(TEXTS.good)}`;

const throwing = () => {
  throw new Error(QUOTE);
};
/** Whatever is asked of it, it throws. */
const TRAPS = {
  get: throwing,
  has: throwing,
  ownKeys: throwing,
  getPrototypeOf: throwing,
  getOwnPropertyDescriptor: throwing,
};

const HUGE = 'x'.repeat(1_000_000);

function cyclic() {
  /** @type {Record<string, unknown>} */
  const circle = {};
  circle['circle'] = circle;
  return circle;
}

/** @param {number} depth */
function nested(depth) {
  let value = /** @type {unknown} */ ({});
  for (let i = 0; i < depth; i += 1) value = { a: value };
  return value;
}

/** @param {number} length */
const sparse = (length) => Object.assign([], { length });

/** @type {Readonly<Record<string, () => unknown>>} */
export const HOSTILE = {
  undefined: () => undefined,
  null: () => null,
  true: () => true,
  false: () => false,
  zero: () => 0,
  minus: () => -1,
  half: () => 1.5,
  NaN: () => Number.NaN,
  infinite: () => Number.POSITIVE_INFINITY,
  unsafe: () => 2 ** 53,
  seven: () => 7,
  now: () => NOW,
  '': () => '',
  blank: () => ' ',
  NUL: () => 'a\0b',
  half_pair: () => 'a\ud800b',
  marker: () => `${MARKER}\r\nSet-Cookie: x`,
  long: () => 'x'.repeat(300),
  huge: () => HUGE,
  proto_text: () => '__proto__',
  star: () => '*',
  array: () => [],
  texts: () => ['reports:read', 'users:*'],
  stars: () => ['*'],
  twins: () => ['reports:read', 'reports:read'],
  deep_array: () => [[['reports:read']]],
  many: () => Array.from({ length: 1_001 }, (_, index) => `s${index}`),
  sparse: () => sparse(4_000_000_000),
  object: () => ({}),
  pair: () => ({ id: 'x', type: 'user' }),
  own_proto: () => JSON.parse('{"__proto__":{"id":"x"},"constructor":{"prototype":{"x":1}}}'),
  nested: () => nested(5_000),
  cyclic,
  wide: () => Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`n${index}`, 'x'.repeat(40)])),
  inherited: () => Object.create({ id: 'x', type: 'user', digest: 'x' }),
  past: () => new Date(NOW - 1),
  present: () => new Date(NOW),
  future: () => new Date(NOW + 1_000),
  last: () => new Date(8.64e15),
  first: () => new Date(-8.64e15),
  no_date: () => new Date(Number.NaN),
  false_date: () => Object.create(Date.prototype),
  lying_date: () =>
    Object.assign(new Date(Number.NaN), { getTime: () => NOW + 1_000, valueOf: () => NOW + 1_000 }),
  ISO: () => new Date(NOW + 1_000).toISOString(),
  function: () => () => 'x',
  symbol: () => Symbol(MARKER),
  bigint: () => 7n,
  boxed: () => Object('live'),
  boxed_true: () => Object(true),
  bytes: () => new Uint8Array(16),
  map: () => new Map([['id', 'x']]),
  regexp: () => /x/,
  error: () => new Error(QUOTE),
  thenable: () =>
    Object.fromEntries([['then', (/** @type {(value: unknown) => void} */ resolve) => resolve('live')]]),
  promise: () => Promise.resolve('live'),
  proxy: () => new Proxy({}, TRAPS),
  array_proxy: () => new Proxy([], TRAPS),
  revoked_proxy() {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    return proxy;
  },
};

export const HOSTILE_NAMES = Object.keys(HOSTILE);

/** @param {string | number} described - a name, or the seed of a value that fast-check makes */
export function hostileValue(described) {
  if (typeof described === 'string') return HOSTILE[described]?.();
  return fc.sample(ANYTHING, { seed: described, numRuns: 1 })[0];
}

/** @param {import('./choices.mjs').Choices} choose @returns {string | number} */
export const describeHostile = (choose) => (choose.chance(0.97) ? choose.pick(HOSTILE_NAMES) : choose.seed());
