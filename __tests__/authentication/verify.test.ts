import { describe, expect, test } from '@jest/globals';
import {
  createApiKeys,
  type KeyLookup,
  type KeyRecord,
  keyRecord,
  MemoryKeyStore,
  StoreUnavailableError,
  type Verdict,
} from '../../lib/index.ts';
import { FaultStore } from '../support/fault-store.ts';
import { type KeyBench, openBench, outcomeOf, PREFIX, UNKNOWN_KEY } from '../support/key-bench.ts';
import { KEY_INPUT, START_MS } from '../support/open-keys.ts';
import { digestOf } from '../support/records.ts';

const HOUR_MS = 3_600_000;

test('a refusal names the key where there is one, and has no such member where there is none', async () => {
  const { apiKeys, key, apiKey } = await openBench();
  expect(await apiKeys.verify('malformed')).toStrictEqual({ ok: false, reason: 'malformed' });
  expect(await apiKeys.verify(UNKNOWN_KEY)).toStrictEqual({ ok: false, reason: 'unknown' });
  await apiKeys.disable(apiKey.id);
  const disabled = await apiKeys.verify(key);
  expect(disabled).toMatchObject({ ok: false, reason: 'disabled', apiKey: { id: apiKey.id } });
  expect(Object.isFrozen(disabled)).toBe(true);
});

describe('a good key', () => {
  test('is accepted with the view that create() answered', async () => {
    const { apiKeys, key, apiKey } = await openBench();
    expect(await apiKeys.verify(key)).toEqual({ ok: true, apiKey });
  });

  test('is answered without a promise once it is known, by one object for all', async () => {
    const { apiKeys, store, key } = await openBench();
    const first = apiKeys.verify(key);
    expect(typeof (first as Promise<Verdict>).then).toBe('function');
    const verdict = await first;
    expect(apiKeys.verify(key)).toBe(verdict);
    expect(apiKeys.verify(key)).toBe(verdict);
    expect(store.count('findByDigest')).toBe(1);
  });

  test('is asked for by all the digests that it can have, in one call', async () => {
    const { apiKeys, store, key } = await openBench({
      peppers: [
        { id: 'p2', secret: 'b'.repeat(32) },
        { id: 'p1', secret: 'a'.repeat(32) },
      ],
    });
    await apiKeys.verify(key);
    const digests = store.asked('findByDigest')[0]?.[0] as readonly string[];
    expect(digests.map((digest) => digest.slice(0, digest.lastIndexOf(':')))).toEqual([
      'hmac-sha256:p2',
      'hmac-sha256:p1',
      'sha256',
    ]);
    expect(digests[2]).toBe(digestOf(key));
  });

  test('gives a view that nobody can change', async () => {
    const { apiKeys, key } = await openBench({ input: { metadata: { limits: { perDay: 5 } } } });
    const verdict = await apiKeys.verify(key);
    if (!verdict.ok) throw new Error('not accepted');
    const { apiKey } = verdict;
    for (const part of [verdict, apiKey, apiKey.organization, apiKey.owner, apiKey.scopes, apiKey.metadata]) {
      expect(Object.isFrozen(part)).toBe(true);
    }
    expect(Object.isFrozen(apiKey.metadata['limits'])).toBe(true);
  });

  test('still expires on time after somebody changed the Date in its view', async () => {
    let now = START_MS;
    const { apiKeys, key } = await openBench({
      now: () => now,
      input: { expiresAt: new Date(START_MS + 5_000) },
    });
    const verdict = await apiKeys.verify(key);
    verdict.apiKey?.expiresAt?.setTime(START_MS + HOUR_MS);
    now += 5_000;
    expect(await outcomeOf(apiKeys.verify(key))).toBe('expired');
  });
});

interface Refusal {
  readonly reason: string;
  readonly arrange: (bench: KeyBench, clock: { ms: number }) => unknown;
}

const REFUSALS: readonly Refusal[] = [
  { reason: 'revoked', arrange: ({ apiKeys, apiKey }) => apiKeys.revoke(apiKey.id) },
  { reason: 'disabled', arrange: ({ apiKeys, apiKey }) => apiKeys.disable(apiKey.id) },
  {
    reason: 'expired',
    arrange: async ({ apiKeys, apiKey }, clock) => {
      await apiKeys.update(apiKey.id, { expiresAt: new Date(clock.ms + HOUR_MS) });
      clock.ms += HOUR_MS;
    },
  },
  {
    reason: 'not_yet_valid',
    arrange: ({ apiKeys, apiKey }, clock) =>
      apiKeys.update(apiKey.id, { notBefore: new Date(clock.ms + HOUR_MS) }),
  },
  {
    reason: 'rotated',
    arrange: async ({ apiKeys, apiKey }, clock) => {
      await apiKeys.rotate(apiKey.id, { gracePeriodMs: HOUR_MS });
      clock.ms += HOUR_MS;
    },
  },
];

describe('a key that is found and refused', () => {
  test.each(REFUSALS)('is told apart as $reason, with its view and after one store call', async (row) => {
    const clock = { ms: START_MS };
    const bench = await openBench({ now: () => clock.ms });
    await row.arrange(bench, clock);
    const verdict = await bench.apiKeys.verify(bench.key);
    expect(verdict).toMatchObject({ ok: false, reason: row.reason, apiKey: { id: bench.apiKey.id } });
    expect(Object.isFrozen(verdict)).toBe(true);
    expect(bench.store.count('findByDigest')).toBe(1);
  });

  test('is refused from the cache without a promise', async () => {
    const { apiKeys, store, key, apiKey } = await openBench();
    await apiKeys.disable(apiKey.id);
    await apiKeys.verify(key);
    expect(apiKeys.verify(key)).toMatchObject({ ok: false, reason: 'disabled' });
    expect(store.count('findByDigest')).toBe(1);
  });

  test('is unknown after a rotation without grace, and so is a deleted one', async () => {
    const { apiKeys, key, apiKey } = await openBench();
    const rotated = await apiKeys.rotate(apiKey.id, { gracePeriodMs: 0 });
    expect(await apiKeys.verify(key)).toEqual({ ok: false, reason: 'unknown' });
    await apiKeys.delete(apiKey.id);
    expect(await apiKeys.verify(rotated.key)).toEqual({ ok: false, reason: 'unknown' });
  });

  test('is of the wrong environment when its record says so, whatever its text says', async () => {
    const { apiKeys, store, key, record } = await openBench();
    store.next('findByDigest', async () => ({ ...(await record()), environment: 'test' }));
    expect(await outcomeOf(apiKeys.verify(key))).toBe('wrong_environment');
  });

  test.each([
    ['revoked before disabled', { revokedAt: new Date(START_MS), enabled: false }, 'revoked'],
    ['revoked although its time lies ahead', { revokedAt: new Date(START_MS + HOUR_MS) }, 'revoked'],
    ['disabled before expired', { enabled: false, expiresAt: new Date(0) }, 'disabled'],
    ['expired before not yet valid', { expiresAt: new Date(0), notBefore: new Date(9e12) }, 'expired'],
    [
      'not yet valid before its environment',
      { notBefore: new Date(9e12), environment: 'test' },
      'not_yet_valid',
    ],
  ] as const)('is %s', async (_order, members, reason) => {
    const { apiKeys, store, key, record } = await openBench({ now: () => START_MS });
    store.next('findByDigest', async () => ({ ...(await record()), ...members }));
    expect(await outcomeOf(apiKeys.verify(key))).toBe(reason);
  });
});

const GOOD_SHAPE = UNKNOWN_KEY;

const NEVER_ASKED: readonly [what: string, text: unknown, reason: string][] = [
  ['no text', undefined, 'malformed'],
  ['null', null, 'malformed'],
  ['a number', 7, 'malformed'],
  ['an object that reads as a key', { toString: () => GOOD_SHAPE }, 'malformed'],
  ['an array of a key', [GOOD_SHAPE], 'malformed'],
  ['a String object', Object(GOOD_SHAPE), 'malformed'],
  ['an empty text', '', 'malformed'],
  ['a text of 100,000 characters', 'a'.repeat(100_000), 'malformed'],
  ['a text of no known shape', 'secret', 'malformed'],
  ['another prefix', GOOD_SHAPE.replace('acme', 'acmf'), 'malformed'],
  ['an upper-case prefix', GOOD_SHAPE.replace('acme', 'ACME'), 'malformed'],
  ['a character too few', GOOD_SHAPE.slice(0, -1), 'malformed'],
  ['a character too many', `${GOOD_SHAPE}0`, 'malformed'],
  ['a line break at the end', `${GOOD_SHAPE}\n`, 'malformed'],
  ['a space in front', ` ${GOOD_SHAPE}`, 'malformed'],
  ['a character that is not base62', GOOD_SHAPE.replace('live_0', 'live_-'), 'malformed'],
  ['a wrong checksum', `${GOOD_SHAPE.slice(0, -1)}${GOOD_SHAPE.endsWith('0') ? '1' : '0'}`, 'malformed'],
  ['a third environment', GOOD_SHAPE.replace('_live_', '_prod_'), 'malformed'],
  ['a digest instead of a key', digestOf(GOOD_SHAPE), 'malformed'],
];

describe('a text that cannot be a good key', () => {
  test.each(NEVER_ASKED)('is refused at once with no store call: %s', async (_what, text, reason) => {
    const { apiKeys, store } = await openBench();
    expect(apiKeys.verify(text as string)).toEqual({ ok: false, reason });
    expect(store.count('findByDigest')).toBe(0);
  });

  test('is refused at once when it is of our shape for another environment, or for another prefix', async () => {
    const memory = new MemoryKeyStore();
    const live = await createApiKeys({ store: memory, prefix: PREFIX, environment: 'live' }).create(
      KEY_INPUT,
    );
    const store = new FaultStore(memory);
    const test = createApiKeys({ store, prefix: PREFIX, environment: 'test' });
    expect(test.verify(live.key)).toEqual({ ok: false, reason: 'wrong_environment' });
    const other = createApiKeys({ store, prefix: 'acme_two' });
    expect(other.verify(live.key)).toEqual({ ok: false, reason: 'malformed' });
    expect(store.count('findByDigest')).toBe(0);
  });

  test('is accepted for each of several environments where they were named', async () => {
    const memory = new MemoryKeyStore();
    const apiKeys = createApiKeys({ store: memory, prefix: PREFIX, environments: ['test', 'live'] });
    for (const environment of ['live', 'test'] as const) {
      const { key } = await apiKeys.create({ ...KEY_INPUT, environment });
      expect(await apiKeys.verify(key)).toMatchObject({ ok: true, apiKey: { environment } });
    }
  });

  test('is asked for once when it could be one, and then known to be unknown', async () => {
    const { apiKeys, store } = await openBench();
    expect(await apiKeys.verify(UNKNOWN_KEY)).toEqual({ ok: false, reason: 'unknown' });
    expect(apiKeys.verify(UNKNOWN_KEY)).toEqual({ ok: false, reason: 'unknown' });
    expect(store.count('findByDigest')).toBe(1);
  });
});

describe('a store of one method', () => {
  class OwnTable implements KeyLookup {
    readonly rows: readonly { id: string; hash: string; tenant: string; rights: string }[];

    constructor(rows: OwnTable['rows']) {
      this.rows = rows;
    }

    async findByDigest(digests: readonly string[]): Promise<KeyRecord | undefined> {
      const row = this.rows.find(({ hash }) => digests.includes(hash));
      if (row === undefined) return undefined;
      return keyRecord({
        id: row.id,
        digest: row.hash,
        organization: { id: row.tenant },
        scopes: row.rights.split(' '),
      });
    }
  }

  const store = new OwnTable([
    { id: 'row-1', hash: digestOf(UNKNOWN_KEY), tenant: 'org_9', rights: 'a:read b:*' },
  ]);

  test('authenticates, with the defaults of create() for what its table does not have', async () => {
    const apiKeys = createApiKeys({ store, prefix: PREFIX });
    expect(await apiKeys.verify(UNKNOWN_KEY)).toMatchObject({
      ok: true,
      apiKey: {
        id: 'row-1',
        organization: { id: 'org_9' },
        owner: { type: 'organization', id: 'org_9' },
        scopes: ['a:read', 'b:*'],
        enabled: true,
        version: 1,
      },
    });
  });

  test('refuses management with the name of the method that it lacks', async () => {
    const apiKeys = createApiKeys({ store, prefix: PREFIX });
    await expect(apiKeys.create(KEY_INPUT)).rejects.toThrow(/insert\(\)/);
    await expect(apiKeys.revoke('row-1')).rejects.toThrow(/findById\(\)/);
  });
});

describe('after close()', () => {
  test('every call is a fault, as a rejection and not thrown at once', async () => {
    const { apiKeys, key } = await openBench();
    await apiKeys.verify(key);
    await apiKeys.close();
    for (const text of [key, 'malformed', undefined]) {
      await expect(apiKeys.verify(text as string)).rejects.toBeInstanceOf(StoreUnavailableError);
    }
  });
});
