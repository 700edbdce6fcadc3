import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import express from 'express';
import { createVendorBackedKeys } from '../examples/vendor-fallback.mjs';
import { type ApiKeys, apiKeyAuth, MemoryKeyStore, requireScope } from '../lib/index.ts';

const KEY = `vk_${'q7Xw'.repeat(8)}`;
const YES = { valid: true, organizationId: 'org_1', scopes: ['reports:read'], expiresAt: null };
const NO = { valid: false };

/** What the vendor does with a request; the parts of an answer, or nothing and the connection is cut. */
type Vendor = (key: string) => { status?: number; body: string } | undefined;
const says = (answer: object): Vendor => {
  return () => ({ body: JSON.stringify(answer) });
};

const cleanUps: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

/** An API before a vendor, each with a server of its own, and the keys that the vendor was asked about. */
async function open(vendor: Vendor) {
  const bench = { vendor, asked: [] as string[] };
  const vendorUrl = await serve((req, res) => {
    const key = (req.headers.authorization ?? '').replace('Bearer ', '');
    bench.asked.push(key);
    const answer = bench.vendor(key);
    if (answer === undefined) {
      res.destroy();
      return;
    }
    res.writeHead(answer.status ?? 200).end(answer.body);
  });
  const store = new MemoryKeyStore();
  const openApi = async () => {
    const apiKeys: ApiKeys = createVendorBackedKeys({ store, vendorUrl });
    cleanUps.push(() => apiKeys.close());
    const app = express();
    app.use(apiKeyAuth(apiKeys));
    app.get('/reports', requireScope('reports:read'), (req, res) => {
      res.json(req.apiKey.organization);
    });
    const url = await serve(app);
    const ask = async (key: string) => {
      const response = await fetch(`${url}/reports`, { headers: { Authorization: `Bearer ${key}` } });
      return { status: response.status, body: (await response.json()) as object };
    };
    const statusOf = async (key: string) => (await ask(key)).status;
    return { apiKeys, ask, statusOf };
  };
  return Object.assign(bench, await openApi(), { openApi });
}

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanUps.push(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('a key that is good at the vendor', () => {
  test('is asked about once, and served from here from then on', async () => {
    const bench = await open(says(YES));

    expect(await bench.ask(KEY)).toEqual({ status: 200, body: { id: 'org_1' } });
    bench.vendor = () => undefined;
    expect(await bench.statusOf(KEY)).toBe(200);
    expect(await (await bench.openApi()).statusOf(KEY)).toBe(200);
    expect(bench.asked).toEqual([KEY]);
  });

  test('is asked about once when a hundred requests bring it at the same time', async () => {
    const { statusOf, asked } = await open(says(YES));
    const statuses = await Promise.all(Array.from({ length: 100 }, () => statusOf(KEY)));

    expect(statuses).toEqual(Array(100).fill(200));
    expect(asked).toEqual([KEY]);
  });

  test('is imported once when two processes ask about it at the same time', async () => {
    const { apiKeys, statusOf, openApi } = await open(says(YES));
    const other = await openApi();

    expect(await Promise.all([statusOf(KEY), other.statusOf(KEY)])).toEqual([200, 200]);
    expect((await apiKeys.list()).apiKeys).toHaveLength(1);
  });

  test('is listed with what the vendor said of it, and without its text', async () => {
    const expiresAt = '2100-01-01T00:00:00.000Z';
    const { apiKeys, statusOf } = await open(says({ ...YES, expiresAt }));
    await statusOf(KEY);
    const { apiKeys: listed } = await apiKeys.list();

    expect(listed).toMatchObject([
      { organization: { id: 'org_1' }, scopes: ['reports:read'], expiresAt: new Date(expiresAt) },
    ]);
    expect(JSON.stringify(listed)).not.toContain(KEY);
  });

  test('may do what the vendor said and no more', async () => {
    const { statusOf } = await open(says({ ...YES, scopes: [] }));

    expect(await statusOf(KEY)).toBe(403);
  });

  test('is refused when its end has come, and not asked about again', async () => {
    const { statusOf, asked } = await open(says({ ...YES, expiresAt: '2001-01-01T00:00:00Z' }));

    expect([await statusOf(KEY), await statusOf(KEY)]).toEqual([401, 401]);
    expect(asked).toEqual([KEY]);
  });

  test('is refused once it was revoked here, whatever the vendor says of it', async () => {
    const { apiKeys, statusOf, asked, openApi } = await open(says(YES));
    await statusOf(KEY);
    const [imported] = (await apiKeys.list()).apiKeys;
    await apiKeys.revoke(imported?.id ?? '');

    expect(await statusOf(KEY)).toBe(401);
    expect(await (await openApi()).statusOf(KEY)).toBe(401);
    expect(asked).toEqual([KEY]);
  });
});

describe('a key that the vendor does not know', () => {
  test('is refused, and remembered for a while', async () => {
    const { statusOf, asked } = await open(says(NO));

    expect([await statusOf(KEY), await statusOf(KEY)]).toEqual([401, 401]);
    expect(asked).toEqual([KEY]);
  });

  test('leaves no record', async () => {
    const { apiKeys, statusOf } = await open(says(NO));
    await statusOf(KEY);

    expect((await apiKeys.list()).apiKeys).toEqual([]);
  });
});

describe('a vendor that does not say yes or no', () => {
  const faults: readonly [string, Vendor][] = [
    ['cuts the connection', () => undefined],
    ['answers 500', () => ({ status: 500, body: JSON.stringify(YES) })],
    ['answers 401 for a reason of its own', () => ({ status: 401, body: JSON.stringify(NO) })],
    ['answers what is no JSON', () => ({ body: '<html>' })],
    ['answers without a verdict', says({})],
    ['answers with a verdict of another type', says({ ...YES, valid: 'true' })],
    ['answers with scopes that nobody can have', says({ ...YES, scopes: ['*'] })],
    ['answers without an organization', says({ valid: true, scopes: [] })],
  ];

  test.each(faults)('and %s is a 503, until it is well again', async (_case, vendor) => {
    const bench = await open(vendor);

    expect(await bench.statusOf(KEY)).toBe(503);
    bench.vendor = says(YES);
    expect(await bench.statusOf(KEY)).toBe(200);
    expect(bench.asked).toEqual([KEY, KEY]);
  });

  test('stops neither the keys that are here nor those that are made here', async () => {
    const bench = await open(says(YES));
    await bench.statusOf(KEY);
    bench.vendor = () => undefined;
    const input = { name: 'CI', organization: { id: 'org_2' }, scopes: ['reports:read'] };
    const { key } = await bench.apiKeys.create(input);

    expect([await bench.statusOf(KEY), await bench.statusOf(key)]).toEqual([200, 200]);
  });
});

test.each([`vk_${'q7Xw'.repeat(7)}`, `${KEY}.`, `VK_${'q7Xw'.repeat(8)}`])(
  'the vendor is not asked about %s, which it did not make',
  async (text) => {
    const { statusOf, asked } = await open(says(YES));

    expect(await statusOf(text)).toBe(401);
    expect(asked).toEqual([]);
  },
);
