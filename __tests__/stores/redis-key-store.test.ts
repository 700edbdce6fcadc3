import { afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { createClient, createClientPool, RESP_TYPES } from 'redis';
import { createApiKeys } from '../../lib/index.ts';
import { RedisKeyStore, redisBus } from '../../lib/stores/redis-key-store.ts';
import { buildFullRecord, buildRecord, digestOf, idOf, minutesLater } from '../support/records.ts';
import { clientKinds, openIoredis, somePrefix } from '../support/redis-clients.ts';
import { type OpenedRedisStore, openRedisStore } from '../support/redis-stores.ts';
import { describeWithServers, SERVER_TIMEOUT_MS, serverUrl } from '../support/servers.ts';

interface Breakage {
  readonly what: string;
  /** @param name - of the record in Redis */
  spoil(opened: OpenedRedisStore, name: string): Promise<unknown>;
}

/** What can stand in Redis under our names and is not ours, or no longer whole. */
const breakages: readonly Breakage[] = [
  { what: 'a text of another form', spoil: ({ command }, name) => command('SET', name, '{"id":1}') },
  { what: 'no text at all', spoil: ({ command }, name) => command('SET', name, '') },
  {
    what: 'a list',
    async spoil({ command }, name) {
      await command('DEL', name);
      await command('RPUSH', name, 'x');
    },
  },
  { what: 'a record cut short', spoil: (opened, name) => cut(opened, name, 200) },
  { what: 'a record without its JSON', spoil: (opened, name) => cut(opened, name, 52) },
  { what: 'a record of a later form', spoil: overwrite(0, '2') },
  { what: 'a record with a broken version', spoil: overwrite(1, 'x') },
  { what: 'a record with a broken last use', spoil: overwrite(18, '0x') },
  { what: 'a record that has lost its previous key', spoil: overwrite(35, ' '.repeat(17)) },
];

async function cut({ command }: OpenedRedisStore, name: string, length: number): Promise<unknown> {
  const whole = (await command('GET', name)) as string;
  return command('SET', name, whole.slice(0, length));
}

function overwrite(at: number, text: string): Breakage['spoil'] {
  return ({ command }, name) => command('SETRANGE', name, String(at), text);
}

/** Enough for two that come in each other's way to meet. */
const MANY = Array.from({ length: 40 }, (_, index) => index);

const FAULT = /^RedisKeyStore: a record cannot be read: |^WRONGTYPE /;

describeWithServers.each(clientKinds)('RedisKeyStore over $name', (kind) => {
  let opened: OpenedRedisStore;

  beforeAll(() => serverUrl('redis'), SERVER_TIMEOUT_MS);
  beforeEach(async () => {
    opened = await openRedisStore(kind);
  });
  afterEach(() => opened.close());

  test.each(breakages)('takes $what for a fault, and not for a key that is not there', async ({ spoil }) => {
    const { store, name } = opened;
    await store.insert(buildRecord(1));
    await spoil(opened, name(`record:${idOf(1)}`));
    await expect(store.findByDigest([digestOf('key 1')])).rejects.toThrow(FAULT);
    await expect(store.findById(idOf(1))).rejects.toThrow(FAULT);
    await expect(store.list({ limit: 5, order: 'newest' })).rejects.toThrow(FAULT);
    await expect(store.update(idOf(1), { name: 'new', narrows: false }, 1)).rejects.toThrow(FAULT);
  });

  test('takes a record under the id of another for a fault', async () => {
    const { store, command, name } = opened;
    for (const number of [1, 2]) await store.insert(buildRecord(number));
    await command('COPY', name(`record:${idOf(2)}`), name(`record:${idOf(1)}`), 'REPLACE');
    await expect(store.findById(idOf(1))).rejects.toThrow('it has another id');
    await expect(store.delete(idOf(1))).rejects.toThrow('it has another id');
  });

  test('takes an index of a record that is gone for a fault', async () => {
    const { store, command, name } = opened;
    await store.insert(buildRecord(1));
    await command('DEL', name(`record:${idOf(1)}`));
    await expect(store.findByDigest([digestOf('key 1')])).rejects.toThrow('names a record that is not there');
    await expect(store.list({ limit: 5, order: 'newest' })).rejects.toThrow(
      'names a record that is not there',
    );
    expect(await store.findById(idOf(1))).toBeUndefined();
  });

  test('leaves nothing half-done where a foreign value stands in the way', async () => {
    const { store, command, name } = opened;
    await command('SET', name('owner:org_1'), 'foreign');
    await expect(store.insert(buildRecord(1))).rejects.toThrow(/WRONGTYPE/);
    expect(await store.findByDigest([digestOf('key 1')])).toBeUndefined();
    await command('DEL', name('owner:org_1'));
    await store.insert(buildRecord(1));
    await command('DEL', name('changes'));
    await command('SET', name('changes'), 'foreign');
    const change = { digest: digestOf('new'), narrows: true };
    await expect(store.update(idOf(1), change, 1)).rejects.toThrow(/WRONGTYPE/);
    expect(await store.findByDigest([digestOf('key 1')])).toEqual(buildRecord(1));
    expect(await store.findByDigest([digestOf('new')])).toBeUndefined();
  });

  test('leaves nothing behind of a record that was deleted, but that it was', async () => {
    const { store, command, name } = opened;
    const record = buildFullRecord(1);
    await store.insert(record);
    await store.update(record.id, { name: 'new', digest: digestOf('new'), narrows: false }, record.version);
    expect(await store.delete(record.id)).toBe(true);
    expect(await command('KEYS', name('*').replaceAll(/[[\]]/g, '?'))).toEqual([name('changes')]);
  });

  test('moves a last use without writing the record again', async () => {
    const { store, command, name } = opened;
    await store.insert(buildRecord(1, { metadata: { long: 'x'.repeat(5_000) } }));
    const before = (await command('GET', name(`record:${idOf(1)}`))) as string;
    await store.recordUse([{ id: idOf(1), at: minutesLater(5), previous: false }]);
    const after = (await command('GET', name(`record:${idOf(1)}`))) as string;
    expect(after.length).toBe(before.length);
    expect(after.slice(52)).toBe(before.slice(52));
    expect((await store.findById(idOf(1)))?.lastUsedAt).toEqual(minutesLater(5));
  });

  test('keeps a last use that comes between the two steps of an update', async () => {
    const { store } = opened;
    const previous = { digest: digestOf('old'), expiresAt: minutesLater(60) };
    await store.insert(buildRecord(1, { previous }));
    const updating = store.update(idOf(1), { name: 'new', narrows: false }, 1);
    const using = store.recordUse([
      { id: idOf(1), at: minutesLater(5), previous: false },
      { id: idOf(1), at: minutesLater(6), previous: true },
    ]);
    await Promise.all([updating, using]);
    expect(await store.findById(idOf(1))).toEqual(
      buildRecord(1, {
        name: 'new',
        version: 2,
        lastUsedAt: minutesLater(5),
        previous: { ...previous, lastUsedAt: minutesLater(6) },
      }),
    );
  });

  test('asks once for a cold key, and not at all for one in the cache', async () => {
    const { store, client } = opened;
    const issuer = createApiKeys({ store, prefix: 'acme' });
    const { key } = await issuer.create({ name: 'CI', organization: { id: 'org_1' } });
    await issuer.close();
    // Without last-used, which is written behind the answer, at a time of its own.
    const lookup = { findByDigest: (digests: readonly string[]) => store.findByDigest(digests) };
    const apiKeys = createApiKeys({ store: lookup, prefix: 'acme' });
    await store.findByDigest([digestOf('so that the script is known')]);
    const sent = jest.spyOn(client as never as { call(): unknown }, commandOf(client));
    // Others may come from a watch that is just ending.
    const lookUps = () =>
      sent.mock.calls.filter((words) => JSON.stringify(words).includes(':digest:')).length;
    expect(await apiKeys.verify(key)).toMatchObject({ ok: true });
    expect(lookUps()).toBe(1);
    expect(await apiKeys.verify(key)).toMatchObject({ ok: true });
    expect(lookUps()).toBe(1);
    await apiKeys.close();
  });

  test('runs on after Redis has forgotten the scripts', async () => {
    const { store, command } = opened;
    await store.insert(buildRecord(1));
    await command('SCRIPT', 'FLUSH');
    expect(await store.findById(idOf(1))).toEqual(buildRecord(1));
  });

  test('lets one of many inserts of one digest win, and tells the others', async () => {
    const { store } = opened;
    const records = MANY.map((number) => buildRecord(number, { digest: digestOf('the same') }));
    const outcomes = await Promise.allSettled(records.map((record) => store.insert(record)));
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected');
    expect(refused.map(({ reason }) => `${reason.code} ${reason.field}`)).toEqual(
      Array.from({ length: MANY.length - 1 }, () => 'duplicate_key digest'),
    );
  });

  test('lets one of many updates of one version win', async () => {
    const { store } = opened;
    await store.insert(buildRecord(1));
    const updates = MANY.map((number) => store.update(idOf(1), { name: `n${number}`, narrows: false }, 1));
    const winners = (await Promise.all(updates)).filter((record) => record !== undefined);
    expect(winners).toEqual([await store.findById(idOf(1))]);
  });

  test('deletes a record that changes meanwhile', async () => {
    const { store } = opened;
    await store.insert(buildRecord(1));
    const change = { digest: digestOf('new'), narrows: true };
    // It reads first, and so it writes between the reading and the writing of the other.
    const [, deleted] = await Promise.all([store.update(idOf(1), change, 1), store.delete(idOf(1))]);
    expect(deleted).toBe(true);
    expect(await store.findByDigest([digestOf('new'), digestOf('key 1')])).toBeUndefined();
  });

  test('keeps stores with different prefixes apart', async () => {
    const other = await openRedisStore(kind);
    await opened.store.insert(buildRecord(1));
    expect(await other.store.findByDigest([digestOf('key 1')])).toBeUndefined();
    expect(await other.store.list({ limit: 5, order: 'newest' })).toEqual({ records: [] });
    other.close();
  });

  test('looks at no more than 5,000 records for one page, and goes on from there', async () => {
    const { store } = opened;
    const numbers = Array.from({ length: 5_050 }, (_, index) => index + 1);
    await Promise.all(
      numbers.map((number) => store.insert(buildRecord(number, { enabled: number > 5_040 }))),
    );
    const query = { limit: 5, order: 'oldest', enabled: true } as const;
    const first = await store.list(query);
    expect(first).toEqual({ records: [], nextCursor: idOf(5_000) });
    const second = await store.list({ ...query, cursor: idOf(5_000) });
    expect(second.records.map(({ id }) => id)).toEqual([5_041, 5_042, 5_043, 5_044, 5_045].map(idOf));
    // What an index answers alone needs no look at others.
    const one = await store.list({ limit: 5, order: 'newest', organizationId: 'org_1' });
    expect(one.records.map(({ id }) => id)).toEqual([5_050, 5_049, 5_048, 5_047, 5_046].map(idOf));
  });
});

describeWithServers('RedisKeyStore over clients with settings of their own', () => {
  beforeAll(() => serverUrl('redis'), SERVER_TIMEOUT_MS);

  test('works below the keyPrefix of ioredis', async () => {
    const client = new Redis(await serverUrl('redis'), { keyPrefix: `${somePrefix()}:` });
    const store = new RedisKeyStore(client);
    const record = buildFullRecord(1);
    await store.insert(record);
    expect(await store.findByDigest([record.digest])).toEqual(record);
    expect(await store.list({ limit: 5, order: 'newest' })).toEqual({ records: [record] });
    expect(await store.delete(record.id)).toBe(true);
    client.disconnect();
  });

  test('works over a pool of node-redis, with a client that listens', async () => {
    const pool = createClientPool({ url: await serverUrl('redis') });
    await pool.connect();
    const subscriber = await openIoredis();
    const store = new RedisKeyStore(pool, { prefix: somePrefix(), subscriber: subscriber.client });
    await store.insert(buildRecord(1));
    expect(await store.findById(idOf(1))).toEqual(buildRecord(1));
    subscriber.close();
    pool.destroy();
  });

  test.each([2, 3] as const)('works over RESP%d', async (RESP) => {
    const client = createClient({ url: await serverUrl('redis'), RESP });
    await client.connect();
    const store = new RedisKeyStore(client, { prefix: somePrefix() });
    await store.insert(buildFullRecord(1));
    expect(await store.findById(idOf(1))).toEqual(buildFullRecord(1));
    client.destroy();
  });

  test('takes a client that answers with buffers for a fault', async () => {
    const client = createClient({
      url: await serverUrl('redis'),
      commandOptions: { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } },
    });
    await client.connect();
    const store = new RedisKeyStore(client, { prefix: somePrefix() });
    await expect(store.findById(idOf(1))).rejects.toThrow('must answer with texts');
    client.destroy();
  });
});

const RULE = 'must be a client of the package redis or ioredis, but got';
const NAME_RULE = 'must be a text of 1 to 64 letters, digits and _ . : -, but got';
const noPool = 'subscriber must be given, because this client, like a pool, cannot subscribe';

describe('a mistake of the programmer is a TypeError', () => {
  const client = new Redis({ lazyConnect: true });
  const pool = createClientPool();
  const store = (given: unknown, options?: object) => () => new RedisKeyStore(given as never, options);
  const bus = (given: unknown, options?: object) => () => redisBus(given as never, options);

  test.each([
    { make: store(undefined), message: `RedisKeyStore: client ${RULE} undefined` },
    { make: store('redis://:pass@host'), message: `RedisKeyStore: client ${RULE} a text` },
    { make: store({ get: () => 1 }), message: `RedisKeyStore: client ${RULE} an object` },
    { make: store(pool), message: `RedisKeyStore: ${noPool}` },
    { make: store(client, { subscriber: {} }), message: `RedisKeyStore: subscriber ${RULE} an object` },
    {
      make: store(client, { subscriber: pool }),
      message:
        'RedisKeyStore: subscriber must be a client that can subscribe, which a pool cannot, but got an object',
    },
    { make: store(client, { prefix: '{a}' }), message: `RedisKeyStore: prefix ${NAME_RULE} "{a}"` },
    { make: store(client, { prefix: '' }), message: `RedisKeyStore: prefix ${NAME_RULE} ""` },
    {
      make: store(client, { durable: 'yes' }),
      message: 'RedisKeyStore: durable must be true or false, but got "yes"',
    },
    {
      make: store(client, { durible: true }),
      message:
        'RedisKeyStore: unknown option "durible"; did you mean "durable"? (known: prefix, durable, subscriber)',
    },
    { make: bus({}), message: `redisBus: client ${RULE} an object` },
    { make: bus(pool), message: `redisBus: ${noPool}` },
    { make: bus(client, { channel: 7 }), message: `redisBus: channel ${NAME_RULE} 7` },
    {
      make: bus(client, { chanel: 'a' }),
      message: 'redisBus: unknown option "chanel"; did you mean "channel"? (known: channel, subscriber)',
    },
  ])('$message', ({ make, message }) => {
    expect(make).toThrow(new TypeError(message));
  });
});

/** The function through which a client sends. */
function commandOf(client: object): 'call' {
  return ('call' in client ? 'call' : 'sendCommand') as 'call';
}
