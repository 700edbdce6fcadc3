import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import {
  createApiKeys,
  type KeyChange,
  type KeyEvent,
  type KeyRecord,
  MemoryKeyStore,
} from '../../lib/index.ts';
import { createGate, FaultStore, waitsBefore } from '../support/fault-store.ts';
import { holdClocks, openBench, outcomeOf, PREFIX, settle } from '../support/key-bench.ts';
import { KEY_INPUT } from '../support/open-keys.ts';

beforeEach(holdClocks);
afterEach(() => {
  jest.useRealTimers();
});

const peppers = [{ id: 'p1', secret: 'p'.repeat(32) }];

test('eight keys are moved at once, and the ninth when it is next read', async () => {
  const { apiKeys: plain, memory } = await openBench();
  const made = await Promise.all(Array.from({ length: 9 }, () => plain.create(KEY_INPUT)));
  const store = new FaultStore(memory, { without: ['watch'] });
  const apiKeys = createApiKeys({ store, prefix: PREFIX, peppers, cache: false });
  const gate = createGate();
  store.always('update', waitsBefore(gate));
  for (const { key } of made) expect(await outcomeOf(apiKeys.verify(key))).toBe('accepted');
  await settle();
  expect(store.count('update')).toBe(8);

  gate.open();
  await settle();
  const last = made.at(-1);
  await apiKeys.verify(last?.key ?? '');
  await settle();
  expect(store.count('update')).toBe(9);
  expect((await memory.findById(last?.apiKey.id ?? ''))?.digest).toMatch(/^hmac-sha256:p1:/);
});

test('a key is moved once at a time, with whichever of its texts it is presented', async () => {
  const { apiKeys: plain, memory, key: oldText, apiKey } = await openBench();
  const { key: newText } = await plain.rotate(apiKey.id);
  const store = new FaultStore(memory, { without: ['watch'] });
  const apiKeys = createApiKeys({ store, prefix: PREFIX, peppers, cache: false });
  const gate = createGate();
  store.next('update', waitsBefore(gate));
  for (const text of [oldText, newText, oldText]) await apiKeys.verify(text);
  await settle();
  expect(store.count('update')).toBe(1);

  gate.open();
  await settle();
  await apiKeys.verify(newText);
  await settle();
  const { digest, previous } = (await memory.findById(apiKey.id)) as KeyRecord;
  expect([digest, previous?.digest].map((one) => one?.slice(0, 15))).toEqual([
    'hmac-sha256:p1:',
    'hmac-sha256:p1:',
  ]);
});

/** A digest without its scheme. */
const imageOf = (digest: string | undefined): string => `${digest?.split(':').at(-1)}`;

/** Tells in its error of both digests, as a driver does that repeats a statement. */
class TalkativeStore extends MemoryKeyStore {
  override async update(id: string, change: KeyChange): Promise<KeyRecord | undefined> {
    const record = await this.findById(id);
    throw new Error(`no ${imageOf(change.digest)} in place of ${imageOf(record?.digest)}`);
  }
}

test('a move that fails is told of as an update, without either digest', async () => {
  const { apiKeys: plain, memory, key, apiKey } = await openBench();
  const record = (await memory.findById(apiKey.id)) as KeyRecord;
  const events: KeyEvent[] = [];
  const store = new FaultStore(new TalkativeStore([record]), { without: ['watch'] });
  const onEvent = (event: KeyEvent): void => void events.push(event);
  const apiKeys = createApiKeys({ store, prefix: PREFIX, peppers, onEvent });
  expect(await outcomeOf(apiKeys.verify(key))).toBe('accepted');
  await settle();
  const told = events.filter((event) => event.type === 'store' && !event.ok);
  expect(told).toMatchObject([{ operation: 'update', error: { message: 'update() failed.' } }]);
  const [{ error }] = told as unknown as [{ error: Error & { cause: Error } }];
  expect(error.cause.message).toBe('no [redacted] in place of [redacted]');
  await Promise.all([plain.close(), apiKeys.close()]);
});
