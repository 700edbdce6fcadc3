import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from '@jest/globals';
import { timbrix, validateRouter } from '../../lib/dialects.ts';
import { apiKeyAuth, requireOrganization } from '../../lib/index.ts';
import { exchange } from '../support/exchange.ts';
import { expressVersions } from '../support/express-versions.ts';
import { closeOpenedKeys, openKeys, START_MS } from '../support/open-keys.ts';

interface RecordedCase {
  readonly name: string;
  readonly response: {
    readonly status: number;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: object;
  };
}

/** What NestJS answered, with exceptions of these texts. */
const { cases } = JSON.parse(
  readFileSync(new URL('../data/contracts/nestjs-errors.json', import.meta.url), 'utf8'),
) as { cases: readonly RecordedCase[] };

/** Cases that timbrix has none of, and why. */
const LEFT_OUT: Readonly<Record<string, string>> = {
  ok: 'the body was a placeholder',
  'default POST status': 'the vendor documents 200',
  'malformed JSON': 'the endpoint has no body, so none is read',
};

const PATH = '/api/api-keys/validate';

afterEach(closeOpenedKeys);

describe.each(expressVersions)('timbrix on $name answers as NestJS:', ({ express }) => {
  async function openApp() {
    const keys = await openKeys({}, { expiresAt: new Date(START_MS + 1_000) });
    const app = express();
    app.use('/api', validateRouter(keys.apiKeys, timbrix({ scopes: ['reports:read'] })));
    app.use(apiKeyAuth(keys.apiKeys, { errors: timbrix() }));
    app.use(requireOrganization(() => 'org_2'));
    return { ...keys, app };
  }

  type Opened = Awaited<ReturnType<typeof openApp>>;
  const asks: Readonly<Record<string, (keys: Opened) => Promise<{ lines: string[]; line?: string }>>> = {
    'no key': async () => ({ lines: [] }),
    bad: async () => ({ lines: ['X-API-Key: wrong'] }),
    expired: async ({ clock, key }) => {
      clock.ms += 1_000;
      return { lines: [`X-API-Key: ${key}`] };
    },
    'no scope': async ({ apiKeys, apiKey, key }) => {
      await apiKeys.update(apiKey.id, { scopes: [] });
      return { lines: [`X-API-Key: ${key}`] };
    },
    'guard false': async ({ key }) => ({ lines: [`X-API-Key: ${key}`], line: 'GET /elsewhere' }),
    throws: async ({ store, key }) => {
      store.fault = new Error('down');
      return { lines: [`X-API-Key: ${key}`] };
    },
    GET: async ({ key }) => ({ lines: [`X-API-Key: ${key}`], line: `GET ${PATH}` }),
  };

  test.each(cases.filter(({ name }) => !(name in LEFT_OUT)))('$name', async ({ name, response }) => {
    const keys = await openApp();
    const { lines, line = `POST ${PATH}` } = (await asks[name]?.(keys)) ?? { lines: ['X-Not: asked'] };
    const answer = await exchange(keys.app, lines, { line });

    expect({ status: answer.status, type: answer.values('Content-Type'), body: answer.body }).toStrictEqual({
      status: response.status,
      type: [response.headers['content-type']],
      body: JSON.stringify(response.body),
    });
    expect(answer.values('WWW-Authenticate')).toEqual([]);
  });

  test('every case of the recording is here, or left out with a reason', () => {
    const names = [...Object.keys(asks), ...Object.keys(LEFT_OUT)];

    expect(cases.map(({ name }) => name).sort()).toEqual(names.sort());
  });
});
