import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import {
  createApiKeys,
  type Found,
  type KeyRecord,
  type KeyVerifier,
  MemoryKeyStore,
} from '../../lib/index.ts';
import { answers, FaultStore, lagsBehind, rejects } from '../support/fault-store.ts';
import { advance, holdClocks, openBench, outcomeOf, PREFIX, settle } from '../support/key-bench.ts';
import { START_MS } from '../support/open-keys.ts';
import { buildRecord, digestOf } from '../support/records.ts';

beforeEach(holdClocks);
afterEach(() => {
  jest.useRealTimers();
});

const TTL_MS = 10_000;
const DOWN = rejects(new Error('down'));

test('an answer that cannot be understood takes away what could have bridged the fault after it', async () => {
  const { apiKeys, store, key } = await openBench();
  await apiKeys.verify(key);
  await advance(TTL_MS);
  store.next('findByDigest', DOWN, answers({ id: 'what?' }), DOWN);
  const outcomes: string[] = [];
  for (let times = 0; times < 3; times += 1) outcomes.push(await outcomeOf(apiKeys.verify(key)));
  expect(outcomes).toEqual(['accepted', 'temporarily_unavailable', 'temporarily_unavailable']);
});

test('a store that can only find keys is read, and nothing is written to it', async () => {
  const bench = await openBench();
  const findByDigest = (digests: readonly string[]) => bench.memory.findByDigest(digests);
  const peppers = [{ id: 'p1', secret: 'p'.repeat(32) }];
  const apiKeys = createApiKeys({ store: { findByDigest }, prefix: PREFIX, peppers, cache: false });
  expect(await outcomeOf(apiKeys.verify(bench.key))).toBe('accepted');
});

describe('what one text of a key told', () => {
  /** A key in its grace, of which both texts are cached; then another process changes it, and the new text is read. */
  async function openEnded(end: 'revoke' | 'disable') {
    const bench = await openBench();
    const { apiKeys, key: oldText, apiKey } = bench;
    const { key: newText } = await apiKeys.rotate(apiKey.id);
    const before = await bench.record();
    for (const text of [oldText, newText]) expect(await outcomeOf(apiKeys.verify(text))).toBe('accepted');
    const other = bench.otherProcess();
    await other[end](apiKey.id);
    await advance(TTL_MS);
    expect(await outcomeOf(apiKeys.verify(newText))).toBe(`${end}d`);
    return { ...bench, other, oldText, newText, before };
  }

  test.each(['revoke', 'disable'] as const)('holds for the other while the store fails: %s', async (end) => {
    const { apiKeys, store, oldText } = await openEnded(end);
    store.always('findByDigest', DOWN);
    expect(await outcomeOf(apiKeys.verify(oldText))).toBe('temporarily_unavailable');
  });

  test('of a change that ended nothing lets the other bridge a fault', async () => {
    const { apiKeys, store, otherProcess, apiKey, key } = await openBench();
    const { key: newText } = await apiKeys.rotate(apiKey.id);
    for (const text of [key, newText]) await apiKeys.verify(text);
    await otherProcess().update(apiKey.id, { name: 'renamed' });
    await advance(TTL_MS);
    await apiKeys.verify(newText);
    store.always('findByDigest', DOWN);
    expect(await outcomeOf(apiKeys.verify(key))).toBe('accepted');
  });

  test('of a revocation, no replica that lags behind takes back', async () => {
    const { apiKeys, store, newText, before } = await openEnded('revoke');
    await advance(TTL_MS);
    store.always('findByDigest', lagsBehind(before));
    expect(await outcomeOf(apiKeys.verify(newText))).toBe('revoked');
  });

  test('of a key that is disabled, a later version takes back, and an earlier one does not', async () => {
    const { apiKeys, store, newText, before, other, apiKey } = await openEnded('disable');
    await advance(TTL_MS);
    store.always('findByDigest', lagsBehind(before));
    expect(await outcomeOf(apiKeys.verify(newText))).toBe('temporarily_unavailable');
    store.always('findByDigest', (real) => real());
    await other.enable(apiKey.id);
    await advance(TTL_MS);
    expect(await outcomeOf(apiKeys.verify(newText))).toBe('accepted');
  });

  test('counts too where its owner could not be asked', async () => {
    let isDown = false;
    const bench = await openBench({
      ownerStatus: () => (isDown ? Promise.reject(new Error('down')) : 'active'),
    });
    const { apiKeys, store, apiKey, key } = bench;
    const { key: newText } = await apiKeys.rotate(apiKey.id);
    for (const text of [key, newText]) await apiKeys.verify(text);
    await bench.otherProcess().update(apiKey.id, { name: 'renamed' });
    await advance(TTL_MS);
    isDown = true;
    const read = await outcomeOf(apiKeys.verify(newText));
    store.always('findByDigest', DOWN);
    expect([read, await outcomeOf(apiKeys.verify(key))]).toEqual([
      'temporarily_unavailable',
      'temporarily_unavailable',
    ]);
  });
});

describe('a verifier that says that the old key was presented', () => {
  const OLD_DIGEST = digestOf('old');

  /** Over one record, which is found by its id. */
  function openSaying(record: KeyRecord, found: Omit<Found, 'record'>) {
    const store = new FaultStore(new MemoryKeyStore([record]), { without: ['watch'] });
    const verifier: KeyVerifier = {
      name: 'theirs',
      examples: ['theirs-1'],
      matches: (text) => text.startsWith('theirs-'),
      async find(_text, lookup) {
        const answer = await lookup.byId(record.id);
        return answer && { record: answer, ...found };
      },
    };
    return { store, apiKeys: createApiKeys({ store, prefix: PREFIX, verifiers: [verifier] }) };
  }

  const expiresAt = new Date(START_MS + 60_000);
  const rotated = buildRecord(1, { previous: { digest: OLD_DIGEST, expiresAt } });

  test('is believed, and its grace counts', async () => {
    const { apiKeys } = openSaying(rotated, { previous: true });
    expect(await apiKeys.verify('theirs-1')).toMatchObject({ ok: true, graceUntil: expiresAt });
  });

  test('of a record that has none is believed, so that there is no grace', async () => {
    const { apiKeys } = openSaying(buildRecord(1), { previous: true });
    expect(await outcomeOf(apiKeys.verify('theirs-1'))).toBe('rotated');
  });

  test.each([
    [true, OLD_DIGEST, 0],
    [true, digestOf('newer'), 1],
    [false, rotated.digest, 0],
    [false, digestOf('newer'), 1],
  ])('has it moved where it is not there yet: %j, to %s', async (previous, rehash, writes) => {
    const { apiKeys, store } = openSaying(rotated, { previous, rehash });
    expect(await outcomeOf(apiKeys.verify('theirs-1'))).toBe('accepted');
    await settle();
    expect(store.count('update')).toBe(writes);
    const member = previous ? { previous: { digest: rehash } } : { digest: rehash };
    if (writes > 0) expect(store.asked('update')[0]?.[1]).toMatchObject(member);
  });
});
