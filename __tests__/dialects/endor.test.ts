import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { hashSync } from 'bcryptjs';
import type { RequestHandler } from 'express';
import { bcryptSecrets } from '../../lib/authentication/bcrypt-secrets.ts';
import { type EndorOptions, type EndorUser, endor, validateRouter } from '../../lib/dialects.ts';
import { ApiKeyError, type CreateInput, createApiKeys, keyPairs, MemoryKeyStore } from '../../lib/index.ts';
import { Canary } from '../support/canary.ts';
import { captureOutput } from '../support/capture-output.ts';
import { exchange, type WireAnswer } from '../support/exchange.ts';
import { type Express, expressVersions } from '../support/express-versions.ts';
import { closeOpenedKeys, type OpenedKeys, openKeys } from '../support/open-keys.ts';
import { assertFits } from '../support/openapi.ts';

afterEach(closeOpenedKeys);

const PATH = '/v1/auth/api-key/validate';
const LINE = `POST ${PATH}`;
const JSON_LINES = ['Content-Type: application/json'];

interface Bench extends OpenedKeys {
  readonly id: string;
  readonly secret: string;
  ask(body: string | object, line?: string): Promise<WireAnswer>;
}

interface BenchOptions extends EndorOptions {
  readonly input?: Partial<CreateInput>;
  readonly before?: (express: Express) => readonly RequestHandler[];
}

async function open(
  express: Express,
  { input, before = () => [], ...options }: BenchOptions = {},
): Promise<Bench> {
  const verifiers = [keyPairs(), bcryptSecrets({ ids: /^legacy_\d+$/ })];
  const opened = await openKeys({ verifiers });
  const organization = { id: 'org_1', slug: 'acme' };
  const made = await opened.apiKeys.create({ name: 'CI', organization, kind: 'pair', ...input });
  const app = express();
  for (const handler of before(express)) app.use(handler);
  app.use(validateRouter(opened.apiKeys, endor(options)));
  return {
    ...opened,
    apiKey: made.apiKey,
    id: made.key,
    secret: made.secret ?? '',
    ask: (body, line = LINE) => {
      const text = typeof body === 'string' ? body : JSON.stringify(body);
      return exchange(app, JSON_LINES, { line, body: asciiOf(text) });
    },
  };
}

/** JSON without a letter beyond ASCII, of which there is but one spelling in bytes. */
function asciiOf(json: string): string {
  return json.replace(/[\x80-\uffff]/g, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

const INFO = 'type.googleapis.com/internal.endor.ai.rpc.v1.HTTPErrorInfo';

function errorBody(code: number, message: string, status: number): string {
  return JSON.stringify({ code, message, details: [{ '@type': INFO, status_code: status }] });
}

function fits({ status, body }: WireAnswer): void {
  assertFits('endor', 'POST', PATH, status, 'application/json', JSON.parse(body));
}

describe.each(expressVersions)('on $name', ({ express }) => {
  let bench: Bench;
  beforeEach(async () => {
    bench = await open(express);
  });

  test('a good pair is told with what its record knows of the user, and its secret blotted out', async () => {
    const { id, secret, ask } = bench;
    const answer = await ask({ key: id, secret });
    expect([answer.status, answer.body]).toEqual([
      200,
      `{"key":"${id}","secret":"***","issuing_user":{"meta":{"name":"org_1","index_data":{"tenant":"org_1"},"kind":"User","version":"v1"},"spec":{"user_name":"org_1"},"uuid":"org_1"},"valid":true}`,
    ]);
    expect(answer.values('Content-Type')).toEqual(['application/json']);
    expect(answer.values('Cache-Control')).toEqual(['no-store']);
    fits(answer);
  });

  test.each<[string, Partial<CreateInput>, string]>([
    ['a user who owns the key', { owner: { type: 'user', id: 'user_7' }, createdBy: 'admin_1' }, 'user_7'],
    [
      'who created the key, where a service owns it',
      { owner: { type: 'service', id: 'ci' }, createdBy: 'admin_1' },
      'admin_1',
    ],
    ['the owner, where nobody knows who created the key', { owner: { type: 'service', id: 'ci' } }, 'ci'],
  ])('the issuing user is %s', async (_who, input, user) => {
    const { id, secret, ask } = await open(express, { input });
    const { issuing_user } = JSON.parse((await ask({ key: id, secret })).body);
    expect(issuing_user).toMatchObject({ uuid: user, meta: { name: user }, spec: { user_name: user } });
  });

  test("a name is cut at the vendor's 63 characters, and an id is not", async () => {
    const owner = { type: 'user', id: 'u'.repeat(64) } as const;
    const { id, secret, ask } = await open(express, { input: { owner } });
    const { issuing_user } = JSON.parse((await ask({ key: id, secret })).body);
    expect(issuing_user).toMatchObject({ uuid: owner.id, meta: { name: 'u'.repeat(63) } });
  });

  test("what describeUser() knows is laid over it, in the vendor's order and never with token_hash", async () => {
    const described = {
      spec: { user_name: 'ewok', token_hash: 'sEcReT', last_name: '', email: 'ewok@test', groups: ['a'] },
      meta: { version: 'v2', tags: ['t'], annotations: {}, create_time: '2026-03-01T10:00:00Z', unknown: 1 },
      uuid: '67d06e6e6f69aaa777a41cda',
      valid: false,
    };
    const describeUser = jest.fn<NonNullable<EndorOptions['describeUser']>>(
      async () => described as EndorUser,
    );
    const { id, secret, apiKey, ask } = await open(express, { describeUser });
    const answer = await ask({ key: id, secret });
    expect(answer.body).toBe(
      `{"key":"${id}","secret":"***","issuing_user":{"meta":{"name":"org_1","annotations":{},"create_time":"2026-03-01T10:00:00Z","index_data":{"tenant":"org_1"},"kind":"User","tags":["t"],"version":"v2"},"spec":{"email":"ewok@test","groups":["a"],"last_name":"","user_name":"ewok"},"uuid":"67d06e6e6f69aaa777a41cda"},"valid":true}`,
    );
    expect(describeUser.mock.calls).toEqual([[apiKey]]);
    fits(answer);
    await ask({ key: id, secret: 'wrong' });
    expect(describeUser).toHaveBeenCalledTimes(1);
  });

  test.each<[string, NonNullable<EndorOptions['describeUser']>]>([
    [
      'throws',
      () => {
        throw new Error('sEcReT');
      },
    ],
    ['rejects', () => Promise.reject(new Error('sEcReT'))],
    [
      'throws an error that has another status',
      () => {
        throw new ApiKeyError('invalid_token', 'sEcReT');
      },
    ],
  ])('a describeUser() that %s is a 500 in the envelope', async (_what, describeUser) => {
    const { id, secret, ask } = await open(express, { describeUser });
    const { status, body } = await ask({ key: id, secret });
    expect([status, body]).toEqual([500, errorBody(13, 'Something went wrong.', 500)]);
  });

  test('a describeUser() that knows nobody changes nothing', async () => {
    const { id, secret, ask } = await open(express, { describeUser: () => undefined });
    expect(JSON.parse((await ask({ key: id, secret })).body)).toMatchObject({
      valid: true,
      issuing_user: { uuid: 'org_1' },
    });
  });

  test.each<
    [string, (bench: Bench) => { key: string; secret: string } | Promise<{ key: string; secret: string }>]
  >([
    ['a wrong secret', ({ id }) => ({ key: id, secret: 'wrong' })],
    ['a secret that is no ASCII', ({ id }) => ({ key: id, secret: 'é' })],
    ['an id that nobody has', ({ secret }) => ({ key: '01890a5d-ac96-774b-bcce-b302099a8057', secret })],
    ["an id of the vendor's", () => ({ key: 'endr+MPLCM7HUFpk5acdI', secret: 'endr+bzlpkd6XgaNJQ8mj' })],
    ['id and secret the wrong way round', ({ id, secret }) => ({ key: secret, secret: id })],
    ['a revoked key', ({ apiKeys, id, secret }) => apiKeys.revoke(id).then(() => ({ key: id, secret }))],
    ['a disabled key', ({ apiKeys, id, secret }) => apiKeys.disable(id).then(() => ({ key: id, secret }))],
    [
      'an opaque key under its own id',
      async ({ apiKeys, key }) => {
        const {
          apiKeys: [apiKey],
        } = await apiKeys.list({ order: 'oldest' });
        return { key: apiKey?.id ?? '', secret: key };
      },
    ],
  ])('%s is a 200 with valid: false and no user', async (_what, pairOf) => {
    const pair = await pairOf(bench);
    const answer = await bench.ask(pair);
    const expected = { key: pair.key, secret: '***', issuing_user: null, valid: false };
    expect([answer.status, answer.body]).toEqual([200, JSON.stringify(expected)]);
    fits(answer);
  });

  test('a pair under bcrypt is good, and one of more bytes than bcrypt reads is no argument', async () => {
    const { apiKeys, ask } = bench;
    const digest = `bcrypt:${hashSync('a'.repeat(72), 4)}`;
    const organization = { id: 'org_1' };
    await apiKeys.import([{ id: 'legacy_1', name: 'old', kind: 'pair', organization, digest }]);
    expect(JSON.parse((await ask({ key: 'legacy_1', secret: 'a'.repeat(72) })).body).valid).toBe(true);
    const tooLong = await ask({ key: 'legacy_1', secret: 'a'.repeat(73) });
    expect([tooLong.status, tooLong.body]).toEqual([
      400,
      errorBody(3, 'invalid ValidateAPIKeyReq.Secret: value must be at most 72 bytes', 400),
    ]);
  });

  test('a key that was rotated away is good during its grace, and says until when', async () => {
    const { apiKeys, id, secret, clock, ask } = bench;
    await apiKeys.rotate(id, { gracePeriodMs: 60_000 });
    const answer = await ask({ key: id, secret });
    expect(JSON.parse(answer.body).valid).toBe(true);
    expect(answer.values('Sunset')).toEqual([new Date(clock.ms + 60_000).toUTCString()]);
    expect(answer.values('Deprecation')).toEqual([`@${clock.ms / 1_000}`]);
    clock.ms += 60_000;
    expect(JSON.parse((await ask({ key: id, secret })).body).valid).toBe(false);
  });

  const REQUIRED = 'value is required';
  const TEXT = 'value must be a string';
  test.each<[string, unknown, string]>([
    ['nothing', '', ': the body must be one JSON object with key and secret'],
    ['null', 'null', ': the body must be one JSON object with key and secret'],
    ['an array', '[]', ': the body must be one JSON object with key and secret'],
    ['no members', '{}', `.Key: ${REQUIRED}`],
    ['no secret', { key: 'a' }, `.Secret: ${REQUIRED}`],
    ['an empty key', { key: '', secret: 'b' }, `.Key: ${REQUIRED}`],
    ['a key of null', { key: null, secret: 'b' }, `.Key: ${REQUIRED}`],
    ['a number for a secret', { key: 'a', secret: 1 }, `.Secret: ${TEXT}`],
    ['an array for a secret', { key: 'a', secret: ['b'] }, `.Secret: ${TEXT}`],
    ['an object for a key', { key: { $gt: '' }, secret: 'b' }, `.Key: ${TEXT}`],
    [
      'a key with a blank',
      { key: 'a ', secret: 'b' },
      '.Key: value must be 1 to 255 visible ASCII characters',
    ],
    [
      'a key that is too long',
      { key: 'a'.repeat(256), secret: 'b' },
      '.Key: value must be 1 to 255 visible ASCII characters',
    ],
    [
      'a secret that is too long',
      { key: 'a', secret: 'é'.repeat(128) },
      '.Secret: value must be at most 255 bytes',
    ],
    [
      'a user who is no object',
      { key: 'a', secret: 'b', issuing_user: 'x' },
      '.IssuingUser: value must be an object',
    ],
    [
      'a validity that is no boolean',
      { key: 'a', secret: 'b', valid: 'true' },
      '.Valid: value must be a boolean',
    ],
    [
      'a member in capitals',
      { key: 'a', Secret: 'b' },
      ': it has a field that ValidateAPIKeyReq does not have',
    ],
    [
      'a member too many',
      { key: 'a', secret: 'b', sEcReT: 1 },
      ': it has a field that ValidateAPIKeyReq does not have',
    ],
    [
      'a member called __proto__',
      '{"key":"a","secret":"b","__proto__":{}}',
      ': it has a field that ValidateAPIKeyReq does not have',
    ],
  ])('%s is an invalid argument', async (_what, body, problem) => {
    for (const over of [bench, await open(express, { before: ({ json }) => [json({ strict: false })] })]) {
      const answer = await over.ask(body as string);
      expect([answer.status, answer.body]).toEqual([
        400,
        errorBody(3, `invalid ValidateAPIKeyReq${problem}`, 400),
      ]);
      expect(over.store.lookups).toBe(0);
      fits(answer);
    }
  });

  test('what a client says of user and validity is not believed', async () => {
    const { id, secret, ask } = bench;
    const issuing_user = {
      uuid: 'victim',
      spec: { email: 'victim@test' },
      meta: { annotations: { a: '1' } },
    };
    const [good, bad] = [
      await ask({ key: id, secret, valid: false, issuing_user }),
      await ask({ key: id, secret: 'no', valid: true, issuing_user }),
    ];
    expect(JSON.parse(good.body)).toMatchObject({ valid: true, issuing_user: { uuid: 'org_1' } });
    expect(JSON.parse(bad.body)).toMatchObject({ valid: false, issuing_user: null });
    expect(good.body + bad.body).not.toContain('victim');
    expect(JSON.parse((await ask({ key: id, secret, valid: null, issuing_user: null })).body).valid).toBe(
      true,
    );
  });

  test.each(['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])('%s is not implemented', async (method) => {
    const { status, body } = await bench.ask('', `${method} ${PATH}`);
    const message = '{"code":12,"message":"Method Not Allowed","details":[]}';
    expect([status, body]).toEqual([501, method === 'HEAD' ? '' : message]);
  });

  test('a slash behind the path is another path', async () => {
    const { id, secret, ask } = bench;
    const { status, body } = await ask({ key: id, secret }, `${LINE}/`);
    expect([status, body]).toEqual([404, '{"code":5,"message":"Not Found","details":[]}']);
  });

  test('a store that fails is a 503, and never says of a pair that it is bad', async () => {
    const { id, secret, store, ask } = bench;
    store.fault = new Error('sEcReT');
    const answer = await ask({ key: id, secret });
    expect([answer.status, answer.body]).toEqual([
      503,
      errorBody(14, 'API keys cannot be checked at the moment; try again soon.', 503),
    ]);
    expect(answer.values('Retry-After')).toEqual([expect.stringMatching(/^[123]$/)]);
    fits(answer);
  });

  test('twenty wrong secrets for one id from one address, and that address has to wait', async () => {
    const { id, secret, ask } = bench;
    for (let i = 0; i < 20; i += 1) expect((await ask({ key: id, secret: `wrong${i}` })).status).toBe(200);
    const answer = await ask({ key: id, secret });
    expect([answer.status, answer.body]).toEqual([
      429,
      errorBody(8, 'Too many wrong secrets; try again later.', 429),
    ]);
    expect(answer.values('Retry-After')).toEqual([expect.stringMatching(/^[1-9]\d*$/)]);
    fits(answer);
  });

  test('no secret is in an answer, an event or a log', async () => {
    const { id, secret, events, ask } = bench;
    const canary = new Canary();
    canary.hide('secret', secret);
    const output = captureOutput();
    const bodies = [
      JSON.stringify({ key: id, secret }),
      JSON.stringify({ key: id, secret: `${secret}x` }),
      `{"key":"${id}","secret":"${secret}"`,
      `{"key":"${id}","secret":"a","secret":"${secret}"}`,
      JSON.stringify({ key: secret, secret: { a: secret } }),
      JSON.stringify({ [secret]: 1, key: id }),
    ];
    const answers: unknown[] = [];
    for (const body of bodies) answers.push(await ask(body));
    const parsed = await open(express, { before: ({ json }) => [json()] });
    for (const body of bodies) answers.push(await parsed.ask(body));
    expect(answers.map((answer) => (answer as WireAnswer).status)).toEqual([
      200, 200, 400, 400, 400, 400, 200, 200, 400, 200, 400, 400,
    ]);
    expect(canary.leaksIn(answers, events, parsed.events, output.end())).toEqual([]);
  });
});

test('options that are wrong are told when it is built', () => {
  expect(() => endor({ describeUsr: () => ({}) } as EndorOptions)).toThrow('did you mean "describeUser"?');
  expect(() => endor({ describeUser: 'x' } as never)).toThrow(
    'endor: describeUser must be a function, but got "x"',
  );
});

test('keys that know no pairs are a mistake that is found when the app is built', () => {
  const apiKeys = createApiKeys({ store: new MemoryKeyStore() });
  expect(() => validateRouter(apiKeys, endor())).toThrow('endor: its keys are pairs, which need keyPairs()');
  expect(() =>
    validateRouter(createApiKeys({ store: new MemoryKeyStore(), verifiers: [keyPairs()] }), endor()),
  ).not.toThrow();
});
