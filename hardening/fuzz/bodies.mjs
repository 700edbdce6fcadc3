// Bodies to every endpoint that reads one, and to some that do not, with good, wrong and no credentials of the caller.
import { createApiKeys, keyPairs, keyRecord } from 'keystile';
import { endor, gmi, introspection, pluto, timbrix, validateRouter, workos } from 'keystile/dialects';
import { managementRouter } from 'keystile/management';
import { OWN_KEY_ID, TARGETS } from './body-targets.mjs';
import { bytesOf, createValues, makeBody, makeCoding, makeType } from './body-texts.mjs';
import { describeThrown, falseAccept, falseRefusal, MARKER, wrong } from './findings.mjs';
import { oldKeys } from './keys.mjs';
import { isKnownBody } from './known-bodies.mjs';
import {
  CountingStore,
  eventShows,
  HOUR_MS,
  knownRecords,
  NOW,
  PREFIX,
  sha256,
  TEXTS,
} from './known-keys.mjs';
import { requestOf, responseTo } from './plain-exchange.mjs';

/**
 * @typedef {object} BodyInput
 * @property {string} to
 * @property {string} caller - one of the known texts, or `''` for none
 * @property {string} type
 * @property {string} [coding]
 * @property {true} [isFalse] - whether the coding is not that of the body
 * @property {string} [length] - instead of the true one; `''` for chunks
 * @property {string} body - each character is a byte
 */

const TARGET_NAMES = Object.keys(TARGETS);
const READERS = TARGET_NAMES.filter((name) => TARGETS[name]?.speaks !== undefined);
const WRITES = ['create', 'update', 'rotate'];
const CALLERS = ['', 'unknown', 'revoked', 'expired', 'test', 'otherPrefix'];
/** It also asks about others. */
const SCOPES = ['ie_model', 'keys:validate', 'keys:manage'];

/** @returns {import('./fuzzer.mjs').Fuzzer} */
export function fuzzBodies() {
  const makeValue = createValues();
  let world = openWorld();
  /** @type {Map<string, number>} */
  const tally = new Map();

  /** @param {BodyInput} input */
  async function check(input) {
    const target = TARGETS[input.to];
    if (target === undefined) throw new TypeError(`no target ${input.to}`);
    const before = world.store.lookups;
    const answer = await exchange(world.routers[input.to], target, input);
    if (answer instanceof Error) return wrong(answer.message);
    const { status } = answer;
    tally.set(input.to, (tally.get(input.to) ?? 0) + (status < 300 ? 1 : 0));
    const lookups = world.store.lookups - before;
    if (lookups > target.lookups) return wrong(`${lookups} look-ups by ${input.to}`);
    if (world.seen.leaks > 0) return wrong('an event holds the marker');
    return judge(input, target, answer);
  }

  return {
    name: 'bodies',
    make: (choose) => make(choose, makeValue),
    check,
    // Who may write keys may give them all the metadata that there may be, and waits for it himself.
    mayTakeLong: ({ to, caller }) => caller === 'good' && WRITES.includes(to),
    async control() {
      for (const to of TARGET_NAMES) {
        const finding = await controlled(check, to);
        if (finding !== undefined) return finding;
      }
      return undefined;
    },
    details: () => `good: ${[...tally].map(([to, count]) => `${to} ${count}`).join(', ')}`,
    async refresh() {
      await world.apiKeys.close();
      world = openWorld();
    },
    close: () => world.apiKeys.close(),
  };
}

function openWorld() {
  const seen = { leaks: 0 };
  const own = keyRecord({ id: OWN_KEY_ID, digest: sha256('own'), organization: { id: 'org_1' } });
  const records = knownRecords(sha256).map((record) =>
    record.name === 'good' ? { ...record, scopes: SCOPES } : record,
  );
  const store = new CountingStore([...records, own]);
  const apiKeys = createApiKeys({
    store,
    prefix: PREFIX,
    now: () => NOW,
    verifiers: [keyPairs(), oldKeys()],
    silence: ['no_pepper', 'memory_store_in_production', 'late_in_outage', 'late_without_watch'],
    cache: { ttlMs: HOUR_MS },
    onEvent: (event) => {
      if (eventShows(event)) seen.leaks += 1;
    },
  });
  const management = managementRouter(apiKeys, {
    authorize: (req) =>
      req.headers.authorization === `Bearer ${TEXTS.good}`
        ? { organization: { id: 'org_1' }, grantableScopes: ['reports:*'], actor: 'user_1' }
        : undefined,
  });
  const uuid = () => '01900000-3333-7333-8333-333333333333';
  /** @type {Readonly<Record<string, import('keystile/dialects').MountableRouter>>} */
  const routers = {
    endor: validateRouter(apiKeys, endor()),
    workos: validateRouter(apiKeys, workos()),
    introspection: validateRouter(apiKeys, introspection()),
    timbrix: validateRouter(apiKeys, timbrix()),
    pluto: validateRouter(apiKeys, pluto()),
    gmi: validateRouter(apiKeys, gmi({ uuid })),
    create: management,
    update: management,
    rotate: management,
  };
  return { apiKeys, store, seen, routers };
}

/** @param {(input: BodyInput) => Promise<any>} check @param {string} to */
async function controlled(check, to) {
  const { speaks, good } = TARGETS[to] ?? {};
  const isForm = speaks === 'form';
  const type = isForm ? 'application/x-www-form-urlencoded' : 'application/json';
  const body = isForm ? String(new URLSearchParams(/** @type {any} */ (good))) : JSON.stringify(good ?? {});
  return check({ to, caller: 'good', type, body });
}

/** @param {import('./choices.mjs').Choices} choose @param {(choose: any) => string} makeValue @returns {BodyInput} */
function make(choose, makeValue) {
  const to = choose.chance(0.95) ? choose.pick(READERS) : choose.pick(TARGET_NAMES);
  const target = /** @type {import('./body-targets.mjs').Target} */ (TARGETS[to]);
  const coding = makeCoding(choose);
  return {
    to,
    caller: choose.chance(0.8) ? 'good' : choose.pick(CALLERS),
    type: makeType(choose, target),
    ...(coding === undefined ? undefined : { coding }),
    ...(coding !== undefined && choose.chance(0.3) ? { isFalse: /** @type {const} */ (true) } : undefined),
    ...(choose.chance(0.05)
      ? { length: choose.pick(['', '', '0', '1', '16385', '99999999999']) }
      : undefined),
    body: makeBody(choose, target, makeValue),
  };
}

/**
 * @param {import('keystile/dialects').MountableRouter | undefined} router
 * @param {import('./body-targets.mjs').Target} target
 * @param {BodyInput} input
 * @returns {Promise<import('./plain-exchange.mjs').PlainAnswer | Error>}
 */
function exchange(router, { method, url }, { caller, type, coding, isFalse, length, body }) {
  const bytes = bytesOf(body, coding, isFalse !== true);
  const text = TEXTS[/** @type {import('./known-keys.mjs').KnownText} */ (caller)];
  const lines = ['Host', 'x', 'Content-Type', type];
  if (text !== undefined) lines.push('Authorization', `Bearer ${text}`, 'X-API-Key', text);
  if (coding !== undefined) lines.push('Content-Encoding', coding);
  if (length === '') lines.push('Transfer-Encoding', 'chunked');
  else lines.push('Content-Length', length ?? String(bytes.length));
  return new Promise((resolve) => {
    const req = requestOf({ method, url, lines, body: bytes });
    const pass = (/** @type {unknown} */ error) => resolve(new Error(`next(${describeThrown(error)})`));
    try {
      router?.[0](req, responseTo(req, resolve), pass);
    } catch (error) {
      resolve(new Error(`it throws ${describeThrown(error)}`));
    }
  });
}

/**
 * @param {BodyInput} input
 * @param {import('./body-targets.mjs').Target} target
 * @param {import('./plain-exchange.mjs').PlainAnswer} answer
 */
function judge(input, target, { status, body, headers }) {
  const { to, caller } = input;
  const answer = JSON.parse(body === '' ? 'null' : body);
  const isGood = status < 300;
  if (target.callers !== undefined && caller !== 'good' && status !== 401) {
    return isGood
      ? falseAccept(`${to} serves ${caller || 'nobody'}`)
      : wrong(`${to} answers ${caller || 'nobody'} ${status}`);
  }
  if (!target.statuses.includes(status)) return wrong(`${to} answers ${status} ${body.slice(0, 300)}`);
  if (isGood && target.accepts?.(answer) && !asksForGood(input, target))
    return falseAccept(`${to} calls it good`);
  if (isPlainlyGood(input, target) && !(isGood && target.accepts?.(answer) !== false)) {
    return falseRefusal(`${to} answers ${status} ${body.slice(0, 300)}`);
  }
  if (!isKnownBody(status, answer)) return wrong(`${to} answers ${status} ${body.slice(0, 300)}`);
  return leaks(to, answer, headers) ? wrong(`the answer of ${to} holds the marker`) : undefined;
}

/** What a body says to one who reads it with care. @param {BodyInput} input @param {import('./body-targets.mjs').Target} target */
function asksForGood({ body }, { speaks, good = {} }) {
  const text = Buffer.from(body, 'latin1').toString('utf8');
  const said = speaks === 'form' ? Object.fromEntries(new URLSearchParams(text)) : parsed(text);
  return Object.entries(good).every(
    ([name, value]) => said?.[name] === value || isGoodKey(value, said?.[name]),
  );
}

/** Where it asks about a key, any good one will do. @param {unknown} wanted @param {unknown} given */
function isGoodKey(wanted, given) {
  return wanted === TEXTS.good && (given === TEXTS.pair || given === TEXTS.foreign);
}

/** @param {string} text @returns {any} */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** @param {BodyInput} input @param {import('./body-targets.mjs').Target} target */
function isPlainlyGood({ caller, type, coding, length, body }, { speaks, good }) {
  if (speaks !== 'json') return speaks === undefined && caller === 'good';
  return (
    caller === 'good' &&
    type === 'application/json' &&
    coding === undefined &&
    length === undefined &&
    body === JSON.stringify(good)
  );
}

/**
 * One vendor's answer repeats the id that it was asked about, whatever it was, and a new key is shown once.
 *
 * @param {string} to
 * @param {any} answer
 * @param {Readonly<Record<string, unknown>>} headers
 */
function leaks(to, answer, headers) {
  const shown = to === 'endor' && answer !== null ? { ...answer, key: '' } : answer;
  const isNamed = ['create', 'update', 'rotate'].includes(to) && answer?.code === undefined;
  return !isNamed && `${JSON.stringify(shown)} ${Object.values(headers).join()}`.includes(MARKER);
}
