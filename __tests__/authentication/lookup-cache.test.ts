import { describe, expect, test } from '@jest/globals';
import type { CacheName } from '../../lib/authentication/cache-name.ts';
import { Entry, type ReadStamp } from '../../lib/authentication/entry.ts';
import { type CacheConfig, LookupCache } from '../../lib/authentication/lookup-cache.ts';
import { apiKeyOf } from '../../lib/keys/api-key-view.ts';
import { factsOf } from '../../lib/keys/checks.ts';
import { START_MS } from '../support/open-keys.ts';
import { buildRecord } from '../support/records.ts';

const CONFIG: CacheConfig = {
  maxEntries: 10,
  ttlMs: 10_000,
  staleIfErrorMs: 30_000,
  maxMisses: 10,
  missTtlMs: 5_000,
};

const NAME: CacheName = { sha: 'sha', rest: 'one' };
const ID = buildRecord(1).id;

function openCache(config: Partial<CacheConfig> = {}) {
  const time = { ms: 0 };
  const now = () => START_MS + time.ms;
  const cache = new LookupCache({ ...CONFIG, ...config }, { now, monotonic: () => 700 + time.ms });
  return {
    cache,
    time,
    now,
    fresh: (name = NAME) => cache.fresh(name, now()),
    stale: (name = NAME) => cache.stale(name, now()),
    look: (name = NAME) => cache.look(name, now()),
    isMissing: (name = NAME) => cache.isMissing(name, now()),
    /** A key that is read now, kept. */
    keep(expiresAt?: number, stamp: ReadStamp = cache.beginRead(now())): Entry {
      const record = buildRecord(1, expiresAt === undefined ? {} : { expiresAt: new Date(expiresAt) });
      const facts = factsOf(record, { previous: false }, true);
      const entry = new Entry(NAME.rest, apiKeyOf(record), facts, stamp);
      cache.keep(NAME, entry);
      return entry;
    },
  };
}

describe('what is kept under a name', () => {
  test('is nothing for another text of the same hash', () => {
    const { keep, fresh, stale, look, isMissing } = openCache();
    const entry = keep();
    const other = { ...NAME, rest: 'other' };
    expect([fresh(), stale(), look().entry]).toEqual([entry, entry, entry]);
    expect([fresh(other), stale(other), look(other).entry, isMissing(other)]).toEqual([
      undefined,
      undefined,
      undefined,
      false,
    ]);
  });

  test('is not taken away by forgetting another text of the same hash', () => {
    const { cache, keep, fresh, stale } = openCache();
    const entry = keep();
    cache.forget({ ...NAME, rest: 'other' });
    expect(fresh()).toBe(entry);
    cache.forget(NAME);
    expect([fresh(), stale()]).toEqual([undefined, undefined]);
  });

  test('is not looked at where nothing is kept at all', () => {
    const { keep, look, fresh } = openCache({ maxEntries: 0 });
    keep();
    expect(fresh()).toBeUndefined();
    expect(look()).toEqual({
      entry: undefined,
      standing: 'current',
      ageMs: 0,
      leftMs: 0,
      isFresh: false,
      mayBridge: false,
      isMissing: false,
    });
  });
});

describe('for how long an entry decides', () => {
  test.each([
    ['its time', Number.POSITIVE_INFINITY, 10_000],
    ['less, where less is allowed', 5_000, 5_000],
    ['its time, where more would be allowed', 20_000, 10_000],
  ])('is %s', (_what, mostMs, ttlMs) => {
    const { cache, time, keep, fresh, look } = openCache();
    const entry = keep();
    cache.limitTtl(mostMs);
    time.ms = ttlMs - 1;
    expect([fresh(), look().isFresh, look().leftMs]).toEqual([entry, true, 1]);
    time.ms = ttlMs;
    expect([fresh(), look().isFresh, look().leftMs]).toEqual([undefined, false, 0]);
  });

  test('is its time anew once a limit is lifted', () => {
    const { cache, time, keep, fresh } = openCache();
    const entry = keep();
    cache.limitTtl(5_000);
    time.ms = 9_999;
    expect(fresh()).toBeUndefined();
    cache.limitTtl(Number.POSITIVE_INFINITY);
    expect(fresh()).toBe(entry);
  });

  test.each([
    ['lay behind when it was read', -1],
    ['came just when it was read', 0],
  ])('is not cut short by an end that %s: the key is refused without a read each time', (_what, endMs) => {
    const { time, keep, fresh, look } = openCache();
    time.ms = 3_000;
    const entry = keep(START_MS + 3_000 + endMs);
    expect([fresh(), look().isFresh]).toEqual([entry, true]);
    time.ms += 9_999;
    expect(fresh()).toBe(entry);
  });

  test('ends with an end that lay ahead', () => {
    const { time, keep, fresh, look } = openCache();
    time.ms = 3_000;
    keep(START_MS + 3_001);
    time.ms = 3_001;
    expect([fresh(), look().isFresh]).toEqual([undefined, false]);
  });
});

describe('while the store fails', () => {
  test('an entry bridges nothing once its key was changed here, and looking at it says so', () => {
    const { cache, time, keep, stale, look } = openCache();
    const entry = keep();
    time.ms = 10_000;
    expect([stale(), look().mayBridge]).toEqual([entry, true]);
    cache.narrowed(ID, 2, false);
    expect([stale(), look().mayBridge]).toEqual([undefined, false]);
  });

  test('an entry bridges it where any key may have changed, as that is no news of this one', () => {
    const { cache, keep, fresh, stale, look } = openCache();
    const entry = keep();
    cache.readAllAgain();
    expect([fresh(), stale(), look().mayBridge]).toEqual([undefined, entry, true]);
  });
});

describe('a text that was not found', () => {
  test('is missing until something is inserted here', () => {
    const { cache, now, isMissing, look } = openCache();
    cache.keepMiss(NAME, cache.beginRead(now()));
    expect([isMissing(), look().isMissing]).toEqual([true, true]);
    cache.inserted();
    expect([isMissing(), look().isMissing]).toEqual([false, false]);
  });

  test('takes the place of what was known of it', () => {
    const { cache, now, keep, stale } = openCache();
    keep();
    cache.keepMiss(NAME, cache.beginRead(now()));
    expect(stale()).toBeUndefined();
  });

  test('proves nothing of what was inserted while it was looked for', () => {
    const { cache, now, keep, fresh, isMissing } = openCache();
    const stamp = cache.beginRead(now());
    cache.inserted();
    const entry = keep();
    expect(cache.wasOvertaken(stamp)).toBe(true);
    cache.keepMiss(NAME, stamp);
    expect([fresh(), isMissing()]).toEqual([entry, false]);
  });

  test.each([{ missTtlMs: 0 }, { maxMisses: 0 }])('is not kept where none are: %j', (config) => {
    const { cache, now, time, look, keep, stale } = openCache(config);
    keep();
    cache.keepMiss(NAME, cache.beginRead(now()));
    time.ms = 5;
    expect(look()).toMatchObject({ ageMs: 0, leftMs: 0, isMissing: false });
    expect(stale()).toBeUndefined();
  });
});
