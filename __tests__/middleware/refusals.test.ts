import { afterEach, describe, expect, test } from '@jest/globals';
import {
  apiKeyAuth,
  type CreateInput,
  requireEnvironment,
  requireOrganization,
  requireScope,
} from '../../lib/index.ts';
import { challengeFields, problemOf, refusalFields } from '../support/answers.ts';
import { exchange, type WireAnswer } from '../support/exchange.ts';
import { type Express, expressVersions } from '../support/express-versions.ts';
import { closeOpenedKeys, decisionsOf, type OpenedKeys, openKeys, START_MS } from '../support/open-keys.ts';

const MINUTE_MS = 60_000;
const FORM = ['Content-Type: application/x-www-form-urlencoded'];

afterEach(closeOpenedKeys);

function openApp(express: Express, { apiKeys }: OpenedKeys) {
  const app = express();
  app.use(apiKeyAuth(apiKeys));
  app.get('/scope', requireScope('reports:write', 'users:read'), (_req, res) => void res.send('secret'));
  app.get(
    '/organization',
    requireOrganization(() => 'org_2'),
    (_req, res) => void res.send('secret'),
  );
  app.get('/environment', requireEnvironment('test'), (_req, res) => void res.send('secret'));
  app.all('/', (_req, res) => void res.send('let pass'));
  return app;
}

describe.each(expressVersions)('a refusal on $name', ({ express }) => {
  describe('of a request without a key', () => {
    test.each<[string, string[], string, string]>([
      ['nothing is sent', [], 'GET /', ''],
      ['Authorization has a foreign scheme', ['Authorization: Basic YTpi'], 'GET /', ''],
      ['the key is in the query', [], 'GET /?api_key=KEY', ''],
      ['the key is in a cookie', ['Cookie: api_key=KEY'], 'GET /', ''],
      ['the key is in a form', FORM, 'POST /', 'api_key=KEY'],
    ])('is 401 missing_credentials where %s', async (_, lines, line, body) => {
      const keys = await openKeys();
      const withKey = (text: string) => text.replace('KEY', keys.key);
      const answer = await exchange(openApp(express, keys), lines.map(withKey), {
        line: withKey(line),
        body: withKey(body),
      });
      expectRefusal(answer, 401, problemOf('missing_credentials'), challengeFields(''));
      expect(keys.store.lookups).toBe(0);
      expect(decisionsOf(keys.events)).toStrictEqual([
        { type: 'decision', outcome: 'refused', reason: 'missing_credentials', cache: 'none' },
      ]);
    });
  });

  describe('of a request that cannot be understood', () => {
    test.each<[string, string[], string]>([
      ['the key is empty', ['X-API-Key:'], 'The key in the header is empty.'],
      ['a scheme stands alone', ['Authorization: Bearer'], 'The key in the header is empty.'],
      [
        'the key has a character that no key has',
        ['X-API-Key: KEY,KEY'],
        'The header that carries the key has characters that no key has.',
      ],
      [
        'the key has a control character',
        ['X-API-Key: KEY\tx'],
        'The header that carries the key has characters that no key has.',
      ],
      [
        'the key has a character outside ASCII',
        ['X-API-Key: KEY\xe9'],
        'The header that carries the key has characters that no key has.',
      ],
      [
        'a header is sent twice',
        ['X-API-Key: KEY', 'X-API-Key: KEY'],
        'A header field that carries the key was sent twice.',
      ],
      [
        'two headers carry a key',
        ['Authorization: Bearer KEY', 'X-API-Key: KEY'],
        'The request carries more than one key.',
      ],
    ])('is 400 invalid_request where %s', async (_, lines, detail) => {
      const keys = await openKeys();
      const sent = lines.map((line) => line.replaceAll('KEY', keys.key));
      const answer = await exchange(openApp(express, keys), sent);
      const challenges = challengeFields(', error="invalid_request"');
      expectRefusal(answer, 400, problemOf('invalid_request', detail), challenges);
      expect(answer.bytes).not.toContain(keys.key);
      expect(keys.store.lookups).toBe(0);
      expect(decisionsOf(keys.events)).toStrictEqual([
        { type: 'decision', outcome: 'refused', reason: 'invalid_request', cache: 'none' },
      ]);
    });
  });

  describe('of a text that can be no key of ours', () => {
    test.each<[string, string, (key: string) => string]>([
      ['has another prefix', 'malformed', (key) => key.replace('acme', 'other')],
      ['is too short', 'malformed', (key) => key.slice(0, -1)],
      ['is too long', 'malformed', (key) => key + 'x'.repeat(600)],
      ['has another alphabet', 'malformed', (key) => key.replace(/.{7}$/, '-000000')],
      ['has a wrong checksum', 'malformed', (key) => key.slice(0, -1) + (key.endsWith('0') ? '1' : '0')],
      ['is the key of another system', 'malformed', () => 'ghp_0123456789'],
    ])('is 401 invalid_token, with no look-up, where it %s', async (_, reason, textOf) => {
      const keys = await openKeys();
      const answer = await exchange(openApp(express, keys), [`X-API-Key: ${textOf(keys.key)}`]);
      expectRefusal(answer, 401, problemOf('invalid_token'), challengeFields(', error="invalid_token"'));
      expect(keys.store.lookups).toBe(0);
      expect(decisionsOf(keys.events)).toStrictEqual([
        { type: 'decision', outcome: 'refused', reason, cache: 'none' },
      ]);
    });

    test('is 401 invalid_token, with no look-up, for a key of another environment', async () => {
      const keys = await openKeys({}, { environment: 'test' });
      const answer = await exchange(openApp(express, keys), [`X-API-Key: ${keys.key}`]);
      expectRefusal(answer, 401, problemOf('invalid_token'), challengeFields(', error="invalid_token"'));
      expect(keys.store.lookups).toBe(0);
      expect(decisionsOf(keys.events)).toMatchObject([{ reason: 'wrong_environment', cache: 'none' }]);
    });
  });

  describe('of a key that was found wanting', () => {
    const later = (minutes: number) => new Date(START_MS + minutes * MINUTE_MS);
    const wantings: readonly {
      reason: string;
      input?: Partial<CreateInput>;
      arrange?: (keys: OpenedKeys) => unknown;
    }[] = [
      { reason: 'unknown', arrange: ({ apiKeys, apiKey }) => apiKeys.delete(apiKey.id) },
      {
        reason: 'revoked',
        arrange: ({ apiKeys, apiKey }) => apiKeys.revoke(apiKey.id, { reason: 'leaked' }),
      },
      { reason: 'disabled', arrange: ({ apiKeys, apiKey }) => apiKeys.disable(apiKey.id) },
      { reason: 'rotated', arrange: rotateOut },
      {
        reason: 'expired',
        input: { expiresAt: later(1) },
        arrange: ({ clock }) => {
          clock.ms += MINUTE_MS;
        },
      },
      { reason: 'not_yet_valid', input: { notBefore: later(1) } },
      { reason: 'owner_inactive', input: { owner: { type: 'user', id: 'gone' } } },
    ];

    async function refuse({ input, arrange }: (typeof wantings)[number]) {
      const keys = await openKeys(
        { ownerStatus: ({ owner }) => (owner.id === 'gone' ? 'inactive' : 'active') },
        input,
      );
      await arrange?.(keys);
      const answer = await exchange(openApp(express, keys), [`Authorization: Bearer ${keys.key}`]);
      return { answer, keys };
    }

    test.each(wantings)('is 401 invalid_token for one that is $reason', async (wanting) => {
      const { answer, keys } = await refuse(wanting);
      expectRefusal(answer, 401, problemOf('invalid_token'), challengeFields(', error="invalid_token"'));
      expect(keys.store.lookups).toBeLessThanOrEqual(1);
      expect(decisionsOf(keys.events)).toMatchObject([{ outcome: 'refused', reason: wanting.reason }]);
    });

    test('is the same, byte for byte, whatever the reason', async () => {
      const answers = new Set<string>();
      for (const wanting of wantings) answers.add((await refuse(wanting)).answer.bytes);
      expect([...answers]).toHaveLength(1);
    });

    test('is the same, byte for byte, from the cache', async () => {
      const keys = await openKeys();
      await keys.apiKeys.disable(keys.apiKey.id);
      const app = openApp(express, keys);
      const first = await exchange(app, [`X-API-Key: ${keys.key}`]);
      const second = await exchange(app, [`X-API-Key: ${keys.key}`]);
      expect(second.bytes).toBe(first.bytes);
      expect(decisionsOf(keys.events)).toMatchObject([{ cache: 'miss' }, { cache: 'hit' }]);
    });
  });

  describe('by a guard', () => {
    test('is 403 insufficient_scope, with all that the route demands, where a scope is missing', async () => {
      const keys = await openKeys({}, { scopes: ['users:read'] });
      const answer = await exchange(openApp(express, keys), [`X-API-Key: ${keys.key}`], {
        line: 'GET /scope',
      });
      const challenges = challengeFields(', error="insufficient_scope", scope="reports:write users:read"');
      expectRefusal(answer, 403, problemOf('insufficient_scope'), challenges);
    });

    test.each(['/organization', '/environment'])(
      'is 403 forbidden, with no challenge, on %s',
      async (path) => {
        const keys = await openKeys();
        const lines = [`X-API-Key: ${keys.key}`];
        const answer = await exchange(openApp(express, keys), lines, { line: `GET ${path}` });
        expectRefusal(answer, 403, problemOf('forbidden'), []);
      },
    );
  });

  test('of a HEAD request has the head of the same answer to GET, and no body', async () => {
    const keys = await openKeys();
    const app = openApp(express, keys);
    const get = await exchange(app, ['X-API-Key: wrong']);
    const head = await exchange(app, ['X-API-Key: wrong'], { line: 'HEAD /' });
    expect(head.status).toBe(401);
    expect(head.fields).toStrictEqual(get.fields);
    expect(head.body).toBe('');
  });

  test('of an OPTIONS request is that of any other', async () => {
    const keys = await openKeys();
    const app = openApp(express, keys);
    const get = await exchange(app, []);
    const options = await exchange(app, ['Origin: https://a.test'], { line: 'OPTIONS /' });
    expect(options.bytes).toBe(get.bytes);
  });
});

function expectRefusal(
  answer: WireAnswer,
  status: number,
  body: string,
  challenges: readonly string[],
): void {
  expect(answer.body).toBe(body);
  expect(answer.status).toBe(status);
  expect(answer.fields).toStrictEqual(refusalFields(body, challenges));
  // Sorting has lost the order of these two, which counts.
  expect(answer.values('WWW-Authenticate').map((value) => value.split(' ', 1)[0])).toStrictEqual(
    challenges.length === 0 ? [] : ['Bearer', 'ApiKey'],
  );
}

async function rotateOut({ apiKeys, apiKey, clock }: OpenedKeys): Promise<void> {
  await apiKeys.rotate(apiKey.id, { gracePeriodMs: MINUTE_MS });
  clock.ms += MINUTE_MS;
}
