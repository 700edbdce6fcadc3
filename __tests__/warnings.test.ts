import { afterEach, describe, expect, jest, test } from '@jest/globals';
import type { RequestHandler } from 'express';
import request from 'supertest';
import { pluto, validateRouter } from '../lib/dialects.ts';
import { createEvents, WARNING_CODES } from '../lib/events.ts';
import {
  type ApiKeysOptions,
  apiKeyAuth,
  type KeyEvent,
  MemoryKeyStore,
  requireScope,
  type WarningCode,
} from '../lib/index.ts';
import { type Express, expressVersions } from './support/express-versions.ts';
import { entriesOf, entryText, readPage } from './support/markdown.ts';
import { closeOpenedKeys, type OpenedKeys, openKeys } from './support/open-keys.ts';

afterEach(async () => {
  jest.restoreAllMocks();
  await closeOpenedKeys();
});

const page = readPage('docs/warnings.md');
const PEPPERS = [{ id: 'p1', secret: 'x'.repeat(32) }];
const end: RequestHandler = (_req, res) => void res.json('reached');

/** The store without what marks it: one of an application's own, as far as we can see. */
const plainStore = () => {
  const store = new MemoryKeyStore();
  return { findByDigest: store.findByDigest.bind(store), insert: store.insert.bind(store) } as MemoryKeyStore;
};

type App = ReturnType<Express>;

interface Provocation {
  readonly code: WarningCode;
  readonly options?: Partial<ApiKeysOptions>;
  arrange(app: App, keys: OpenedKeys): void;
  readonly headers?: Readonly<Record<string, string>>;
}

const inProduction = (app: App, { apiKeys }: OpenedKeys): void => {
  app.set('env', 'production');
  app.use(apiKeyAuth(apiKeys));
};

const PROVOCATIONS: readonly Provocation[] = [
  {
    code: 'mounted_twice',
    arrange(app, { apiKeys }) {
      app.use(apiKeyAuth(apiKeys));
      app.use('/a', apiKeyAuth(apiKeys));
    },
  },
  { code: 'memory_store_in_production', options: { peppers: PEPPERS }, arrange: inProduction },
  { code: 'no_pepper', options: { store: plainStore() }, arrange: inProduction },
  {
    code: 'trust_proxy_unset',
    arrange: (app, { apiKeys }) => void app.use(apiKeyAuth(apiKeys, { requireTls: true })),
    headers: { 'X-Forwarded-Proto': 'https' },
  },
  {
    code: 'validate_router_behind_auth',
    arrange(app, { apiKeys }) {
      app.use(apiKeyAuth(apiKeys));
      app.use(validateRouter(apiKeys, pluto()));
    },
  },
  {
    code: 'late_without_watch',
    options: { store: plainStore(), cache: { ttlMs: 10_001, staleIfErrorMs: 0 } },
    arrange: () => undefined,
  },
  {
    code: 'late_in_outage',
    options: { cache: { ttlMs: 10_000, staleIfErrorMs: 30_001 } },
    arrange: () => undefined,
  },
];

const codesOf = (events: readonly KeyEvent[]) =>
  events.flatMap((event) => (event.type === 'warning' ? [event.code] : []));

/** Two requests each to a route and to what may be a validate endpoint. */
async function ask(express: Express, provocation: Provocation, options: Partial<ApiKeysOptions> = {}) {
  const keys = await openKeys({ ...provocation.options, ...options });
  const app = express();
  provocation.arrange(app, keys);
  app.get('/a', end);
  for (const path of ['/a', '/a', '/api/runs/auth/validate']) {
    await request(app)
      .get(path)
      .set('Authorization', `Bearer ${keys.key}`)
      .set(provocation.headers ?? {});
  }
  return keys;
}

describe.each(expressVersions)('on $name', ({ express }) => {
  test.each(PROVOCATIONS)('$code is told once, unless it is silenced', async (provocation) => {
    const { events } = await ask(express, provocation);
    const silenced = await ask(express, provocation, { silence: [provocation.code] });

    expect(codesOf(events)).toEqual([provocation.code]);
    expect(codesOf(silenced.events)).toEqual([]);
    expect(entriesOf(page, 'Misconfigurations')).toContain(provocation.code);
  });

  test('nothing is told of a good arrangement in production', async () => {
    const arrange: Provocation['arrange'] = (app, { apiKeys }) => {
      app.set('env', 'production').set('trust proxy', 'loopback');
      app.use(validateRouter(apiKeys, pluto()));
      app.use(apiKeyAuth(apiKeys, { requireTls: true }));
    };
    const options = { store: plainStore(), peppers: PEPPERS };
    const headers = { 'X-Forwarded-Proto': 'https' };
    const { events } = await ask(express, { code: 'no_pepper', arrange, options, headers });

    expect(codesOf(events)).toEqual([]);
    expect(events.filter(({ type }) => type === 'decision').length).toBeGreaterThan(1);
  });

  test('nothing is told of memory and peppers outside of production', async () => {
    const arrange: Provocation['arrange'] = (app, { apiKeys }) => void app.use(apiKeyAuth(apiKeys));
    const { events } = await ask(express, { code: 'no_pepper', arrange });

    expect(codesOf(events)).toEqual([]);
  });

  test('requireTls says nothing of a plain request that came by no proxy', async () => {
    const arrange: Provocation['arrange'] = (app, { apiKeys }) =>
      void app.use(apiKeyAuth(apiKeys, { requireTls: true }));
    const { events } = await ask(express, { code: 'trust_proxy_unset', arrange });

    expect(codesOf(events)).toEqual([]);
  });

  test('a guard before its authenticator names its page', async () => {
    const app = express();
    app.get('/a', requireScope('a'), end);
    const { text } = await request(app).get('/a');

    expect(text).toContain('docs/warnings.md#guard_before_authenticator');
    expect(entriesOf(page, 'Misconfigurations')).toContain('guard_before_authenticator');
  });
});

describe('where nobody listens', () => {
  test('Node prints a misconfiguration once for each code, with its page', () => {
    const print = jest.spyOn(process, 'emitWarning').mockReturnValue(undefined);
    for (let i = 0; i < 2; i += 1) createEvents().warnOnce('mounted_twice', 0, 'Twice.');
    createEvents().warnOnce('no_pepper', 0, 'No pepper.');

    expect(print.mock.calls).toEqual([
      ['Twice. See docs/warnings.md#mounted_twice.', { type: 'KeystileWarning', code: 'mounted_twice' }],
      ['No pepper. See docs/warnings.md#no_pepper.', { type: 'KeystileWarning', code: 'no_pepper' }],
    ]);
  });

  test('Node prints no incident, and nothing that is silenced', () => {
    const print = jest.spyOn(process, 'emitWarning').mockReturnValue(undefined);
    createEvents().warnOnce('watch_lost', 0, 'Lost.');
    createEvents(undefined, ['late_in_outage']).warnOnce('late_in_outage', 0, 'Late.');

    expect(print).not.toHaveBeenCalled();
  });
});

describe('docs/warnings.md', () => {
  const sections = [...entriesOf(page, 'Misconfigurations'), ...entriesOf(page, 'Incidents')];

  test('has every code, and no others but the one that is an error', () => {
    expect([...sections].sort()).toEqual([...WARNING_CODES, 'guard_before_authenticator'].sort());
  });

  test('says of each what causes it, what is dangerous in it and how to mend it', () => {
    const parts = ['**Cause**', '**Danger**', '**Fix**'];
    const missing = sections.filter((code) => !parts.every((part) => entryText(page, code).includes(part)));

    expect(missing).toEqual([]);
  });
});
