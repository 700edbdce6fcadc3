// Records with something wrong with them, and which of them a reader may still take for a good key's.
import { keyRecord } from 'keystile';
import { HOSTILE_NAMES, hostileValue } from './hostile-values.mjs';
import { NOW, sha256, TEXTS } from './known-keys.mjs';

/**
 * @typedef {readonly [how: string, path: string, value?: string | number]} RecordEdit
 * @typedef {object} RecordInput
 * @property {readonly RecordEdit[]} edits
 * @property {string | number} [whole] - instead of a record
 * @property {'throw' | 'reject'} [fails] - with that, instead of an answer
 */

const GOOD = keyRecord({
  id: 'key_1',
  digest: sha256(TEXTS.good),
  name: 'A key',
  organization: { id: 'org_1', slug: 'acme' },
  owner: { type: 'user', id: 'user_1' },
  scopes: ['reports:read'],
  metadata: { team: 'a' },
});
const PATHS = [
  ...Object.keys(GOOD),
  ...[
    'createdBy',
    'lastUsedAt',
    'expiresAt',
    'notBefore',
    'revokedAt',
    'revocationReason',
    'rotatedAt',
    'previous',
  ],
  ...[
    'organization.id',
    'organization.slug',
    'owner.type',
    'owner.id',
    'scopes.0',
    'scopes.9',
    'metadata.team',
  ],
  ...[
    'previous.digest',
    'previous.expiresAt',
    'metadata.__proto__',
    'constructor',
    'isAdmin',
    'then',
    'toJSON',
  ],
];
const OTHER_DIGESTS = [TEXTS.revoked, TEXTS.unknown, TEXTS.foreign].map(sha256);

/** @param {import('./choices.mjs').Choices} choose @param {(choose: any) => string | number} describe @returns {RecordInput} */
export function makeRecordInput(choose, describe) {
  if (choose.chance(0.05)) {
    const fails = choose.pick(/** @type {const} */ ([undefined, undefined, 'throw', 'reject']));
    const whole = describe(choose);
    return fails === undefined ? { edits: [], whole } : { edits: [], whole, fails };
  }
  const count = choose.chance(0.8) ? 1 : 1 + choose.below(4);
  return { edits: Array.from({ length: count }, () => makeEdit(choose, describe)) };
}

/** @param {import('./choices.mjs').Choices} choose @param {(choose: any) => string | number} describe @returns {RecordEdit} */
function makeEdit(choose, describe) {
  const path = choose.pick(PATHS);
  const kind = choose.below(20);
  if (kind === 0) return ['delete', path];
  if (kind === 1) return ['inherit', path];
  if (kind === 2) return ['getter', path, describe(choose)];
  if (kind === 3) return ['turn', path, describe(choose)];
  if (kind === 4) return ['digest', '', choose.below(OTHER_DIGESTS.length)];
  if (kind === 5) return ['previous', '', choose.pick(HOSTILE_NAMES)];
  if (kind === 6) return ['frozen', ''];
  return ['set', path, describe(choose)];
}

/** @type {Readonly<Record<string, (holder: any, name: string, value: any, record: any) => any>>} */
const EDITS = {
  set: (holder, name, value) => define(holder, name, { value: hostileValue(value) }),
  delete: (holder, name) => Reflect.deleteProperty(holder, name),
  inherit(holder, name) {
    const value = Reflect.get(holder, name);
    Reflect.deleteProperty(holder, name);
    Reflect.setPrototypeOf(holder, { [name]: value });
  },
  getter: (holder, name, value) => define(holder, name, { get: () => hostileValue(value) }),
  // Good for whoever looks first, and something else afterwards.
  turn(holder, name, value) {
    const good = Reflect.get(holder, name);
    let looks = 0;
    define(holder, name, {
      get() {
        looks += 1;
        return looks === 1 ? good : hostileValue(value);
      },
    });
  },
  digest: (_holder, _name, value, record) => define(record, 'digest', { value: OTHER_DIGESTS[value] }),
  previous(_holder, _name, value, record) {
    define(record, 'previous', { value: { digest: GOOD.digest, expiresAt: hostileValue(value) } });
    define(record, 'digest', { value: OTHER_DIGESTS[0] });
  },
  frozen: (_holder, _name, _value, record) => Object.freeze(record),
};

/** @param {object} holder @param {string} name @param {PropertyDescriptor} how */
function define(holder, name, how) {
  return Reflect.defineProperty(holder, name, { ...how, enumerable: true, configurable: true });
}

/** @returns {any} */
export function goodRecord() {
  const { organization, owner, scopes, metadata } = GOOD;
  return {
    ...GOOD,
    organization: { ...organization },
    owner: { ...owner },
    scopes: [...scopes],
    metadata: { ...metadata },
  };
}

/** @param {RecordInput} input @returns {unknown} made anew each time: looking at some of them changes them */
export function recordOf({ edits, whole }) {
  if (whole !== undefined) return hostileValue(whole);
  const record = goodRecord();
  for (const [how, path, value] of edits) {
    const names = path.split('.');
    const name = names.pop() ?? '';
    const holder = names.reduce((/** @type {any} */ object, one) => insideOf(object, one), record);
    if (isObject(holder)) attempt(() => EDITS[how]?.(holder, name, value, record));
  }
  return record;
}

/** @param {unknown} object @param {string} name */
const insideOf = (object, name) => attempt(() => (isObject(object) ? Reflect.get(object, name) : undefined));

/** What an earlier edit has put there may not even let itself be looked at. @param {() => unknown} act */
function attempt(act) {
  try {
    return act();
  } catch {
    return undefined;
  }
}

/** @param {unknown} value @returns {value is object} */
const isObject = (value) => typeof value === 'object' && value !== null;

/** @param {unknown} value */
const isText = (value) => typeof value === 'string' && value !== '';
/** @param {unknown} value @param {(time: number) => boolean} holds */
function isTime(value, holds) {
  try {
    return holds(Date.prototype.getTime.call(value));
  } catch {
    return false;
  }
}
/** @param {(value: any) => boolean} holds */
const absentOr = (holds) => (/** @type {unknown} */ value) =>
  value === undefined || value === null || holds(value);
const isPast = (/** @type {unknown} */ value) => isTime(value, (time) => time <= NOW);
const isFuture = (/** @type {unknown} */ value) => isTime(value, (time) => time > NOW);

/** What has to be true of each field of a key that is good, by its first reading. @type {Readonly<Record<string, (value: any) => boolean>>} */
const DEMANDS = {
  id: isText,
  kind: (value) => value === 'opaque',
  name: isText,
  environment: (value) => value === 'live',
  organization: (value) => isObject(value) && isText(ownOf(value, 'id')),
  owner: (value) =>
    isObject(value) &&
    isText(ownOf(value, 'id')) &&
    ['user', 'organization', 'service'].includes(ownOf(value, 'type')),
  scopes: absentOr(
    (value) =>
      Array.isArray(value) &&
      value.length <= 1_000 &&
      itemsOf(value).every((one) => isText(one) && one !== '*'),
  ),
  enabled: (value) => value === true,
  version: (value) => Number.isSafeInteger(value) && value >= 1,
  createdAt: (value) => isPast(value) || isFuture(value),
  updatedAt: (value) => isPast(value) || isFuture(value),
  metadata: absentOr(isObject),
  revokedAt: absentOr(() => false),
  expiresAt: absentOr(isFuture),
  notBefore: absentOr(isPast),
};

/** @param {any[]} list */
const itemsOf = (list) => Array.from({ length: list.length }, (_, index) => ownOf(list, index));

/** @param {any} object @param {string | number} name @returns {any} */
function ownOf(object, name) {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

/** Whether nothing is said that would forbid to take it. @param {RecordInput} input */
export function mayBeGood(input) {
  if (input.fails !== undefined) return false;
  const record = recordOf(input);
  try {
    if (!isObject(record) || Array.isArray(record)) return false;
    const digest = ownOf(record, 'digest');
    const previous = digest === GOOD.digest ? undefined : ownOf(record, 'previous');
    const isFound = digest === GOOD.digest || (isObject(previous) && isPrevious(previous));
    return isFound && Object.entries(DEMANDS).every(([name, holds]) => holds(ownOf(record, name)));
  } catch {
    // It cannot even be read.
    return false;
  }
}

/** @param {object} previous */
const isPrevious = (previous) =>
  ownOf(previous, 'digest') === GOOD.digest && isFuture(ownOf(previous, 'expiresAt'));
