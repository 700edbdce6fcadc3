// What can go wrong with one call to a store.
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * @typedef {(real: () => Promise<unknown>) => unknown} Fault - stands in for one call; `real` carries it out
 * @typedef {object} Scene
 * @property {string} method
 * @property {() => number} random
 * @property {() => readonly unknown[]} asked - the arguments of the call
 * @property {readonly object[]} others - records that may stand in for the one that was asked for
 * @property {ReadonlyMap<string, object>} older - by id, and by digest, what the store held a while ago
 * @property {number} lateMs - longer than the deadline of a call
 * @typedef {object} StoreFault
 * @property {string} name
 * @property {readonly string[]} [methods] - absent: all
 * @property {(scene: Scene) => Fault} make
 */

const READS = ['findByDigest', 'findById', 'list'];
const GIVES_RECORDS = [...READS, 'update'];

const THROWN = [
  new Error('connect ECONNREFUSED'),
  undefined,
  null,
  'down',
  { status: 401, statusCode: 401, message: 'Unauthorized' },
  Object.assign(new Error('Unauthorized'), { status: 401, statusCode: 401, code: 'invalid_token' }),
  { ok: false, reason: 'revoked' },
  Symbol('down'),
];

/** Of every type, but for what says "there is none", which a store must be believed. */
const GARBAGE = [
  true,
  false,
  0,
  -1,
  Number.NaN,
  1n,
  '',
  '{"id":"key_1"}',
  Symbol('record'),
  () => true,
  [],
  [{}],
  {},
  { ok: true },
  { rows: [], affectedRows: 0 },
  { records: {} },
  new Date(0),
  new Map(),
  Buffer.from('record'),
  new Proxy({}, { get: () => true }),
  new Proxy(
    {},
    {
      get() {
        throw new Error('no such member');
      },
    },
  ),
];

/** None of them is a value that a member of a record may have. */
const BROKEN_MEMBERS = [undefined, null, '', 1n, Number.NaN, Symbol('member'), () => true, new Map()];

/** @type {readonly StoreFault[]} */
export const STORE_FAULTS = [
  {
    name: 'throws',
    make:
      ({ random }) =>
      () => {
        throw oneOf(THROWN, random);
      },
  },
  {
    name: 'rejects',
    make:
      ({ random }) =>
      () =>
        Promise.reject(oneOf(THROWN, random)),
  },
  {
    name: 'rejects with a thenable',
    make: () => () => Promise.reject(thenable((resolve) => resolve({ ok: true }))),
  },
  { name: 'hangs', make: () => () => new Promise(() => undefined) },
  {
    name: 'answers nonsense',
    make:
      ({ method, random }) =>
      async (real) => {
        // What a write answers is not all looked at, so it must at least have been made.
        if (!READS.includes(method)) await real();
        return oneOf(GARBAGE, random);
      },
  },
  {
    name: 'answers a broken record',
    methods: GIVES_RECORDS,
    make:
      ({ method, random }) =>
      async (real) =>
        inPlaceOf(method, await real(), (record) => broken(record, random)),
  },
  {
    name: "answers another key's record",
    methods: GIVES_RECORDS,
    make:
      ({ method, random, others }) =>
      async (real) =>
        inPlaceOf(method, await real(), () => oneOf(others, random)),
  },
  {
    name: 'answers an older version',
    methods: ['findByDigest', 'findById', 'update'],
    make:
      ({ asked, older }) =>
      async (real) => {
        const [name] = asked().flat();
        const answer = await real();
        return older.get(name) ?? answer;
      },
  },
  {
    name: 'answers after the deadline',
    make:
      ({ lateMs }) =>
      async (real) => {
        const answer = await real();
        await sleep(lateMs);
        return answer;
      },
  },
  {
    name: 'acts after the deadline',
    make:
      ({ lateMs }) =>
      async (real) => {
        await sleep(lateMs);
        return real();
      },
  },
  {
    name: 'acts, and fails',
    make:
      ({ random }) =>
      async (real) => {
        await real();
        throw oneOf(THROWN, random);
      },
  },
  {
    name: 'answers twice',
    make: () => async (real) => {
      const answer = await real();
      return Object.defineProperty({}, 'then', {
        value(resolve, reject) {
          resolve(answer);
          reject(new Error('changed its mind'));
        },
      });
    },
  },
  {
    name: 'answers a record that pollutes',
    methods: GIVES_RECORDS,
    make:
      ({ method }) =>
      async (real) =>
        inPlaceOf(method, await real(), polluting),
  },
];

export function oneOf(list, random) {
  return list[Math.floor(random() * list.length)];
}

/** Spelt as a member, since a literal with `then` is what a linter takes for a mistake. */
function thenable(run) {
  return Object.defineProperty({}, 'then', { value: run });
}

/** "There is none" stays what it is, as nobody could tell. */
function inPlaceOf(method, answer, change) {
  if (method === 'list') return { ...answer, records: answer.records.map(change) };
  return answer === undefined || answer === null ? answer : change(answer);
}

/** A member that every record has is gone, or of another type. Not scopes, for a record without any may do nothing. */
function broken(record, random) {
  const name = oneOf(['id', 'digest', 'organization', 'owner', 'enabled', 'version'], random);
  const { [name]: _, ...rest } = record;
  return random() < 0.5 ? rest : { ...rest, [name]: oneOf(BROKEN_MEMBERS, random) };
}

/** What JSON.parse() can make of a text that somebody wrote into the table: the record itself, and more. */
function polluting(record) {
  const poison = JSON.parse('{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}');
  const copy = Object.defineProperties(
    Object.create({ enabled: false }),
    Object.getOwnPropertyDescriptors(record),
  );
  return Object.defineProperties(copy, Object.getOwnPropertyDescriptors(poison));
}
