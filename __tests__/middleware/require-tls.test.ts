import type { RequestListener } from 'node:http';
import { createServer } from 'node:https';
import { connect, type PSKCallbackNegotation } from 'node:tls';
import { afterEach, describe, expect, test } from '@jest/globals';
import { type ApiKeyAuthOptions, apiKeyAuth } from '../../lib/index.ts';
import { problemOf, refusalFields } from '../support/answers.ts';
import { converse, exchange, listen, type WireAnswer } from '../support/exchange.ts';
import { type Express, expressVersions } from '../support/express-versions.ts';
import { closeOpenedKeys, decisionsOf, type OpenedKeys, openKeys } from '../support/open-keys.ts';

afterEach(closeOpenedKeys);

function openApp(express: Express, { apiKeys }: OpenedKeys, trust: unknown, mode?: 'optional') {
  const app = express();
  if (trust !== undefined) app.set('trust proxy', trust);
  app.use(apiKeyAuth(apiKeys, { requireTls: true, ...(mode && { mode }) }));
  app.get('/', (_req, res) => void res.send('let pass'));
  return app;
}

/** TLS by a shared secret, which needs no certificate. */
async function exchangeOverTls(app: RequestListener, lines: readonly string[]): Promise<WireAnswer> {
  const psk = Buffer.alloc(32, 7);
  const suite = { ciphers: 'PSK-AES128-GCM-SHA256', maxVersion: 'TLSv1.2' } as const;
  const server = createServer({ ...suite, pskCallback: () => psk, pskIdentityHint: 'test' }, app);
  const port = await listen(server);
  const pskCallback = (): PSKCallbackNegotation => ({ psk, identity: 'test' });
  try {
    const socket = connect({
      ...suite,
      port,
      host: '127.0.0.1',
      pskCallback,
      checkServerIdentity: () => undefined,
    });
    return await converse(socket, lines);
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

describe.each(expressVersions)('requireTls on $name', ({ express }) => {
  const proto = (...values: string[]) => values.map((value) => `X-Forwarded-Proto: ${value}`);

  test.each<[number, string, unknown, string[]]>([
    [403, 'nothing is said of it', undefined, []],
    [403, 'no proxy is trusted', undefined, proto('https')],
    [403, 'no proxy is trusted, explicitly', false, proto('https')],
    [403, 'another proxy is trusted', '10.0.0.0/8', proto('https')],
    [403, 'no hop is trusted', 0, proto('https')],
    [403, 'a function trusts nobody', () => false, proto('https')],
    [200, 'every proxy is trusted', true, proto('https')],
    [200, 'one hop is trusted', 1, proto('https')],
    [200, 'the proxy is trusted by its network', 'loopback', proto('https')],
    [200, 'the proxy is trusted by its address', '127.0.0.1', proto('https')],
    [200, 'a function trusts the proxy', (address: string) => address === '127.0.0.1', proto('https')],
    [403, 'the proxy says http', true, proto('http')],
    [403, 'the proxy says nothing', true, []],
    [403, 'the proxy says something empty', true, proto('')],
    [403, 'the client says https and the proxy http', true, proto('https, http')],
    [200, 'the client says http and the proxy https', true, proto('http, https')],
    [200, 'the client says nonsense and the proxy https', true, proto('x,y ,https')],
    [403, 'the client says https and the proxy adds a line', true, proto('https', 'http')],
    [200, 'the client says http and the proxy adds a line', true, proto('http', 'https')],
    [403, 'the last element is empty', true, proto('https,')],
    [403, 'the last element only begins with https', true, proto('https1')],
    [200, 'the proxy writes it in upper case', true, proto('HTTPS')],
    [200, 'the proxy writes white space around it', true, proto('http,\t https \t')],
    [403, 'the proxy says so in another header', true, ['Forwarded: proto=https', 'X-Forwarded-Ssl: on']],
  ])('answers %d where %s', async (status, _, trust, lines) => {
    const keys = await openKeys();
    const answer = await exchange(openApp(express, keys, trust), [...lines, `X-API-Key: ${keys.key}`]);
    expect(answer.status).toBe(status);
  });

  test('answers 200 over TLS, whatever a header says', async () => {
    const keys = await openKeys();
    const app = openApp(express, keys, true);
    const answers = [
      await exchangeOverTls(app, [`X-API-Key: ${keys.key}`]),
      await exchangeOverTls(app, [`X-API-Key: ${keys.key}`, ...proto('http')]),
    ];
    expect(answers.map(({ status }) => status)).toStrictEqual([200, 200]);
    expect((await exchangeOverTls(app, [])).status).toBe(401);
  });

  test('takes over what a mounted app has from its parent', async () => {
    const keys = await openKeys();
    const parent = express();
    parent.set('trust proxy', true);
    parent.use('/api', openApp(express, keys, undefined));
    const lines = [`X-API-Key: ${keys.key}`, ...proto('https')];
    expect((await exchange(parent, lines, { line: 'GET /api/' })).status).toBe(200);
  });

  test('answers the same bytes to every key and to none, with no challenge and no look-up', async () => {
    const keys = await openKeys();
    const revoked = await keys.apiKeys.create({ name: 'Old', organization: { id: 'org_1' } });
    await keys.apiKeys.revoke(revoked.apiKey.id);
    const app = openApp(express, keys, undefined);
    const requests = [
      [`X-API-Key: ${keys.key}`],
      [`Authorization: Bearer ${keys.key}`],
      [`X-API-Key: ${revoked.key}`],
      ['X-API-Key: nonsense'],
      ['X-API-Key:'],
      ['X-API-Key: a', 'X-API-Key: b'],
      [],
    ];
    const answers: WireAnswer[] = [];
    for (const lines of requests) answers.push(await exchange(app, lines));
    const [first] = answers as [WireAnswer];
    expect(first.status).toBe(403);
    expect(first.body).toBe(problemOf('tls_required'));
    expect(first.fields).toStrictEqual(refusalFields(first.body));
    expect(new Set(answers.map(({ bytes }) => bytes)).size).toBe(1);
    expect(keys.store.lookups).toBe(0);
    expect(decisionsOf(keys.events)).toStrictEqual(
      requests.map(() => ({ type: 'decision', outcome: 'refused', reason: 'tls_required', cache: 'none' })),
    );
  });

  test.each<[string, ApiKeyAuthOptions]>([
    ['itself', {}],
    ['with a function', { errors: (_error, _req, res) => void res.end('worded') }],
  ])('answers %s, with no challenge, not even an empty one, and nobody gets past it', async (_, options) => {
    const { apiKeys, key } = await openKeys();
    const seen: unknown[] = [];
    const app = express();
    app.use((_req, res, next) => {
      res.on('finish', () => seen.push(res.hasHeader('WWW-Authenticate')));
      next();
    });
    app.use(apiKeyAuth(apiKeys, { ...options, requireTls: true }), () => void seen.push('reached'));
    expect((await exchange(app, [`X-API-Key: ${key}`])).status).toBe(403);
    expect(seen).toEqual([false]);
  });

  test('lets no anonymous request pass either', async () => {
    const keys = await openKeys();
    expect((await exchange(openApp(express, keys, undefined, 'optional'), [])).status).toBe(403);
  });
});
