import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { createApiKeys, type KeyStore } from '../../lib/index.ts';
import { redisBus } from '../../lib/stores/redis-key-store.ts';
import { startServer } from '../../scripts/services.mjs';
import { buildRecord, idOf } from '../support/records.ts';
import { clientKinds } from '../support/redis-clients.ts';
import {
  eventually,
  type OpenedRedisStore,
  openRedisStore,
  type PrivateServer,
} from '../support/redis-stores.ts';
import { describeWithServers, SERVER_TIMEOUT_MS } from '../support/servers.ts';

type KeyChanged = Parameters<Parameters<NonNullable<KeyStore['watch']>>[0]>[0];

const LONG_MS = 60_000;

describeWithServers.each(clientKinds)('watch over $name', (kind) => {
  let server: PrivateServer;
  let opened: OpenedRedisStore;
  let heard: KeyChanged[];
  const others: OpenedRedisStore[] = [];

  beforeAll(async () => {
    server = await startServer('redis', { durable: true });
  }, SERVER_TIMEOUT_MS);
  afterAll(() => server.stop());

  beforeEach(async () => {
    opened = await openRedisStore(kind, { url: server.url });
    heard = [];
  });
  afterEach(() => {
    for (const { close } of [opened, ...others.splice(0)]) close();
  });

  /** One more client, or store on the same data. */
  async function openOther(url = server.url): Promise<OpenedRedisStore> {
    const other = await openRedisStore(kind, { url, prefix: opened.prefix });
    others.push(other);
    return other;
  }

  const listen = () => opened.store.watch((change) => void heard.push(change));
  const types = () => heard.map(({ type }) => type);
  const narrowed = () => heard.filter(({ type }) => type === 'narrowed');
  const until = (check: () => void | Promise<void>) => eventually(check);

  const untilHeard = (type: KeyChanged['type']) => until(() => expect(types()).toContain(type));

  async function untilNextAlive(): Promise<void> {
    const count = () => types().filter((type) => type === 'alive').length;
    const before = count();
    await until(() => expect(count()).toBeGreaterThan(before));
  }

  test('tells a change once, though it looks more often than things change', async () => {
    await opened.store.insert(buildRecord(1));
    await listen();
    await opened.store.update(idOf(1), { scopes: [], narrows: true }, 1);
    await untilHeard('narrowed');
    await untilNextAlive();
    await untilNextAlive();
    expect(heard.filter(({ type }) => type !== 'alive')).toEqual([
      { type: 'narrowed', id: idOf(1), version: 2, ended: false },
    ]);
  });

  test('tells what happened before it was listened to no more', async () => {
    await opened.store.insert(buildRecord(1));
    await opened.store.update(idOf(1), { scopes: [], narrows: true }, 1);
    await listen();
    await untilNextAlive();
    await untilNextAlive();
    expect(narrowed()).toEqual([]);
  });

  test('tells of many changes at once, each of them and in order', async () => {
    const numbers = Array.from({ length: 2_500 }, (_, index) => index + 1);
    await Promise.all(numbers.map((number) => opened.store.insert(buildRecord(number))));
    await listen();
    const change = { scopes: [], narrows: true };
    await Promise.all(numbers.map((number) => opened.store.update(idOf(number), change, 1)));
    await until(() => expect(narrowed()).toHaveLength(numbers.length));
    expect(
      narrowed()
        .map((one) => 'id' in one && one.id)
        .sort(),
    ).toEqual(numbers.map(idOf));
  });

  test('needs no bell: what nobody was told of is found by the look that comes anyway', async () => {
    await opened.store.insert(buildRecord(1));
    await opened.command('ACL', 'SETUSER', 'deaf', 'on', '>pass', '~*', 'resetchannels', '+@all');
    const url = server.url.replace('redis://', 'redis://deaf:pass@');
    const deaf = await openOther(url);
    await deaf.store.watch((change) => void heard.push(change));
    await opened.store.update(idOf(1), { scopes: [], narrows: true }, 1);
    await untilHeard('narrowed');
    expect(narrowed()).toEqual([{ type: 'narrowed', id: idOf(1), version: 2, ended: false }]);
    // Nor can it ring, and changes all the same.
    expect(await deaf.store.update(idOf(1), { enabled: false, narrows: true }, 2)).toMatchObject({
      version: 3,
    });
  });

  test('believes nothing that is published: it looks, and that is all', async () => {
    await opened.store.insert(buildRecord(1));
    await listen();
    await untilNextAlive();
    const lie = JSON.stringify({ type: 'narrowed', id: idOf(1), version: 99, ended: true });
    const messages = ['', '1', lie, 'x'.repeat(1_000_000), '\0\uffff', '{', 'null', '[]', `99 1 ${idOf(1)}`];
    for (const message of messages) await opened.command('PUBLISH', opened.name('changed'), message);
    await untilNextAlive();
    await untilNextAlive();
    expect(new Set(types())).toEqual(new Set(['alive']));
  });

  test('looks no more than 100 times a second, however often it rings', async () => {
    await listen();
    await untilNextAlive();
    const start = performance.now();
    const looksBefore = types().length;
    while (performance.now() - start < 500) await opened.command('PUBLISH', opened.name('changed'), '1');
    const seconds = (performance.now() - start) / 1_000;
    expect(types().length - looksBefore).toBeLessThanOrEqual(100 * seconds + 2);
  });

  test.each([
    { what: 'was deleted', spoil: () => opened.command('DEL', opened.name('changes')) },
    { what: 'was cut', spoil: () => opened.command('XTRIM', opened.name('changes'), 'MAXLEN', '0') },
    {
      what: 'holds what is no change',
      spoil: () => opened.command('XADD', opened.name('changes'), '*', 'c', '9 9 9 9'),
    },
    { what: 'was emptied with all else', spoil: () => opened.command('FLUSHALL') },
  ])('says that it is lost where the log $what, and goes on', async ({ spoil }) => {
    await opened.store.insert(buildRecord(1));
    await listen();
    await untilNextAlive();
    await spoil();
    await untilHeard('lost');
    await opened.store.insert(buildRecord(2));
    await opened.store.update(idOf(2), { scopes: [], narrows: true }, 1);
    await untilHeard('narrowed');
    expect(types().filter((type) => type === 'lost')).toHaveLength(1);
  });

  test(
    'says that it is lost where the server does not answer, and is silent until it does',
    async () => {
      await opened.store.insert(buildRecord(1));
      await listen();
      await untilNextAlive();
      server.signal('SIGSTOP');
      await untilHeard('lost');
      const silentFrom = heard.length;
      // As long as two further looks take.
      await sleep(2_500);
      expect(heard).toHaveLength(silentFrom);
      server.signal('SIGCONT');
      await untilNextAlive();
      await opened.store.update(idOf(1), { scopes: [], narrows: true }, 1);
      await untilHeard('narrowed');
    },
    LONG_MS,
  );

  test(
    'says that it is lost where the server was killed and came back, and tells what comes after',
    async () => {
      await opened.store.insert(buildRecord(1));
      await listen();
      await untilNextAlive();
      server.signal('SIGKILL');
      await server.restart();
      await untilHeard('lost');
      const update = () => opened.store.update(idOf(1), { scopes: [], narrows: true }, 1);
      expect(await eventually(update)).toMatchObject({ version: 2 });
      await untilHeard('narrowed');
    },
    LONG_MS,
  );

  test(
    'ends in time while the server does not answer',
    async () => {
      const stop = await listen();
      await untilNextAlive();
      server.signal('SIGSTOP');
      await stop();
      await opened.store.close();
      const count = heard.length;
      server.signal('SIGCONT');
      await eventually(() => opened.command('PING'));
      expect(heard).toHaveLength(count);
    },
    LONG_MS,
  );

  test('leaves no connection behind', async () => {
    const connections = async () =>
      ((await opened.command('CLIENT', 'LIST')) as string).trim().split('\n').length;
    const before = await connections();
    const stop = await listen();
    await until(async () => expect(await connections()).toBeGreaterThan(before));
    await stop();
    await until(async () => expect(await connections()).toBe(before));
  });

  test('stops a key in another process as soon as it is revoked in one', async () => {
    const other = await openOther();
    const here = createApiKeys({ store: opened.store, prefix: 'acme', cache: { ttlMs: 600_000 } });
    const there = createApiKeys({ store: other.store, prefix: 'acme', cache: { ttlMs: 600_000 } });
    const { key, apiKey } = await here.create({ name: 'CI', organization: { id: 'org_1' } });
    await until(async () => {
      await there.verify(key);
      expect(there.verify(key)).toMatchObject({ ok: true });
    });
    await here.revoke(apiKey.id);
    await until(async () => expect(await there.verify(key)).toMatchObject({ ok: false, reason: 'revoked' }));
    await Promise.all([here.close(), there.close()]);
  });

  test('a bus carries messages to all, drops what is too long, and stops', async () => {
    const other = await openOther();
    const [one, two] = [
      redisBus(opened.client),
      redisBus(other.client, { subscriber: opened.client as never }),
    ];
    const messages: string[] = [];
    const stop = await one.subscribe((message) => void messages.push(message));
    await one.publish('x'.repeat(1_001));
    await two.publish('first');
    await until(() => expect(messages).toEqual(['first']));
    await stop();
    await two.publish('second');
    const again: string[] = [];
    const stopAgain = await one.subscribe((message) => void again.push(message));
    await two.publish('third');
    await until(() => expect(again).toEqual(['third']));
    expect(messages).toEqual(['first']);
    await stopAgain();
  });

  test('two who share a listening client do not silence each other', async () => {
    const [subscriber, publisher] = [await openOther(), await openOther()];
    const bus = redisBus(publisher.client, { subscriber: subscriber.client });
    const [first, second]: [string[], string[]] = [[], []];
    const stopFirst = await bus.subscribe((message) => void first.push(message));
    const stopSecond = await bus.subscribe((message) => void second.push(message));
    await bus.publish('1');
    await until(() => expect([first, second]).toEqual([['1'], ['1']]));
    await stopFirst();
    await bus.publish('2');
    await until(() => expect([first, second]).toEqual([['1'], ['1', '2']]));
    await stopSecond();
  });

  test('a bus that cannot subscribe says so', async () => {
    await opened.command('ACL', 'SETUSER', 'mute', 'on', '>pass', '~*', 'resetchannels', '+@all');
    const { client } = await openOther(server.url.replace('redis://', 'redis://mute:pass@'));
    await expect(redisBus(client).subscribe(() => undefined)).rejects.toThrow(/NOPERM|permissions/);
  });
});
