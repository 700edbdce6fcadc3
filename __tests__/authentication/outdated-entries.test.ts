import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { createApiKeys, foreignKeys, keyPairs, keyRecord, MemoryKeyStore } from '../../lib/index.ts';
import { createGate, FaultStore, rejects, waitsBefore } from '../support/fault-store.ts';
import { advance, holdClocks, openBench, outcomeOf, settle } from '../support/key-bench.ts';
import { digestOf } from '../support/records.ts';

const down = new Error('down');

/** The cache of one process that knows a key, over a store that another process can change and that can fail. */
async function twoProcesses(options: Parameters<typeof openBench>[0] = {}) {
  const bench = await openBench(options);
  const other = createApiKeys({ store: bench.memory, prefix: 'acme' });
  expect(await outcomeOf(bench.apiKeys.verify(bench.key))).toBe('accepted');
  await advance(10_500);
  return { ...bench, other };
}

describe('what is known to have ended does not come back while the store fails', () => {
  beforeEach(holdClocks);
  afterEach(() => void jest.useRealTimers());

  test('a key that was found gone', async () => {
    const { apiKeys, apiKey, key, store, other } = await twoProcesses();
    await other.delete(apiKey.id);
    expect(await outcomeOf(apiKeys.verify(key))).toBe('unknown');
    await advance(6_000);
    store.always('findByDigest', rejects(down));
    expect(await outcomeOf(apiKeys.verify(key))).toBe('temporarily_unavailable');
  });

  test('a key whose record could not be read', async () => {
    const { apiKeys, key, store } = await twoProcesses();
    store.next('findByDigest', (call) => ({ ...(call as object), enabled: 'no' }) as never);
    expect(await outcomeOf(apiKeys.verify(key))).toBe('temporarily_unavailable');
    store.always('findByDigest', rejects(down));
    expect(await outcomeOf(apiKeys.verify(key))).toBe('temporarily_unavailable');
  });

  test('a key that was found changed while its owner could not be asked', async () => {
    let asked = 0;
    const ownerStatus = () => {
      asked += 1;
      if (asked > 1) throw down;
      return 'active' as const;
    };
    const { apiKeys, apiKey, key, other } = await twoProcesses({ ownerStatus });
    await other.update(apiKey.id, { scopes: [] });
    expect(await outcomeOf(apiKeys.verify(key))).toBe('temporarily_unavailable');
    expect(await outcomeOf(apiKeys.verify(key))).toBe('temporarily_unavailable');
    await other.revoke(apiKey.id);
    expect(await outcomeOf(apiKeys.verify(key))).toBe('revoked');
    expect(asked).toBe(3);
  });

  test('a pair that was found revoked by its other form', async () => {
    const memory = new MemoryKeyStore();
    const store = new FaultStore(memory, { without: ['watch'] });
    const apiKeys = createApiKeys({ store, verifiers: [keyPairs()] });
    const other = createApiKeys({ store: memory });
    const { key: id, secret = '' } = await apiKeys.create({
      kind: 'pair',
      name: 'x',
      organization: { id: 'o' },
    });
    expect(await outcomeOf(apiKeys.verifyPair(id, secret))).toBe('accepted');
    expect(await outcomeOf(apiKeys.verify(`${id}.${secret}`))).toBe('accepted');
    await advance(10_500);
    await other.revoke(id);
    expect(await outcomeOf(apiKeys.verifyPair(id, secret))).toBe('revoked');
    store.always('findByDigest', rejects(down));
    expect(await outcomeOf(apiKeys.verify(`${id}.${secret}`))).toBe('temporarily_unavailable');
  });

  test('a key that was revoked here, after a hundred thousand others', async () => {
    const { apiKeys, apiKey, key, store } = await openBench();
    expect(await outcomeOf(apiKeys.verify(key))).toBe('accepted');
    await apiKeys.revoke(apiKey.id);
    for (let i = 0; i <= 100_000; i += 1) await apiKeys.delete(`nobody-${i}`);
    store.always('findByDigest', rejects(down));
    expect(await outcomeOf(apiKeys.verify(key))).toBe('temporarily_unavailable');
  }, 60_000);
});

describe('a write that we gave up waiting for', () => {
  test('cannot undo what was asked for after it', async () => {
    const { apiKeys, apiKey, key, store, memory } = await openBench({ storeTimeoutMs: 20 });
    await apiKeys.disable(apiKey.id);
    const gate = createGate();
    store.next('update', waitsBefore(gate));
    await expect(apiKeys.enable(apiKey.id)).rejects.toMatchObject({ code: 'temporarily_unavailable' });
    expect(await apiKeys.disable(apiKey.id)).toMatchObject({ enabled: false });
    gate.open();
    await settle();
    expect((await memory.findById(apiKey.id))?.enabled).toBe(false);
    expect(await outcomeOf(apiKeys.verify(key))).toBe('disabled');
  });
});

describe('a store that can watch, while its watch is down', () => {
  beforeEach(holdClocks);
  afterEach(() => void jest.useRealTimers());

  test('is read again after 5 s, not after the TTL', async () => {
    const { apiKeys, apiKey, key, store, memory } = await openBench({ without: [] });
    store.always('watch', rejects(down));
    const other = createApiKeys({ store: memory, prefix: 'acme' });
    const blind = createApiKeys({ store, prefix: 'acme' });
    expect(await outcomeOf(blind.verify(key))).toBe('accepted');
    await other.revoke(apiKey.id);
    await advance(4_999);
    expect(await outcomeOf(blind.verify(key))).toBe('accepted');
    await advance(2);
    expect(await outcomeOf(blind.verify(key))).toBe('revoked');
    await Promise.all([apiKeys.close(), other.close(), blind.close()]);
  });
});

describe('kinds of record', () => {
  test('a pair is no key by one text, whatever shape a foreign verifier takes', async () => {
    const greedy = foreignKeys({
      name: 'greedy',
      matches: /[a-z]+:[a-z]+/,
      examples: ['a:b'],
      characters: ':',
      digests: (text) => [digestOf(text)],
    });
    const record = keyRecord({
      id: 'id',
      kind: 'pair',
      digest: digestOf('id:secret'),
      organization: { id: 'o' },
    });
    const apiKeys = createApiKeys({ store: new MemoryKeyStore([record]), verifiers: [greedy, keyPairs()] });
    expect(await outcomeOf(apiKeys.verifyPair('id', 'secret'))).toBe('accepted');
    expect(await outcomeOf(apiKeys.verify('id:secret'))).toBe('unknown');
    expect(await outcomeOf(apiKeys.verify('\0' + '2:id:secret'))).toBe('malformed');
  });

  test('what is no digest reaches no store', async () => {
    const store = new FaultStore(new MemoryKeyStore());
    const careless = foreignKeys({
      name: 'x',
      matches: /old_\w+/,
      examples: ['old_a'],
      digests: (text) => [text],
    });
    const apiKeys = createApiKeys({ store, verifiers: [careless] });
    expect(await outcomeOf(apiKeys.verify('old_secret'))).toBe('temporarily_unavailable');
    expect(store.count('findByDigest')).toBe(0);
  });
});
