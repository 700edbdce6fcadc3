import { afterEach, describe, expect, test } from '@jest/globals';
import request from 'supertest';
import {
  type ApiKeysOptions,
  apiKeyAuth,
  createApiKeys,
  type KeyEvent,
  type KeyRecord,
  requireScope,
  StoreUnavailableError,
} from '../../lib/index.ts';
import { problemOf, refusalFields } from '../support/answers.ts';
import { errorCatcher } from '../support/error-catcher.ts';
import { exchange } from '../support/exchange.ts';
import { type Express, expressVersions } from '../support/express-versions.ts';
import { closeOpenedKeys, decisionsOf, openKeys, START_MS } from '../support/open-keys.ts';

afterEach(closeOpenedKeys);

/** An app that shows whether anything came to its handler or to its error handler. */
async function openApp(express: Express, options: Partial<ApiKeysOptions> = {}) {
  const keys = await openKeys(options);
  const reached: string[] = [];
  const { failed, handler } = errorCatcher();
  const app = express();
  app.use(apiKeyAuth(keys.apiKeys), (req, res) => {
    reached.push(req.path);
    res.send('let pass');
  });
  app.use(handler);
  const ask = (text: string = keys.key) => exchange(app, [`X-API-Key: ${text}`]);
  return { ...keys, app, ask, reached, failed };
}

/** A clock that can be broken, and mended. */
function breakableClock() {
  const clock = { isBroken: false };
  const now = (): number => {
    if (clock.isBroken) throw new Error('secret detail of the clock');
    return START_MS;
  };
  return { clock, now };
}

describe.each(expressVersions)('a clock that breaks when a key was found good, on $name,', ({ express }) => {
  test('is a 500, also where only a warning asks for the time, and ends no process', async () => {
    const { clock, now } = breakableClock();
    const onEvent = ({ type }: KeyEvent) => {
      if (type === 'decision') clock.isBroken = true;
    };
    const { app, ask, reached } = await openApp(express, { now, onEvent });
    app.set('env', 'production');
    expect((await ask()).status).toBe(500);
    expect(reached).toEqual([]);
    clock.isBroken = false;
    expect((await ask()).status).toBe(200);
  });
});

describe.each(expressVersions)('a store that fails, on $name', ({ express }) => {
  const refused = Object.assign(new Error('401 Unauthorized'), { status: 401, code: 'invalid_token' });
  test.each<[string, unknown]>([
    ['rejects', new Error('ECONNREFUSED acme_db:5432')],
    ['rejects with what looks like a refusal', refused],
    ['rejects with no error', 'nope'],
    ['says itself that it is unavailable', new StoreUnavailableError('down')],
  ])('is a 503 with Retry-After and no challenge where it %s', async (_, fault) => {
    const { ask, store, events, reached, failed } = await openApp(express);
    store.fault = fault;
    const answer = await ask();
    const [retryAfter = ''] = answer.values('Retry-After');
    expect(answer.status).toBe(503);
    expect(answer.body).toBe(problemOf('temporarily_unavailable'));
    expect(retryAfter).toMatch(/^[1-9]\d*$/);
    expect(answer.fields).toStrictEqual(refusalFields(answer.body, [`Retry-After: ${retryAfter}`]));
    expect(decisionsOf(events)).toStrictEqual([
      { type: 'decision', outcome: 'unavailable', reason: 'temporarily_unavailable', cache: 'miss' },
    ]);
    expect({ reached, failed }).toStrictEqual({ reached: [], failed: [] });
  });

  test.each<[string, () => Promise<unknown>]>([
    ['does not answer in time', () => new Promise(() => {})],
    ['answers garbage', async () => ({ id: 7 })],
    ['answers an array', async () => []],
  ])('is a 503 where it %s', async (_, answerOf) => {
    const store = { findByDigest: answerOf as () => Promise<KeyRecord> };
    const { apiKeys } = openStore(store);
    const app = express();
    app.use(apiKeyAuth(apiKeys), (_req, res) => void res.send('let pass'));
    expect((await exchange(app, [`X-API-Key: ${await goodText()}`])).status).toBe(503);
  });

  test('is a 503 where it answers with the record of another key', async () => {
    const { ask, store, apiKeys, apiKey } = await openApp(express);
    const other = await apiKeys.create({ name: 'Other', organization: { id: 'org_2' } });
    const record = await store.findById(apiKey.id);
    store.findByDigest = async () => record;
    expect((await ask(other.key)).status).toBe(503);
    expect((await ask()).status).toBe(200);
  });

  test('is a 503 where the owner’s status cannot be had', async () => {
    const ownerStatus = () => Promise.reject(new Error('down'));
    expect((await (await openApp(express, { ownerStatus })).ask()).status).toBe(503);
  });

  test('is a 503 once the keys are closed', async () => {
    const { ask, apiKeys } = await openApp(express);
    await apiKeys.close();
    expect((await ask()).status).toBe(503);
  });

  test('does not turn away a key that the cache holds, nor a text that is no key', async () => {
    const { ask, store } = await openApp(express);
    expect((await ask()).status).toBe(200);
    store.fault = new Error('down');
    expect((await ask()).status).toBe(200);
    expect((await ask('nonsense')).status).toBe(401);
  });
});

describe.each(expressVersions)('a fault of our own, on $name', ({ express }) => {
  test.each([
    ['a key that was never read', false],
    ['a key that the cache holds', true],
  ])('is a 500 of fixed text for %s, and nobody gets past it', async (_, isCached) => {
    const { clock, now } = breakableClock();
    const { ask, reached, failed } = await openApp(express, { now });
    if (isCached) expect((await ask()).status).toBe(200);
    reached.length = 0;
    clock.isBroken = true;
    const answer = await ask();
    expect(answer.status).toBe(500);
    expect(answer.body).toBe(problemOf('server_error'));
    expect(answer.fields.filter((field) => !field.startsWith('Vary:'))).toStrictEqual(
      refusalFields(answer.body).filter((field) => !field.startsWith('Vary:')),
    );
    expect({ reached, failed }).toStrictEqual({ reached: [], failed: [] });
  });

  test('is a 500 where it happens while the store is asked', async () => {
    const { clock, now } = breakableClock();
    const { ask, store, reached, failed } = await openApp(express, { now });
    const { findByDigest } = store;
    store.findByDigest = (digests) => {
      clock.isBroken = true;
      return findByDigest.call(store, digests);
    };
    const answer = await ask();
    expect(answer.body).toBe(problemOf('server_error'));
    expect({ reached, failed }).toStrictEqual({ reached: [], failed: [] });
  });

  test('is a 500 for a request without a key, whose event has no time', async () => {
    const { clock, now } = breakableClock();
    const { app, reached, failed } = await openApp(express, { now });
    clock.isBroken = true;
    expect((await exchange(app, [])).body).toBe(problemOf('server_error'));
    expect({ reached, failed }).toStrictEqual({ reached: [], failed: [] });
  });

  test('is none where nobody hears the events that need a time', async () => {
    const { clock, now } = breakableClock();
    const apiKeys = createApiKeys({ store: { findByDigest: async () => undefined }, now });
    const app = express();
    app.use('/optional', apiKeyAuth(apiKeys, { mode: 'optional' }), requireScope('a'));
    app.use(apiKeyAuth(apiKeys));
    clock.isBroken = true;
    expect((await exchange(app, [])).body).toBe(problemOf('missing_credentials'));
    expect((await exchange(app, [], { line: 'GET /optional' })).body).toBe(problemOf('missing_credentials'));
  });

  test('never makes verify() throw', async () => {
    const { clock, now } = breakableClock();
    const { apiKeys, key } = await openKeys({ now });
    clock.isBroken = true;
    const verdict = apiKeys.verify(key);
    await expect(verdict).rejects.toThrow('secret detail of the clock');
  });

  test('is over when its cause is', async () => {
    const { clock, now } = breakableClock();
    const { ask } = await openApp(express, { now });
    clock.isBroken = true;
    await ask();
    clock.isBroken = false;
    expect((await ask()).status).toBe(200);
  });
});

type Opened = Awaited<ReturnType<typeof openKeys>> & { readonly breakClock: () => void };

/** An app whose other middleware gives up waiting, and is still writing when the look-up comes back. */
function openImpatientApp(express: Express, { apiKeys }: Opened, comeBack: () => Promise<void>) {
  const reached: string[] = [];
  const app = express();
  app.use((_req, res, next) => {
    next();
    res.status(504).write('too ');
    void comeBack().then(() => res.end('late'));
  });
  app.use(apiKeyAuth(apiKeys), (req) => void reached.push(req.path));
  return { app, reached };
}

describe.each(expressVersions)('an answer that somebody else gave meanwhile, on $name', ({ express }) => {
  test.each<[string, (opened: Opened) => unknown]>([
    ['the key turns out good', () => undefined],
    ['the key turns out revoked', ({ apiKeys, apiKey }) => apiKeys.revoke(apiKey.id)],
    ['the store fails', ({ store }) => Object.assign(store, { fault: new Error('down') })],
    ['our clock fails', ({ breakClock }) => breakClock()],
  ])('is left alone where %s', async (_, arrange) => {
    const { clock, now } = breakableClock();
    const breakClock = () => {
      clock.isBroken = true;
    };
    const keys = { ...(await openKeys({ now })), breakClock };
    let open = (): void => undefined;
    keys.store.gate = new Promise((resolve) => {
      open = resolve;
    });
    const { app, reached } = openImpatientApp(express, keys, async () => {
      await arrange(keys);
      open();
      await new Promise((resolve) => setImmediate(resolve));
    });
    const answer = await request(app).get('/').set('X-API-Key', keys.key);
    expect(keys.store.lookups).toBeGreaterThan(0);
    expect(answer.status).toBe(504);
    expect(answer.text).toBe('too late');
    expect(answer.headers).not.toHaveProperty('vary');
    expect(reached).toStrictEqual([]);
  });
});

function openStore(store: { findByDigest(): Promise<KeyRecord> }) {
  return { apiKeys: createApiKeys({ store, prefix: 'acme', storeTimeoutMs: 20 }) };
}

async function goodText(): Promise<string> {
  return (await openKeys()).key;
}
