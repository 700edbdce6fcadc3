import { describe, expect, test } from '@jest/globals';
import { createApiKeys, type KeyRecord, type KeyVerifier, MemoryKeyStore } from '../../lib/index.ts';
import { answers, FaultStore, rejects, spoils } from '../support/fault-store.ts';
import { outcomeOf, PREFIX } from '../support/key-bench.ts';
import { START_MS } from '../support/open-keys.ts';
import { buildRecord, digestOf } from '../support/records.ts';

const MADE_UP = buildRecord(1);

describe('a verifier of somebody else', () => {
  function open(find: KeyVerifier['find'], store: FaultStore): ReturnType<typeof createApiKeys> {
    const verifier: KeyVerifier = {
      name: 'theirs',
      examples: ['theirs-1'],
      matches: (text) => text.startsWith('theirs-'),
      find,
    };
    return createApiKeys({ store, prefix: PREFIX, verifiers: [verifier] });
  }

  test.each([
    ['throws', () => Promise.reject(new TypeError('x is undefined'))],
    ['rejects with nothing', () => Promise.reject()],
    ['makes up a record', async () => ({ record: { id: 'a' } as KeyRecord })],
    ['answers with a record that its lookup did not give it', async () => ({ record: { ...MADE_UP } })],
  ] as [string, KeyVerifier['find']][])('that %s is a fault', async (_what, find) => {
    const apiKeys = open(find, new FaultStore(new MemoryKeyStore()));
    expect(await outcomeOf(apiKeys.verify('theirs-7'))).toBe('temporarily_unavailable');
  });

  test('finds a record by its own digests, and finds nothing', async () => {
    const memory = new MemoryKeyStore([{ ...MADE_UP, digest: digestOf('theirs-7') }]);
    const apiKeys = open(async (text, lookup) => {
      const record = await lookup.byDigest(lookup.digests(text));
      return record && { record };
    }, new FaultStore(memory));
    expect(await outcomeOf(apiKeys.verify('theirs-7'))).toBe('accepted');
    expect(await outcomeOf(apiKeys.verify('theirs-8'))).toBe('unknown');
    expect(await outcomeOf(apiKeys.verify('nobodys-8'))).toBe('malformed');
  });

  test('whose record was found by id must be the one asked for', async () => {
    const store = new FaultStore(new MemoryKeyStore([MADE_UP]));
    const apiKeys = open(async (_text, lookup) => {
      const record = await lookup.byId(MADE_UP.id);
      return record && { record };
    }, store);
    store.next(
      'findById',
      spoils((record) => ({ ...record, id: 'another' })),
      rejects(new Error('down')),
    );
    expect(await outcomeOf(apiKeys.verify('theirs-7'))).toBe('temporarily_unavailable');
    expect(await outcomeOf(apiKeys.verify('theirs-7'))).toBe('temporarily_unavailable');
    expect(await outcomeOf(apiKeys.verify('theirs-7'))).toBe('accepted');
  });

  test('may tell the own end of a text, which counts while it is cached', async () => {
    const clock = { ms: START_MS };
    const memory = new MemoryKeyStore([{ ...MADE_UP, digest: digestOf('theirs-7') }]);
    const verifier: KeyVerifier = {
      name: 'theirs',
      examples: ['theirs-1'],
      matches: (text) => text.startsWith('theirs-'),
      async find(text, lookup) {
        const record = await lookup.byDigest(lookup.digests(text));
        return record && { record, expiresAt: new Date(START_MS + 500) };
      },
    };
    const apiKeys = createApiKeys({ store: memory, verifiers: [verifier], now: () => clock.ms });
    expect(await outcomeOf(apiKeys.verify('theirs-7'))).toBe('accepted');
    clock.ms += 500;
    expect(await outcomeOf(apiKeys.verify('theirs-7'))).toBe('expired');
  });

  test('never gets to see the record of another key', async () => {
    const store = new FaultStore(new MemoryKeyStore());
    const given: unknown[] = [];
    const apiKeys = open(async (text, lookup) => {
      given.push(await lookup.byDigest(lookup.digests(text)).catch(() => 'a fault'));
      return undefined;
    }, store);
    store.next('findByDigest', answers(MADE_UP));
    await apiKeys.verify('theirs-7');
    expect(given).toEqual(['a fault']);
  });
});
