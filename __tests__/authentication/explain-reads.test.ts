import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { ApiKeys, KeyRecord } from '../../lib/index.ts';
import { detail, hitches } from '../support/explained.ts';
import { answers, hangs, lagsBehind, rejects } from '../support/fault-store.ts';
import {
  advance,
  holdClocks,
  openBench,
  openWatching,
  outcomeOf,
  UNKNOWN_KEY,
} from '../support/key-bench.ts';
import { START_MS } from '../support/open-keys.ts';

beforeEach(holdClocks);
afterEach(() => {
  jest.useRealTimers();
});

/** What `explain` and then `verify` say of a text. */
async function bothOf(apiKeys: ApiKeys, text: string): Promise<[explained: string, verified: string]> {
  const { verdict, reason, error } = await apiKeys.explain(text);
  const explained = verdict === 'refused' ? String(reason) : verdict;
  return [error?.code ?? explained, await outcomeOf(apiKeys.verify(text))];
}

describe('the cache', () => {
  test('a fresh entry decides, and its age is told', async () => {
    const { apiKeys, key, otherProcess, apiKey } = await openBench();
    await apiKeys.verify(key);
    await otherProcess().revoke(apiKey.id);
    await advance(4_000);
    const explanation = await apiKeys.explain(key);

    expect(explanation.verdict).toBe('accepted');
    expect(detail(explanation, 'cache')).toBe(
      'It is held with version 1, read 4000 ms ago: this decides for up to 6000 ms more.',
    );
    expect(detail(explanation, 'store')).toContain('found a record, of version 2,');
    expect(await outcomeOf(apiKeys.verify(key))).toBe('accepted');
  });

  test('an entry that is too old decides only while the store fails', async () => {
    const { apiKeys, key, store } = await openBench();
    await apiKeys.verify(key);
    await advance(11_000);
    store.always('findByDigest', rejects(new Error('down')));
    const explanation = await apiKeys.explain(key);

    expect(explanation.verdict).toBe('accepted');
    expect(detail(explanation, 'cache')).toMatch(
      /read 11000 ms ago, which is too long ago.*unless it fails\.$/,
    );
    expect(detail(explanation, 'store')).toMatch(/^No answer in [\d.]+ ms: findByDigest\(\) failed\.$/);
    expect(await outcomeOf(apiKeys.verify(key))).toBe('accepted');
  });

  test('an entry that is too old for that decides nothing', async () => {
    const { apiKeys, key, store } = await openBench();
    await apiKeys.verify(key);
    await advance(40_001);
    store.always('findByDigest', rejects(new Error('down')));

    expect(await bothOf(apiKeys, key)).toEqual(['temporarily_unavailable', 'temporarily_unavailable']);
    expect(detail(await apiKeys.explain(key), 'cache')).toMatch(/so the store decides\.$/);
  });

  test('nor does an older one while the store answers what cannot be read', async () => {
    const { apiKeys, key, store } = await openBench();
    await apiKeys.verify(key);
    await advance(11_000);
    store.always('findByDigest', answers({ id: 'what?' }));

    expect(await bothOf(apiKeys, key)).toEqual(['temporarily_unavailable', 'temporarily_unavailable']);
  });

  test('without staleIfErrorMs, nor one that must be read again', async () => {
    const { apiKeys, key, store } = await openWatching({ cache: { staleIfErrorMs: 0 } });
    store.tell({ type: 'lost' });
    store.always('findByDigest', rejects(new Error('down')));

    expect(await bothOf(apiKeys, key)).toEqual(['temporarily_unavailable', 'temporarily_unavailable']);
  });

  test('an entry past the end that it knew of does not decide: there may be a later end', async () => {
    const expiresAt = new Date(START_MS + 5_000);
    const { apiKeys, key, apiKey, otherProcess } = await openBench({ input: { expiresAt } });
    await apiKeys.verify(key);
    await otherProcess().update(apiKey.id, { expiresAt: new Date(START_MS + 60_000) });
    await advance(5_000);

    expect(await bothOf(apiKeys, key)).toEqual(['accepted', 'accepted']);
  });

  test('an entry of a key that was changed here decides nothing', async () => {
    const { apiKeys, key, apiKey } = await openBench();
    await apiKeys.verify(key);
    await apiKeys.disable(apiKey.id);
    const explanation = await apiKeys.explain(key);

    expect(explanation.reason).toBe('disabled');
    expect(detail(explanation, 'cache')).toContain('and may have changed since');
  });

  test('a text that is remembered as unknown is refused, whatever the store says by now', async () => {
    const { apiKeys, key, apiKey, memory, record } = await openBench();
    const kept: KeyRecord = await record();
    await memory.delete(apiKey.id);
    await apiKeys.verify(key);
    await memory.insert(kept);
    await advance(1_000);
    const explanation = await apiKeys.explain(key);

    expect(explanation).toMatchObject({ verdict: 'refused', reason: 'unknown' });
    expect(detail(explanation, 'store')).toContain('found a record');
    expect(detail(explanation, 'cache')).toBe(
      'It is held as unknown since 1000 ms, and decided so for 4000 ms more.',
    );
  });

  test('a text is unknown no longer when a key was made here since', async () => {
    const { apiKeys, key, apiKey, memory, record } = await openBench();
    const kept: KeyRecord = await record();
    await memory.delete(apiKey.id);
    await apiKeys.verify(key);
    await memory.insert(kept);
    await apiKeys.create({ name: 'Other', organization: { id: 'org_1' } });

    expect(await bothOf(apiKeys, key)).toEqual(['accepted', 'accepted']);
  });
});

describe('the store', () => {
  test('that does not know a key', async () => {
    const { apiKeys } = await openBench();
    const explanation = await apiKeys.explain(UNKNOWN_KEY);

    expect(explanation).toMatchObject({ verdict: 'refused', reason: 'unknown' });
    expect(hitches(explanation)).toEqual(['cache: info', 'store: fail']);
    expect(detail(explanation, 'store')).toMatch(/^findByDigest\(\) found no record in [\d.]+ ms\.$/);
  });

  test('that fails, or does not answer, is no verdict', async () => {
    const { apiKeys, key, store } = await openBench();
    store.next('findByDigest', rejects(new Error('connection refused')), hangs());
    const failed = await apiKeys.explain(key);
    const hanging = apiKeys.explain(key);
    await advance(1_000);

    expect(failed).toMatchObject({
      verdict: 'unavailable',
      error: { code: 'temporarily_unavailable', cause: { message: 'connection refused' } },
    });
    expect(detail(await hanging, 'store')).toBe(
      'No answer in 1000.0 ms: findByDigest() gave no answer within 1000 ms.',
    );
    expect((await hanging).verdict).toBe('unavailable');
  });

  test('that answers with less than is known is no verdict', async () => {
    const { apiKeys, key, apiKey, store, record } = await openBench();
    const old = await record();
    await apiKeys.disable(apiKey.id);
    store.always('findByDigest', lagsBehind(old));

    expect(await bothOf(apiKeys, key)).toEqual(['temporarily_unavailable', 'temporarily_unavailable']);
    expect(detail(await apiKeys.explain(key), 'version')).toContain('A newer version is known here');
  });

  test('that answers with a record from before its end is believed no more than by verify()', async () => {
    const { apiKeys, key, apiKey, store, record } = await openBench();
    const old = await record();
    await apiKeys.revoke(apiKey.id);
    store.always('findByDigest', lagsBehind(old));

    expect(await bothOf(apiKeys, key)).toEqual(['revoked', 'revoked']);
  });
});
