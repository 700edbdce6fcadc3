import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, jest, test } from '@jest/globals';
import express from 'express';
import {
  type ApiKey,
  type ApiKeys,
  apiKeyAuth,
  createApiKeys,
  type KeyStore,
  MemoryKeyStore,
} from '../lib/index.ts';
import type { JwtKey } from '../lib/jwt.ts';
import { fakeClock, testKey } from '../lib/testing.ts';
import { loadDocumented } from './support/documented-code.ts';
import { exchange, listen } from './support/exchange.ts';
import { codeBlocks, readPage } from './support/markdown.ts';

const PAGE = 'docs/rotation.md';
const DAY_MS = 86_400_000;
const load = <Exports>(text: string): Promise<Exports> => loadDocumented<Exports>(PAGE, text);

const answerOf = (apiKeys: ApiKeys): express.Express => {
  const app = express();
  app.use(apiKeyAuth(apiKeys), (_req, res) => {
    res.json({ ok: true });
  });
  return app;
};

describe('docs/rotation.md, a key', () => {
  test('is rotated with a grace, in which the old one works and its use is seen', async () => {
    const { apiKeys, rotate, oldKeyLastUsed } = await load<{
      apiKeys: ApiKeys;
      rotate(id: string): Promise<{ key: string; oldOneWorksUntil: Date }>;
      oldKeyLastUsed(id: string): Promise<Date | undefined>;
    }>('oldKeyLastUsed');
    const { key, apiKey } = await testKey(apiKeys);
    const { key: newKey, oldOneWorksUntil } = await rotate(apiKey.id);

    expect(oldOneWorksUntil.getTime() - Date.now()).toBeGreaterThan(6 * DAY_MS);
    expect(await oldKeyLastUsed(apiKey.id)).toBeUndefined();
    expect((await apiKeys.verify(newKey)).ok).toBe(true);
    expect(await apiKeys.verify(key)).toMatchObject({ ok: true, graceUntil: oldOneWorksUntil });
    // The first use of a key is written at once, and nobody waits for it.
    while ((await oldKeyLastUsed(apiKey.id)) === undefined) await sleep(5);
    await apiKeys.close();
  });

  test('has one old text at a time', async () => {
    const apiKeys = createApiKeys({ store: new MemoryKeyStore() });
    const { key: first, apiKey } = await testKey(apiKeys);
    const { key: second } = await apiKeys.rotate(apiKey.id);
    const { key: third } = await apiKeys.rotate(apiKey.id);

    const accepted = [];
    for (const key of [first, second, third]) accepted.push((await apiKeys.verify(key)).ok);
    expect(accepted).toEqual([false, true, true]);
    await apiKeys.close();
  });

  test('in its grace is answered with the header fields that the page shows', async () => {
    const clock = fakeClock(new Date('2026-01-01T00:00:00Z'));
    const apiKeys = createApiKeys({ store: new MemoryKeyStore(), now: clock.now });
    const { key, apiKey } = await testKey(apiKeys);
    await apiKeys.rotate(apiKey.id, { gracePeriodMs: 7 * DAY_MS });
    const { fields } = await exchange(answerOf(apiKeys), [`X-API-Key: ${key}`]);
    const [shown] = codeBlocks(readPage(PAGE)).filter(({ language }) => language === 'http');

    expect(fields.filter((field) => /^(?:Deprecation|Sunset)/i.test(field))).toEqual(
      shown?.code.trim().split('\n'),
    );
    await apiKeys.close();
  });

  test('in its grace is told of by the client of the page', async () => {
    const { callApi } = await load<{ callApi(url: string, key: string): Promise<Response> }>('callApi');
    const apiKeys = createApiKeys({ store: new MemoryKeyStore() });
    const { key, apiKey } = await testKey(apiKeys);
    const server = createServer(answerOf(apiKeys));
    const url = `http://127.0.0.1:${await listen(server)}/`;
    const warn = jest.spyOn(console, 'warn').mockImplementation(() => undefined);

    await callApi(url, key);
    expect(warn).not.toHaveBeenCalled();
    await apiKeys.rotate(apiKey.id);
    expect((await callApi(url, key)).status).toBe(200);
    expect(warn.mock.calls).toEqual([
      [expect.stringMatching(/^This API key was replaced, and ends at .+ GMT\.$/)],
    ]);

    warn.mockRestore();
    server.closeAllConnections();
    server.close();
    await apiKeys.close();
  });
});

test('docs/rotation.md finds the keys that are to be rotated, on every page of the list', async () => {
  const { endingSoon, unused, old } = await load<{
    endingSoon(apiKeys: ApiKeys): AsyncIterable<ApiKey>;
    unused(apiKeys: ApiKeys): AsyncIterable<ApiKey>;
    old(apiKeys: ApiKeys, now: number): AsyncIterable<ApiKey>;
  }>('endingSoon');
  const clock = fakeClock();
  const apiKeys = createApiKeys({ store: new MemoryKeyStore(), now: clock.now });
  const make = async (name: string, days?: number): Promise<string> => {
    const expiresAt = days === undefined ? undefined : new Date(clock.now() + days * DAY_MS);
    return (await testKey(apiKeys, { name, ...(expiresAt && { expiresAt }) })).apiKey.id;
  };
  const rotated = await make('rotated');
  await make('untouched');
  const revoked = await make('revoked');
  clock.advance(80 * DAY_MS);
  await apiKeys.rotate(rotated);
  await apiKeys.revoke(revoked);
  await make('ends in 10 days', 30);
  await make('ends in 20 days', 40);
  clock.advance(20 * DAY_MS);
  for (let index = 0; index < 60; index += 1) await make('new');

  expect(await namesOf(endingSoon(apiKeys))).toEqual(['ends in 10 days']);
  expect(await namesOf(unused(apiKeys))).toEqual(['rotated', 'untouched']);
  expect(await namesOf(old(apiKeys, clock.now()))).toEqual(['untouched']);
  await apiKeys.close();
});

test('docs/rotation.md moves keys from one pepper to the next', async () => {
  process.env['PEPPER_P1'] = 'the first pepper, of 32 bytes and more';
  process.env['PEPPER_P2'] = 'the second pepper, of 32 bytes and more';
  const { known, moving, moved } = (await load<Record<string, (store: KeyStore) => ApiKeys>>(
    'PEPPER_P1',
  )) as Record<'known' | 'moving' | 'moved', (store: KeyStore) => ApiKeys>;
  const store = new MemoryKeyStore();
  const pepperOf = async (id: string): Promise<string | undefined> =>
    (await store.findById(id))?.digest.split(':')[1];

  const first = known(store);
  const used = await testKey(first);
  const left = await testKey(first);
  expect([await pepperOf(used.apiKey.id), await pepperOf(left.apiKey.id)]).toEqual(['p1', 'p1']);

  const second = moving(store);
  expect((await second.verify(used.key)).ok).toBe(true);
  while ((await pepperOf(used.apiKey.id)) !== 'p2') await sleep(5);
  // A process of the first deployment that has not been replaced yet takes the key, and takes it back.
  expect((await first.verify(used.key)).ok).toBe(true);
  expect((await known(store).verify(used.key)).ok).toBe(true);
  while ((await pepperOf(used.apiKey.id)) !== 'p1') await sleep(5);
  expect((await moving(store).verify(used.key)).ok).toBe(true);
  while ((await pepperOf(used.apiKey.id)) !== 'p2') await sleep(5);

  const last = moved(store);
  expect((await last.verify(used.key)).ok).toBe(true);
  expect(await last.verify(left.key)).toEqual({ ok: false, reason: 'unknown' });
  expect((await moving(store).verify(left.key)).ok).toBe(true);
});

test('docs/rotation.md changes the key pair of JWT keys without a refusal', async () => {
  type Pair = Omit<JwtKey, 'state'>;
  type Open = (store: KeyStore, ...pairs: Pair[]) => { apiKeys: ApiKeys };
  const { announce, change, finish } = (await load('announce')) as Record<
    'announce' | 'change' | 'finish',
    Open
  >;
  const [older, newer] = ['2026-01', '2026-07'].map((id): Pair => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    return { id, alg: 'ES256', key: privateKey.export({ format: 'jwk' }) as JwtKey['key'] };
  }) as [Pair, Pair];
  const store = new MemoryKeyStore();
  const make = async (apiKeys: ApiKeys): Promise<string> => (await testKey(apiKeys, { kind: 'jwt' })).key;
  const kidOf = (key: string): string =>
    JSON.parse(Buffer.from(key.split('.')[0] ?? '', 'base64url').toString()).kid;

  const announced = announce(store, older, newer).apiKeys;
  const oldKey = await make(announced);
  const changed = change(store, older, newer).apiKeys;
  const newKey = await make(changed);
  const finished = finish(store, newer).apiKeys;

  expect([kidOf(oldKey), kidOf(newKey)]).toEqual(['2026-01', '2026-07']);
  const accepted = [];
  for (const apiKeys of [announced, changed, finished]) {
    accepted.push([(await apiKeys.verify(oldKey)).ok, (await apiKeys.verify(newKey)).ok]);
  }
  expect(accepted).toEqual([
    [true, true],
    [true, true],
    [false, true],
  ]);
});

async function namesOf(keys: AsyncIterable<ApiKey>): Promise<readonly string[]> {
  const names = [];
  for await (const { name } of keys) names.push(name);
  return names.sort();
}
