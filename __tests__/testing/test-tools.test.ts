import { afterEach, describe, expect, test } from '@jest/globals';
import { type ApiKeys, createApiKeys, MemoryKeyStore } from '../../lib/index.ts';
import { fakeClock, faultStore, testKey } from '../../lib/testing.ts';

const opened: ApiKeys[] = [];

function open(options: Partial<Parameters<typeof createApiKeys>[0]> = {}): ApiKeys {
  const apiKeys = createApiKeys({ store: new MemoryKeyStore(), ...options });
  opened.push(apiKeys);
  return apiKeys;
}

afterEach(async () => {
  await Promise.all(opened.splice(0).map((apiKeys) => apiKeys.close()));
});

describe('testKey', () => {
  test('issues a real key, with defaults for all that create() demands', async () => {
    const apiKeys = open();
    const { key, apiKey } = await testKey(apiKeys);

    expect(await apiKeys.verify(key)).toMatchObject({ ok: true, apiKey: { id: apiKey.id } });
    expect(apiKey).toMatchObject({ name: 'test key', organization: { id: 'org_test' }, scopes: [] });
  });

  test('takes all that create() takes, and undefined for a default', async () => {
    const input = {
      organization: { id: 'org_1' },
      scopes: ['a'],
      environment: 'test',
      name: undefined,
    } as const;
    const { key, apiKey } = await testKey(open(), input);

    expect(apiKey).toMatchObject({ name: 'test key', organization: { id: 'org_1' }, scopes: ['a'] });
    expect(key).toMatch(/^sk_test_/);
  });
});

describe('fakeClock', () => {
  test('stands still until it is moved', async () => {
    const clock = fakeClock();
    const apiKeys = open({ now: clock.now });
    const { key } = await testKey(apiKeys, { expiresAt: new Date(clock.now() + 1_000) });
    const outcomes: unknown[] = [];
    const look = async () => outcomes.push((await apiKeys.verify(key)).ok);

    await look();
    clock.advance(999);
    await look();
    clock.advance(1);
    await look();
    clock.set(clock.now() - 1);
    await look();

    expect(outcomes).toEqual([true, true, false, true]);
  });

  test('begins at a fixed time, or when it is told', () => {
    expect(fakeClock().now()).toBe(Date.UTC(2026, 0, 1));
    expect(fakeClock(5).now()).toBe(5);
    const clock = fakeClock(new Date(7));
    clock.set(new Date(9));
    expect(clock.now()).toBe(9);
  });

  test.each<[string, (clock: ReturnType<typeof fakeClock>) => void]>([
    ['back by advance', (clock) => clock.advance(-1)],
    ['by parts of a millisecond', (clock) => clock.advance(0.5)],
    ['to no time', (clock) => clock.set(Number.NaN)],
    ['to a date that is none', (clock) => clock.set(new Date('never'))],
    ['to a text', (clock) => clock.set('2026-01-01' as never)],
  ])('is not moved %s', (_, move) => {
    const clock = fakeClock();

    expect(() => move(clock)).toThrow(TypeError);
    expect(clock.now()).toBe(Date.UTC(2026, 0, 1));
  });
});

describe('faultStore', () => {
  const down = () => Promise.reject(new Error('down'));

  test('does what it is told, in order, and then what the real one does', async () => {
    const store = faultStore(new MemoryKeyStore());
    const apiKeys = open({ store, cache: false });
    const { key } = await testKey(apiKeys);
    store.next('findByDigest', down, (real) => real());
    store.always('findByDigest', down);
    const ask = () =>
      Promise.resolve(apiKeys.verify(key)).then(
        ({ ok }) => ok,
        (error) => error.code,
      );

    expect([await ask(), await ask(), await ask()]).toEqual([
      'temporarily_unavailable',
      true,
      'temporarily_unavailable',
    ]);
    store.heal();
    expect(await ask()).toBe(true);
    expect(store.count('findByDigest')).toBe(4);
    expect(store.asked('insert')).toMatchObject([[{ name: 'test key' }]]);
  });

  test('has the methods that the real one has, and no others', () => {
    const store = faultStore({ findByDigest: () => undefined });

    expect('findByDigest' in store).toBe(true);
    expect(['insert', 'watch', 'close', 'findMany'].filter((name) => name in store)).toEqual([]);
  });
});
