import { afterAll, afterEach, beforeAll, expect, jest, test } from '@jest/globals';
import express, { type RequestHandler } from 'express';
import { apiKeyAuth } from '../../lib/index.ts';
import { startServer } from '../../scripts/services.mjs';
import { loadDocumented } from '../support/documented-code.ts';
import { errorCatcher } from '../support/error-catcher.ts';
import { exchange, type WireAnswer } from '../support/exchange.ts';
import { closeOpenedKeys, KEY_INPUT, openKeys } from '../support/open-keys.ts';
import type { PrivateServer } from '../support/redis-stores.ts';
import { describeWithServers, SERVER_TIMEOUT_MS } from '../support/servers.ts';

interface Documented {
  openRedis(url: string): Promise<{ destroy(): void }>;
  limitPerKey(redis: { destroy(): void }, passOnStoreError: boolean): RequestHandler;
}

afterEach(closeOpenedKeys);

describeWithServers('express-rate-limit, by the id of the key', () => {
  let server: PrivateServer;
  let redis: { destroy(): void };
  let documented: Documented;

  beforeAll(async () => {
    jest.spyOn(console, 'error').mockImplementation(() => undefined);
    server = await startServer('redis');
    documented = await loadDocumented<Documented>('docs/integrations.md', 'limitPerKey');
    redis = await documented.openRedis(server.url);
  }, SERVER_TIMEOUT_MS);
  afterAll(async () => {
    redis?.destroy();
    await server?.stop();
  }, SERVER_TIMEOUT_MS);

  async function openApp(passOnStoreError = false) {
    const keys = await openKeys({}, { metadata: { perMinute: 2 } });
    const { failed, handler } = errorCatcher();
    const app = express();
    app.use(apiKeyAuth(keys.apiKeys), documented.limitPerKey(redis, passOnStoreError));
    app.get('/', (_req, res) => void res.send('let pass'));
    app.use(handler);
    const ask = (key: string): Promise<WireAnswer> => exchange(app, [`X-API-Key: ${key}`]);
    const statuses = async (...asked: string[]): Promise<number[]> => {
      const answers: number[] = [];
      for (const key of asked) answers.push((await ask(key)).status);
      return answers;
    };
    return { ...keys, ask, statuses, failed };
  }

  test('each key has its own count, and its own limit', async () => {
    const { apiKeys, key, statuses } = await openApp();
    const other = await apiKeys.create({ ...KEY_INPUT, metadata: { perMinute: 3 } });

    expect(await statuses(key, key, key)).toEqual([200, 200, 429]);
    expect(await statuses(other.key, other.key, other.key, other.key)).toEqual([200, 200, 200, 429]);
  });

  test('a rotated key goes on with the count of the old one', async () => {
    const { apiKeys, apiKey, key, statuses } = await openApp();
    const { key: rotated } = await apiKeys.rotate(apiKey.id);

    expect(await statuses(key, rotated, rotated, key)).toEqual([200, 200, 429, 429]);
  });

  test('the answer says how long to wait, and what is left', async () => {
    const { key, ask } = await openApp();
    const first = await ask(key);
    await ask(key);
    const last = await ask(key);

    expect(first.values('RateLimit')).toEqual([expect.stringMatching(/r=1; t=\d+/)]);
    expect(last.values('Retry-After')).toEqual([expect.stringMatching(/^\d+$/)]);
    expect(last.values('Content-Type')).toEqual([expect.stringContaining('application/problem+json')]);
    expect(JSON.parse(last.body)).toMatchObject({ status: 429, code: 'rate_limited' });
  });

  test('a bad key is refused before anything is counted', async () => {
    const { key, ask, statuses } = await openApp();
    expect((await ask(`${key}x`)).values('RateLimit')).toEqual([]);
    expect(await statuses(`${key}x`, `${key}x`, key)).toEqual([401, 401, 200]);
  });

  // Last, as they stop the server.
  test.each([
    { passOnStoreError: false, good: 500 },
    { passOnStoreError: true, good: 200 },
  ])(
    'while Redis stands still, a good key is answered $good with passOnStoreError $passOnStoreError, and a bad one 401',
    async ({ passOnStoreError, good }) => {
      const { key, statuses, failed } = await openApp(passOnStoreError);
      server.signal('SIGSTOP');
      const stopped = await statuses(key, `${key}x`);
      server.signal('SIGCONT');

      expect(stopped).toEqual([good, 401]);
      expect(failed).toHaveLength(passOnStoreError ? 0 : 1);
    },
    SERVER_TIMEOUT_MS,
  );

  test('when Redis is gone, requests are not kept waiting', async () => {
    const [closed, open] = [await openApp(false), await openApp(true)];
    await server.stop();

    expect(await closed.statuses(closed.key, `${closed.key}x`)).toEqual([500, 401]);
    expect(await open.statuses(open.key, open.key, open.key)).toEqual([200, 200, 200]);
    expect(closed.failed).toEqual([
      expect.objectContaining({ message: expect.stringMatching(/offline|closed/i) as unknown }),
    ]);
  });
});
