import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { createCircuit } from '../../lib/authentication/circuit.ts';
import { warnOfProduction } from '../../lib/authentication/production-warnings.ts';
import { createEvents } from '../../lib/events.ts';
import {
  createApiKeys,
  type KeyEvent,
  type KeyVerifier,
  MemoryKeyStore,
  type OwnerStatus,
} from '../../lib/index.ts';
import { answers, FaultStore, hangs, lagsBehind, rejects, spoils } from '../support/fault-store.ts';
import {
  advance,
  holdClocks,
  type KeyBench,
  openBench,
  openWatching,
  UNKNOWN_KEY,
} from '../support/key-bench.ts';
import { buildRecord } from '../support/records.ts';

beforeEach(holdClocks);
afterEach(() => {
  jest.useRealTimers();
});

/** What is told, and what it was caused by, where that is said as well. */
async function faultOf(asked: unknown): Promise<readonly (string | undefined)[]> {
  const error = await Promise.resolve(asked).then(
    (answer) => new Error(`an answer: ${JSON.stringify(answer)}`),
    (thrown: Error) => thrown,
  );
  const cause = (error.cause as Error | undefined)?.message;
  return cause === undefined ? [error.message] : [error.message, cause];
}

function verifierWith(find: KeyVerifier['find']): KeyVerifier {
  const matches = (text: string) => text.startsWith('theirs-');
  return { name: 'theirs', examples: ['theirs-1'], matches, find };
}

/** What a verifier of somebody else makes of it, over a store with one record. */
async function faultOfFind(find: KeyVerifier['find'], without: readonly 'findById'[] = []) {
  const { apiKeys } = await openBench({ verifiers: [verifierWith(find)], without: ['watch', ...without] });
  return faultOf(apiKeys.verify('theirs-7'));
}

describe('a fault says what has happened', () => {
  test('where the store answers with a record of another key', async () => {
    const { apiKeys, store, key } = await openBench();
    store.next(
      'findByDigest',
      spoils((record) => ({ ...record, digest: buildRecord(1).digest })),
    );
    expect(await faultOf(apiKeys.verify(key))).toEqual([
      'findByDigest() answered with a record that cannot be used.',
      'it has none of the digests that were asked for',
    ]);
  });

  test('where the store answers with a record of another id', async () => {
    const { apiKeys, store, apiKey } = await openBench({
      verifiers: [
        verifierWith(async (_, lookup) => {
          const record = await lookup.byId(apiKey.id);
          return record && { record };
        }),
      ],
    });
    store.next(
      'findById',
      spoils((record) => ({ ...record, id: 'another' })),
    );
    expect(await faultOf(apiKeys.verify('theirs-7'))).toEqual([
      'findById() answered with a record that cannot be used.',
      'it has another id than the one that was asked for',
    ]);
  });

  test('where a verifier asks for what is no digest', async () => {
    expect(await faultOfFind(async (_, lookup) => void (await lookup.byDigest(['md5:x'])))).toEqual([
      'A verifier failed.',
      'a verifier asked for what is no digest',
    ]);
  });

  test('where a verifier looks up by id in a store that cannot', async () => {
    expect(await faultOfFind(async (_, lookup) => void (await lookup.byId('a')), ['findById'])).toEqual([
      'A verifier failed.',
      'this verifier looks keys up by id, so the store must have findById()',
    ]);
  });

  test('where a verifier makes up a record', async () => {
    expect(await faultOfFind(async () => ({ record: buildRecord(1) }))).toEqual([
      'A verifier must answer with a record that its lookup gave it.',
    ]);
  });

  test('where ownerStatus() answers neither of its two words', async () => {
    const ownerStatus = (() => 'gone') as unknown as OwnerStatus;
    const { apiKeys, key } = await openBench({ ownerStatus });
    expect(await faultOf(apiKeys.verify(key))).toEqual(['ownerStatus() must answer "active" or "inactive".']);
  });

  test('where the store goes on answering with an older version than there is', async () => {
    const { apiKeys, store, key, apiKey, record } = await openWatching();
    store.always('findByDigest', lagsBehind(await record()));
    store.tell({ type: 'narrowed', id: apiKey.id, version: 2, ended: false });
    expect(await faultOf(apiKeys.verify(key))).toEqual([
      'The key store answers with an older version of the key than there is.',
    ]);
  });

  test('where the key changes during each of four reads', async () => {
    const { apiKeys, store, key } = await openWatching({ cache: { ttlMs: 0 } });
    const before = store.count('findByDigest');
    store.always('findByDigest', async (real) => {
      const record = await real();
      store.tell({ type: 'lost' });
      return record;
    });
    expect(await faultOf(apiKeys.verify(key))).toEqual(['The key changed each time it was read.']);
    expect(store.count('findByDigest')).toBe(before + 4);
  });

  test('where the store failed 5 times in a row', async () => {
    const { apiKeys, store, key } = await openBench();
    store.always('findByDigest', rejects(new Error('down')));
    for (let times = 0; times < 5; times += 1) await faultOf(apiKeys.verify(key));
    expect(await faultOf(apiKeys.verify(UNKNOWN_KEY))).toEqual([
      'The key store failed repeatedly and is left alone for a moment.',
    ]);
  });

  test('where too many wait for it, or one has waited too long', async () => {
    const clock = { now: Date.now, monotonic: () => performance.now() };
    const circuit = createCircuit(clock, 100);
    const hang = async () => hangs()(async () => undefined);
    const ends: (() => void)[] = [];
    const held = Array.from({ length: 64 }, () =>
      circuit.run(() => new Promise<void>((end) => void ends.push(end))),
    );
    const tooLate = faultOf(circuit.run(async () => 'its turn'));
    for (let place = 0; place < 9_999; place += 1) void faultOf(circuit.run(hang));
    const message = 'Too many look-ups wait for the key store.';
    expect(await faultOf(circuit.run(hang))).toEqual([message]);
    await advance(101);
    for (const end of ends) end();
    await Promise.all(held);
    expect(await tooLate).toEqual([message]);
  });
});

describe('a warning says what is wrong', () => {
  const warningsIn = (events: readonly KeyEvent[]) =>
    events.flatMap((event) => (event.type === 'warning' ? [`${event.code}: ${event.message}`] : []));

  test.each([
    [
      'the watch is lost',
      ({ store }: KeyBench) => store.tell({ type: 'lost' }),
      'The store has lost its watch.',
    ],
    [
      'it tells of nothing known',
      ({ store }: KeyBench) => store.tell({ type: 'widened' }),
      'The store told of a change in a form that is not known.',
    ],
  ])('where %s', async (_, provoke, message) => {
    const events: KeyEvent[] = [];
    const bench = await openBench({ without: [], onEvent: (event) => events.push(event) });
    await advance(0);
    provoke(bench);
    provoke(bench);
    expect(warningsIn(events)).toEqual([`watch_lost: ${message}`]);
    await bench.apiKeys.close();
  });

  test('where a watch is silent', async () => {
    const store = new FaultStore(new MemoryKeyStore());
    store.always(
      'watch',
      answers(async () => undefined),
    );
    const events: KeyEvent[] = [];
    const apiKeys = createApiKeys({ store, onEvent: (event) => events.push(event) });
    await advance(5_000);
    expect(warningsIn(events)).toEqual([
      'watch_lost: The store has not been heard of for 5 s; watching anew.',
    ]);
    await apiKeys.close();
  });

  test('where keys are in memory, and where nothing but the table makes them', () => {
    const events: KeyEvent[] = [];
    const clock = { now: Date.now, monotonic: () => 0 };
    const parts = { store: new MemoryKeyStore(), peppers: [] };
    const pepper = { id: 'p1', secret: 'x'.repeat(32) };
    warnOfProduction(
      parts,
      clock,
      createEvents((event) => events.push(event)),
    );
    warnOfProduction(
      { ...parts, peppers: [pepper] },
      clock,
      createEvents((event) => events.push(event)),
    );
    warnOfProduction(
      { store: { findByDigest: () => undefined }, peppers: [pepper] },
      clock,
      createEvents((event) => events.push(event)),
    );
    expect(warningsIn(events)).toEqual([
      'memory_store_in_production: Keys are kept in memory: they end with this process, and no other process knows them.',
      'no_pepper: There are no peppers: whoever can write to the table of keys can add keys of their own.',
      'memory_store_in_production: Keys are kept in memory: they end with this process, and no other process knows them.',
    ]);
  });
});
