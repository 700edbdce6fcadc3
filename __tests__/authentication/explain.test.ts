import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { type ApiKeys, type KeyEvent, keyPairs } from '../../lib/index.ts';
import { Canary } from '../support/canary.ts';
import { detail, hitches } from '../support/explained.ts';
import { advance, holdClocks, openBench, outcomeOf, UNKNOWN_KEY } from '../support/key-bench.ts';
import { START_MS } from '../support/open-keys.ts';

beforeEach(holdClocks);
afterEach(() => {
  jest.useRealTimers();
});

const HOUR_MS = 3_600_000;
const later = (ms: number): Date => new Date(START_MS + ms);

test('a good key passes every step, in the order in which they decide', async () => {
  const { apiKeys, key, apiKey } = await openBench();
  const explanation = await apiKeys.explain(key);

  expect(explanation).toMatchObject({ verdict: 'accepted', apiKey: { id: apiKey.id } });
  expect(explanation.steps.map(({ step, outcome }) => `${step}: ${outcome}`)).toEqual([
    'shape: pass',
    'checksum: pass',
    'environment: pass',
    'cache: info',
    'store: pass',
    'version: pass',
    'revoked: pass',
    'disabled: pass',
    'owner_inactive: pass',
    'rotated: pass',
    'expired: pass',
    'not_yet_valid: pass',
    'wrong_environment: pass',
  ]);
});

describe('a text of no shape is refused for what is wrong with it', () => {
  const shapes: [string, (key: string) => string, string][] = [
    ['another prefix', (key) => key.replace('acme', 'other'), 'it does not begin with "acme_"'],
    ['another environment', (key) => key.replace('live', 'prod'), 'stands neither "live_" nor "test_"'],
    ['a cut key', (key) => key.slice(0, -3), 'it has 45 characters, and keys of this prefix have 48'],
    ['a strange character', (key) => `${key.slice(0, 20)}-${key.slice(21)}`, 'character 21 is none of 0-9'],
    ['a blank behind it', (key) => `${key} `, 'white space stands before or behind it'],
    ['a line end behind it', (key) => `${key}\n`, 'white space stands before or behind it'],
    ['quotes', (key) => `"${key}"`, 'a quotation mark stands before or behind it'],
    ['a scheme', (key) => `Bearer ${key}`, 'the scheme of the header field stands before it'],
    ['a foreign letter', (key) => `${key.slice(0, 20)}é${key.slice(21)}`, 'no header field may carry'],
    ['nothing', () => '', 'it is empty'],
    ['too much', (key) => key.repeat(11), 'It has 528 characters, and is longer than any key'],
  ];

  test.each(shapes)('%s', async (_, spoil, why) => {
    const { apiKeys, key, store } = await openBench({ verifiers: [keyPairs()] });
    const explanation = await apiKeys.explain(spoil(key));

    expect(explanation).toMatchObject({ verdict: 'refused', reason: 'malformed' });
    expect(hitches(explanation)).toEqual(['shape: fail']);
    expect(detail(explanation, 'shape')).toContain(why);
    expect(store.count('findByDigest')).toBe(0);
    expect(await outcomeOf(apiKeys.verify(spoil(key)))).toBe('malformed');
  });

  test('what is no text', async () => {
    const { apiKeys } = await openBench();
    expect(await apiKeys.explain(undefined as unknown as string)).toMatchObject({
      reason: 'malformed',
      steps: [{ detail: 'It is no text.' }],
    });
  });
});

test('a mistyped key has the shape and not the checksum', async () => {
  const { apiKeys, key } = await openBench();
  const mistyped = key.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'));
  const explanation = await apiKeys.explain(mistyped);

  expect(hitches(explanation)).toEqual(['checksum: fail']);
  expect(explanation.reason).toBe('malformed');
});

test('a key for another environment says so before the store is asked', async () => {
  const { apiKeys, store, otherProcess } = await openBench();
  const { key } = await otherProcess({ environment: 'test' }).create({
    name: 'CI',
    organization: { id: 'org_1' },
  });
  const explanation = await apiKeys.explain(key);

  expect(explanation.reason).toBe('wrong_environment');
  expect(detail(explanation, 'environment')).toBe('It is for test; accepted here: live.');
  expect(store.count('findByDigest')).toBe(0);
});

describe('the checks of a record', () => {
  const iso = (ms: number) => later(ms).toISOString();
  type Change = (apiKeys: ApiKeys, id: string) => Promise<unknown>;
  const checks: [string, Change, string, number][] = [
    ['revoked', (keys, id) => keys.revoke(id), `It was revoked at ${iso(0)}.`, 0],
    ['disabled', (keys, id) => keys.disable(id), 'It is disabled.', 0],
    [
      'rotated',
      (keys, id) => keys.rotate(id, { gracePeriodMs: HOUR_MS }),
      `It is the old key of its record, whose grace ends at ${iso(HOUR_MS)}; it is ${iso(HOUR_MS)}.`,
      HOUR_MS,
    ],
    [
      'expired',
      (keys, id) => keys.update(id, { expiresAt: later(HOUR_MS) }),
      `It ends at ${iso(HOUR_MS)}; it is ${iso(HOUR_MS)}.`,
      HOUR_MS,
    ],
    [
      'not_yet_valid',
      (keys, id) => keys.update(id, { notBefore: later(HOUR_MS) }),
      `It works from ${iso(HOUR_MS)}; it is ${iso(5)}.`,
      5,
    ],
  ];

  test.each(checks)('%s: the times that were compared are told', async (reason, change, told, afterMs) => {
    const { apiKeys, key, apiKey } = await openBench();
    await change(apiKeys, apiKey.id);
    await advance(afterMs);
    const explanation = await apiKeys.explain(key);

    expect(explanation).toMatchObject({ verdict: 'refused', reason, apiKey: { id: apiKey.id } });
    expect(explanation.steps.find(({ outcome }) => outcome === 'fail')?.step).toBe(reason);
    expect(detail(explanation, reason)).toBe(told);
    expect(await outcomeOf(apiKeys.verify(key))).toBe(reason);
  });

  test('those behind the one that decides are told as well', async () => {
    const { apiKeys, key, apiKey } = await openBench({ input: { expiresAt: later(HOUR_MS) } });
    await apiKeys.disable(apiKey.id);
    await apiKeys.revoke(apiKey.id);
    await advance(HOUR_MS);
    const explanation = await apiKeys.explain(key);

    expect(explanation.reason).toBe('revoked');
    expect(hitches(explanation).slice(1)).toEqual(['revoked: fail', 'disabled: fail', 'expired: fail']);
  });

  test.each<['active' | 'inactive', string, string]>([
    ['active', 'accepted', 'Nothing is known against its owner.'],
    ['inactive', 'refused', 'Its owner is not active, says ownerStatus().'],
  ])('an owner who is %s', async (status, verdict, told) => {
    const { apiKeys, key } = await openBench({ ownerStatus: () => status });
    const explanation = await apiKeys.explain(key);

    expect(explanation.verdict).toBe(verdict);
    expect(detail(explanation, 'owner_inactive')).toBe(told);
  });

  test('nobody is asked about the owner of a key that has ended', async () => {
    const ownerStatus = jest.fn<() => 'active'>(() => 'active');
    const { apiKeys, key, apiKey } = await openBench({ ownerStatus });
    await apiKeys.revoke(apiKey.id);

    expect((await apiKeys.explain(key)).reason).toBe('revoked');
    expect(ownerStatus).not.toHaveBeenCalled();
  });
});

describe('it leaves nothing behind:', () => {
  test('no entry, no use, no decision, no count', async () => {
    const events: KeyEvent[] = [];
    const { apiKeys, key, store, record } = await openBench({ onEvent: (event) => events.push(event) });
    await apiKeys.explain(key);
    await apiKeys.explain(UNKNOWN_KEY);
    await advance(120_000);

    expect(events.filter(({ type }) => type === 'decision' || type === 'refusals')).toEqual([]);
    expect(store.count('recordUse')).toBe(0);
    expect((await record()).lastUsedAt).toBeUndefined();
    const before = store.count('findByDigest');
    await apiKeys.verify(key);
    await apiKeys.verify(UNKNOWN_KEY);
    expect(store.count('findByDigest') - before).toBe(2);
  });

  test('which entry goes first stays as it was', async () => {
    const { apiKeys, key, store } = await openBench({ cache: { maxEntries: 2 } });
    const [second, third] = await Promise.all(
      ['2', '3'].map((name) => apiKeys.create({ name, organization: { id: 'org_1' } })),
    );
    await apiKeys.verify(key);
    await apiKeys.verify(second?.key ?? '');
    await apiKeys.explain(key);
    await apiKeys.verify(third?.key ?? '');
    const before = store.count('findByDigest');
    await apiKeys.verify(second?.key ?? '');

    expect(store.count('findByDigest')).toBe(before);
  });

  test('no record moves to the newest pepper', async () => {
    const [old, newer] = ['a', 'b'].map((id) => ({ id, secret: id.repeat(32) }));
    const { key, otherProcess, record } = await openBench({ peppers: [old] as NonNullable<typeof old>[] });
    await otherProcess({ peppers: [newer, old] as NonNullable<typeof old>[] }).explain(key);
    await advance(1_000);

    expect((await record()).digest).toMatch(/^hmac-sha256:a:/);
  });
});

test('an explanation holds no key and no digest', async () => {
  const pepper = { id: 'p1', secret: 'hunter2-hunter2-hunter2-hunter2-hunter2' };
  const { apiKeys, key, store } = await openBench({ peppers: [pepper] });
  const canary = new Canary([pepper]);
  canary.hideKey(key);
  const explanations = [await apiKeys.explain(key), await apiKeys.explain(`Bearer ${key}`)];
  store.next('findByDigest', (_real) =>
    Promise.reject(new Error(`no ${JSON.stringify(store.asked('findByDigest'))}`)),
  );
  explanations.push(await apiKeys.explain(key));

  expect(explanations.map(({ verdict }) => verdict)).toEqual(['accepted', 'refused', 'unavailable']);
  expect(canary.leaksIn(explanations)).toEqual([]);
});

test('after close() nothing is explained', async () => {
  const { apiKeys, key } = await openBench();
  await apiKeys.close();

  await expect(apiKeys.explain(key)).rejects.toMatchObject({ code: 'temporarily_unavailable' });
});
