import { describe, expect, test } from '@jest/globals';
import {
  ApiKeyError,
  createApiKeys,
  DuplicateKeyError,
  type KeyRecord,
  MemoryKeyStore,
  StoreUnavailableError,
} from '../../lib/index.ts';
import {
  answers,
  answersAtOnce,
  answersThenable,
  createGate,
  type Fault,
  hangs,
  rejects,
  settlesTwice,
  spoils,
  throws,
} from '../support/fault-store.ts';
import {
  type KeyBench,
  makeStrangeKeys,
  openBench,
  outcomeOf,
  PREFIX,
  settle,
  UNKNOWN_KEY,
} from '../support/key-bench.ts';
import { KEY_INPUT, START_MS } from '../support/open-keys.ts';
import { digestOf } from '../support/records.ts';

/** A driver's error that claims to be a refusal. */
const CLAIMS_401 = Object.assign(new Error('Unauthorized'), {
  status: 401,
  statusCode: 401,
  code: 'invalid_token',
});

const ABORTED = Object.assign(new Error('This operation was aborted'), {
  name: 'AbortError',
  code: 'ABORT_ERR',
});

const UNREADABLE_ERROR = new Proxy(
  {},
  {
    get() {
      throw new Error('no member of this can be read');
    },
  },
);

/** No answer came, so what was read earlier may still decide. */
const FAILURES: readonly [name: string, fault: Fault][] = [
  ['throws an Error at once', throws(new Error('down'))],
  ['throws undefined at once', throws(undefined)],
  ['throws null at once', throws(null)],
  ['throws a text', throws('down')],
  ['rejects with an Error', rejects(new Error('down'))],
  ['rejects with undefined', rejects(undefined)],
  ['rejects with null', rejects(null)],
  ['rejects with 0', rejects(0)],
  ['rejects with { status: 401 }', rejects({ status: 401 })],
  ['rejects with an Error of status 401', rejects(CLAIMS_401)],
  ['rejects with a refusal of this package', rejects(new ApiKeyError('invalid_token', 'no'))],
  ['rejects with { ok: false }', rejects({ ok: false, reason: 'unknown' })],
  ['rejects with an AbortError', rejects(ABORTED)],
  ['rejects with a StoreUnavailableError', rejects(new StoreUnavailableError('down'))],
  ['rejects with a DuplicateKeyError', rejects(new DuplicateKeyError('digest'))],
  ['rejects with what cannot be read', rejects(UNREADABLE_ERROR)],
  ['hangs', hangs()],
  ['is a thenable that rejects', settlesTwice(new Error('down'), new Error('down'))],
  ['settles with nothing, then fails', settlesTwice(undefined, new Error('down'))],
  ['settles twice with nothing', settlesTwice(undefined, undefined)],
  ['throws while it is waited for', () => thenable(throws(new Error('down')))],
];

function thenable(then: Fault): object {
  return Object.defineProperty({}, 'then', { value: then });
}

/** An answer came, and cannot be believed. */
const GARBAGE: readonly [name: string, value: unknown][] = [
  ['true', true],
  ['false', false],
  ['0', 0],
  ['an empty text', ''],
  ['a record as JSON, cut off', '{"id":"00000000-0000-7'],
  ['an empty object', {}],
  ['an empty array', []],
  ['a row in an array', [{ id: 'a' }]],
  ['a function', () => undefined],
  ['a symbol', Symbol('record')],
  ['a Date', new Date(0)],
  ['an Error that was answered and not thrown', new Error('down')],
  ['a Buffer', Buffer.from('record')],
  ['a Map', new Map([['id', 'a']])],
];

function openQuick(options: Parameters<typeof openBench>[0] = {}): Promise<KeyBench> {
  return openBench({ storeTimeoutMs: 20, ...options });
}

/** What leaves the package is one kind of error, whatever came in. */
async function expectFault(bench: KeyBench, text: string): Promise<StoreUnavailableError> {
  const error: unknown = await Promise.resolve(bench.apiKeys.verify(text)).then(
    (verdict) => verdict,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(StoreUnavailableError);
  expect(error).toMatchObject({ status: 503, code: 'temporarily_unavailable' });
  return error as StoreUnavailableError;
}

describe('a store that fails', () => {
  test.each(FAILURES)(
    'is a fault and no refusal, for good keys and unknown ones: %s',
    async (_name, fault) => {
      const bench = await openQuick();
      bench.store.next('findByDigest', fault, fault);
      await expectFault(bench, bench.key);
      await expectFault(bench, UNKNOWN_KEY);
      expect(await outcomeOf(bench.apiKeys.verify(bench.key))).toBe('accepted');
      expect(await outcomeOf(bench.apiKeys.verify(UNKNOWN_KEY))).toBe('unknown');
    },
  );

  test.each(FAILURES)('may be bridged by what was read before: %s', async (_name, fault) => {
    const clock = { ms: START_MS };
    const bench = await openQuick({ now: () => clock.ms });
    await bench.apiKeys.verify(bench.key);
    clock.ms += 10_000;
    bench.store.next('findByDigest', fault);
    expect(await outcomeOf(bench.apiKeys.verify(bench.key))).toBe('accepted');
    expect(bench.store.count('findByDigest')).toBe(2);
  });
});

describe('a store that answers nonsense', () => {
  test.each(GARBAGE)('is a fault and no refusal: %s', async (_name, value) => {
    const bench = await openQuick();
    bench.store.next('findByDigest', answers(value), answersAtOnce(value));
    await expectFault(bench, bench.key);
    await expectFault(bench, UNKNOWN_KEY);
    expect(await outcomeOf(bench.apiKeys.verify(bench.key))).toBe('accepted');
  });

  test.each(GARBAGE)(
    'is not bridged, since it may be the news that the key has ended: %s',
    async (_name, value) => {
      const clock = { ms: START_MS };
      const bench = await openQuick({ now: () => clock.ms });
      await bench.apiKeys.verify(bench.key);
      clock.ms += 10_000;
      bench.store.next('findByDigest', answers(value));
      await expectFault(bench, bench.key);
    },
  );
});

describe('a store that answers in an unusual way', () => {
  test.each([
    ['at once', answersAtOnce],
    ['by a promise', answers],
    ['by a thenable', answersThenable],
  ])('is understood: %s', async (_how, fault) => {
    const bench = await openQuick();
    const record = await bench.record();
    bench.store.next('findByDigest', fault(record), fault(undefined), fault(null));
    const [strange = ''] = await makeStrangeKeys(1);
    expect(await outcomeOf(bench.apiKeys.verify(bench.key))).toBe('accepted');
    expect(await outcomeOf(bench.apiKeys.verify(UNKNOWN_KEY))).toBe('unknown');
    expect(await outcomeOf(bench.apiKeys.verify(strange))).toBe('unknown');
    expect(bench.store.count('findByDigest')).toBe(3);
  });

  test('is read once: what it does to its object later, nobody sees', async () => {
    const bench = await openQuick();
    const mine = { ...(await bench.record()), scopes: ['a:read'], expiresAt: new Date(9e12) };
    bench.store.next('findByDigest', answers(mine));
    const verdict = await bench.apiKeys.verify(bench.key);
    mine.scopes.push('admin:*');
    mine.expiresAt.setTime(0);
    Object.assign(mine, { enabled: false, organization: { id: 'org_2' } });
    expect(await bench.apiKeys.verify(bench.key)).toBe(verdict);
    expect(verdict.apiKey?.scopes).toEqual(['a:read']);
    expect(verdict.apiKey?.organization.id).toBe('org_1');
  });

  test('gives nothing through a prototype', async () => {
    const bench = await openQuick();
    const { scopes: _scopes, ...own } = await bench.record();
    const record = Object.assign(Object.create({ scopes: ['admin:*'], expiresAt: new Date(9e12) }), own);
    bench.store.next('findByDigest', answers(record));
    const verdict = await bench.apiKeys.verify(bench.key);
    expect(verdict).toMatchObject({ ok: true, apiKey: { scopes: [] } });
    expect(verdict.apiKey).not.toHaveProperty('expiresAt');
  });
});

describe('a late answer', () => {
  test('does not decide, and does not fill the cache', async () => {
    const bench = await openQuick();
    const gate = createGate();
    bench.store.next('findByDigest', async (real) => {
      await gate.opened;
      return real();
    });
    await expectFault(bench, bench.key);
    gate.open();
    await settle();
    bench.store.next('findByDigest', rejects(new Error('down')));
    await expectFault(bench, bench.key);
  });

  test('that nothing was found does not fill the cache either', async () => {
    const bench = await openQuick();
    const gate = createGate();
    bench.store.next('findByDigest', async () => {
      await gate.opened;
      return undefined;
    });
    await expectFault(bench, bench.key);
    gate.open();
    await settle();
    expect(await outcomeOf(bench.apiKeys.verify(bench.key))).toBe('accepted');
  });

  test('that it failed ends in no unhandled rejection', async () => {
    const bench = await openQuick();
    const gate = createGate();
    bench.store.next('findByDigest', async () => {
      await gate.opened;
      throw new Error('down at last');
    });
    await expectFault(bench, bench.key);
    gate.open();
    await settle();
    expect(await outcomeOf(bench.apiKeys.verify(bench.key))).toBe('accepted');
  });
});

describe('the record of another key', () => {
  async function openTwo(): Promise<KeyBench & { readonly foreign: KeyRecord }> {
    const bench = await openQuick();
    const other = await bench.apiKeys.create({ ...KEY_INPUT, organization: { id: 'org_2' } });
    return { ...bench, foreign: (await bench.memory.findById(other.apiKey.id)) as KeyRecord };
  }

  test('is a fault and never a key', async () => {
    const bench = await openTwo();
    bench.store.next('findByDigest', answers(bench.foreign), answers(bench.foreign));
    await expectFault(bench, bench.key);
    await expectFault(bench, UNKNOWN_KEY);
  });

  test('is a fault also where the right one was read before', async () => {
    const clock = { ms: START_MS };
    const bench = await openQuick({ now: () => clock.ms });
    const other = await bench.apiKeys.create({ ...KEY_INPUT, organization: { id: 'org_2' } });
    await bench.apiKeys.verify(bench.key);
    clock.ms += 10_000;
    bench.store.next('findByDigest', answers(await bench.memory.findById(other.apiKey.id)));
    await expectFault(bench, bench.key);
  });

  test.each([
    ['other letter cases', (digest: string) => digest.toLowerCase()],
    ['another pepper', (digest: string) => digest.replace('sha256:', 'hmac-sha256:p1:')],
    ['another last character', (digest: string) => `${digest.slice(0, -1)}_`],
  ])('is told by %s in its digest', async (_what, change) => {
    const bench = await openTwo();
    bench.store.next(
      'findByDigest',
      spoils((record) => ({ ...record, digest: change(record.digest) })),
    );
    await expectFault(bench, bench.key);
  });

  test('and the right one, for one text, are a fault', async () => {
    const { foreign } = await openTwo();
    const record = { ...foreign, digest: digestOf(UNKNOWN_KEY) };
    const memory = new MemoryKeyStore([
      record,
      {
        ...record,
        id: 'other',
        digest: digestOf('x'),
        previous: { digest: record.digest, expiresAt: new Date(9e12) },
      },
    ]);
    const apiKeys = createApiKeys({ store: memory, prefix: PREFIX });
    expect(await outcomeOf(apiKeys.verify(UNKNOWN_KEY))).toBe('temporarily_unavailable');
  });
});
