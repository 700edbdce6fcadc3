import { afterEach, expect, test } from '@jest/globals';
import { type ApiKeys, apiKeyAuth, type KeyEvent } from '../../lib/index.ts';
import { exchange } from '../support/exchange.ts';
import { type Express, expressVersions } from '../support/express-versions.ts';
import { closeOpenedKeys, openKeys } from '../support/open-keys.ts';

afterEach(closeOpenedKeys);

interface Provocation {
  readonly message: string;
  arrange(app: ReturnType<Express>, apiKeys: ApiKeys): void;
  readonly line?: string;
  readonly fields?: readonly string[];
}

const PROVOCATIONS: readonly Provocation[] = [
  {
    message:
      'key_in_query: A key was sent in a query string, where logs and browsers keep it; it was not read.',
    arrange: (app, apiKeys) => void app.use(apiKeyAuth(apiKeys)),
    line: 'GET /?api_key=x',
  },
  {
    message:
      'trust_proxy_unset: requireTls refused a request that carries X-Forwarded-Proto, and the setting "trust proxy" ' +
      'is not set: behind a proxy that ends TLS, nobody gets in.',
    arrange: (app, apiKeys) => void app.use(apiKeyAuth(apiKeys, { requireTls: true })),
    fields: ['X-Forwarded-Proto: https'],
  },
  {
    message:
      'mounted_twice: A request came by two authenticators: its key was checked twice, and guards and handlers see ' +
      'what the second said.',
    arrange(app, apiKeys) {
      app.use(apiKeyAuth(apiKeys, { mode: 'optional' }), apiKeyAuth(apiKeys, { mode: 'optional' }));
    },
  },
];

for (const { name, express } of expressVersions) {
  test.each(PROVOCATIONS)(
    `on ${name} a warning says: $message`,
    async ({ message, arrange, line, fields = [] }) => {
      const { apiKeys, events } = await openKeys();
      const app = express();
      arrange(app, apiKeys);
      app.use((_req, res) => void res.send('let pass'));
      await exchange(app, [...fields], line === undefined ? {} : { line });
      await exchange(app, [...fields], line === undefined ? {} : { line });

      expect(warningsIn(events)).toEqual([message]);
    },
  );
}

function warningsIn(events: readonly KeyEvent[]): readonly string[] {
  return events.flatMap((event) => (event.type === 'warning' ? [`${event.code}: ${event.message}`] : []));
}

test.each(expressVersions)('on $name nothing is said of a proxy that is known', async ({ express }) => {
  const { apiKeys, events } = await openKeys();
  const app = express();
  app.set('trust proxy', 'loopback');
  app.use(apiKeyAuth(apiKeys, { requireTls: true }));

  expect((await exchange(app, ['X-Forwarded-Proto: http'])).status).toBe(403);
  expect(warningsIn(events)).toEqual([]);
});

test.each(expressVersions)('on $name production is noticed with the first key', async ({ express }) => {
  const { apiKeys, events, key } = await openKeys();
  const app = express();
  app.set('env', 'production');
  app.use(apiKeyAuth(apiKeys), (_req, res) => void res.send('let pass'));
  await exchange(app, []);
  expect(warningsIn(events)).toEqual([]);
  await exchange(app, [`X-API-Key: ${key}`]);

  expect(warningsIn(events)).toEqual([
    expect.stringMatching(/^memory_store_in_production: /),
    expect.stringMatching(/^no_pepper: /),
  ]);
});
