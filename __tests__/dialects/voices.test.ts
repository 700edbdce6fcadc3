import { afterEach, describe, expect, test } from '@jest/globals';
import { type Dialect, endor, gmi, introspection, pluto, timbrix, workos } from '../../lib/dialects.ts';
import {
  ApiKeyError,
  apiKeyAuth,
  type ErrorCode,
  InvalidInputError,
  keyPairs,
  requireOrganization,
  requireScope,
} from '../../lib/index.ts';
import { exchange } from '../support/exchange.ts';
import { expressVersions } from '../support/express-versions.ts';
import { closeOpenedKeys, KEY_INPUT, openKeys } from '../support/open-keys.ts';
import { OWN_TEXT, type Voice, voices } from '../support/voices.ts';

afterEach(closeOpenedKeys);

const dialects = [pluto(), timbrix(), gmi(), endor(), workos(), introspection()].map((dialect) => ({
  name: dialect.name,
  dialect,
  voice: voices[dialect.name] as Voice,
}));

/** Dialects whose content type is not `application/json`. */
const TYPES: Readonly<Record<string, string>> = { timbrix: 'application/json; charset=utf-8' };

/** Those that tell how to authenticate, as OAuth and gRPC gateways do. */
const CHALLENGING = ['introspection', 'endor'];

describe.each(dialects)('$name', ({ dialect, voice }) => {
  test.each(Object.keys(voice) as ErrorCode[])('words %s', (code) => {
    const { status, body } = dialect.error(new ApiKeyError(code, OWN_TEXT));

    expect([status, JSON.stringify(body)]).toStrictEqual(voice[code]);
  });
});

describe.each(expressVersions)('apiKeyAuth with a dialect for a voice on $name', ({ express }) => {
  async function openApp(dialect: Dialect) {
    const keys = await openKeys({ verifiers: [keyPairs()] });
    const app = express();
    app.use('/tls', apiKeyAuth(keys.apiKeys, { errors: dialect, requireTls: true }));
    app.use(apiKeyAuth(keys.apiKeys, { errors: dialect }));
    app.get('/scope', requireScope('reports:write'));
    app.get(
      '/organization',
      requireOrganization(() => 'org_2'),
    );
    app.use((_req, res) => void res.status(200).send('let pass'));
    return { ...keys, app };
  }

  type Opened = Awaited<ReturnType<typeof openApp>>;
  type Request = { readonly lines: string[]; readonly path?: string };
  const situations: readonly {
    readonly code: ErrorCode;
    readonly ownText?: string;
    send(keys: Opened): Promise<Request>;
  }[] = [
    { code: 'missing_credentials', send: async () => ({ lines: [] }) },
    {
      code: 'invalid_request',
      ownText: 'A header field that carries the key was sent twice.',
      send: async ({ key }) => ({ lines: [`X-API-Key: ${key}`, `X-API-Key: ${key}`] }),
    },
    { code: 'invalid_token', send: async () => ({ lines: ['Authorization: Bearer wrong'] }) },
    {
      code: 'insufficient_scope',
      send: async ({ key }) => ({ lines: [`X-API-Key: ${key}`], path: '/scope' }),
    },
    { code: 'forbidden', send: async ({ key }) => ({ lines: [`X-API-Key: ${key}`], path: '/organization' }) },
    { code: 'tls_required', send: async ({ key }) => ({ lines: [`X-API-Key: ${key}`], path: '/tls' }) },
    {
      code: 'rate_limited',
      async send({ apiKeys }) {
        const { key: id } = await apiKeys.create({ ...KEY_INPUT, kind: 'pair' });
        const secretOf = (number: number) => String(number).padStart(43, 'x');
        for (let i = 0; i < 20; i += 1) await apiKeys.verifyPair(id, secretOf(i), { from: '127.0.0.1' });
        return { lines: [`X-API-Key: ${id}.${secretOf(20)}`] };
      },
    },
    {
      code: 'temporarily_unavailable',
      async send({ key, store }) {
        store.fault = new Error('down');
        return { lines: [`X-API-Key: ${key}`] };
      },
    },
  ];
  const rows = dialects.flatMap((row) => situations.map((situation) => ({ ...row, ...situation })));

  test.each(rows)('answers $code as $name words it', async ({ name, dialect, voice, ...situation }) => {
    const { code, ownText = OWN_TEXT, send } = situation;
    const keys = await openApp(dialect);
    const control = await exchange(keys.app, [`X-API-Key: ${keys.key}`]);
    expect([control.status, control.body]).toStrictEqual([200, 'let pass']);
    await keys.apiKeys.update(keys.apiKey.id, { name: 'Not in the cache' });

    const { lines, path = '/' } = await send(keys);
    const answer = await exchange(keys.app, lines, { line: `GET ${path}` });

    const [status, body] = expectedOf(name, voice, code);
    expect({ status: answer.status, body: answer.body }).toStrictEqual({
      status,
      body: body.replace(OWN_TEXT, ownText),
    });
    const expected = [
      'Cache-Control: no-store',
      `Content-Length: ${Buffer.byteLength(answer.body)}`,
      `Content-Type: ${TYPES[name] ?? 'application/json'}`,
      'Vary: Authorization, X-API-Key',
    ];
    if (code === 'rate_limited' || code === 'temporarily_unavailable') {
      expected.push(`Retry-After: ${answer.values('Retry-After').join()}`);
      expect(answer.values('Retry-After').join()).toMatch(/^[1-9]\d*$/);
    }
    const challenges = answer.fields.filter((field) => field.startsWith('WWW-Authenticate: '));
    expect(answer.fields).toStrictEqual([...expected, ...challenges].sort());
    expect(challenges).toHaveLength(challengeCount(name, code));
  });
});

/** WorkOS has no 400 for a credential: an ambiguous one is a missing one. */
function expectedOf(name: string, voice: Voice, code: ErrorCode): readonly [status: number, body: string] {
  return name === 'workos' && code === 'invalid_request' ? voice.invalid_token : voice[code];
}

function challengeCount(name: string, code: ErrorCode): number {
  const challenged: readonly ErrorCode[] = [
    'missing_credentials',
    'invalid_request',
    'invalid_token',
    'insufficient_scope',
  ];
  return CHALLENGING.includes(name) && challenged.includes(code) ? 1 : 0;
}

test('gmi tells which member of an input is wrong, and not what it was', () => {
  const { status, body } = gmi().error(new InvalidInputError('/scopes/0', 'must be a scope'));

  expect([status, JSON.stringify(body)]).toStrictEqual([
    400,
    '{"group":"request","code":0,"validationDetail":[{"field":"scopes.0","reason":"/scopes/0 must be a scope"}]}',
  ]);
});
