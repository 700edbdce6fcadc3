import { afterEach, describe, expect, test } from '@jest/globals';
import { apiKeyAuth, type KeyVerifier } from '../../lib/index.ts';
import { exchange } from '../support/exchange.ts';
import { type Express, expressVersions } from '../support/express-versions.ts';
import { isRefusedByNode } from '../support/many-headers.ts';
import { closeOpenedKeys, openKeys } from '../support/open-keys.ts';

afterEach(closeOpenedKeys);

type Outcome = 'accepted' | 'missing_credentials' | 'invalid_request' | 'invalid_token';

/** `KEY` stands for a good key. */
const table: readonly (readonly [outcome: Outcome, name: string, ...lines: string[]])[] = [
  // Authorization
  ['accepted', 'Bearer and a key', 'Authorization: Bearer KEY'],
  ['accepted', 'the scheme in lower case', 'Authorization: bearer KEY'],
  ['accepted', 'the scheme in upper case', 'authorization: BEARER KEY'],
  ['accepted', 'several spaces after the scheme', 'Authorization: Bearer    KEY'],
  ['accepted', 'white space around the value', 'Authorization: \t  Bearer KEY \t '],
  ['accepted', 'no white space before the value', 'AUTHORIZATION:Bearer KEY'],
  ['invalid_request', 'a tab after the scheme', 'Authorization: Bearer\tKEY'],
  ['invalid_request', 'a space and a tab after the scheme', 'Authorization: Bearer \tKEY'],
  ['invalid_request', 'an empty Authorization', 'Authorization:'],
  ['invalid_request', 'a scheme alone', 'Authorization: Bearer'],
  ['invalid_request', 'a scheme and only spaces', 'Authorization: Bearer   '],
  ['invalid_request', 'two keys after one scheme', 'Authorization: Bearer KEY KEY'],
  ['invalid_request', 'a list of credentials', 'Authorization: Bearer KEY, Bearer KEY'],
  ['invalid_request', 'a key in quotes', 'Authorization: Bearer "KEY"'],
  ['invalid_request', 'a parameter for a key', 'Authorization: Bearer key="KEY"'],
  ['invalid_request', 'padding alone', 'Authorization: Bearer =='],
  ['invalid_request', 'padding in the middle', 'Authorization: Bearer KEY=x'],
  ['invalid_token', 'padding at the end, which is token68 and no key', 'Authorization: Bearer KEY=='],
  ['invalid_token', 'every character that token68 has', 'Authorization: Bearer aZ09-._~+/='],
  ['missing_credentials', 'a colon after the scheme', 'Authorization: Bearer: KEY'],
  ['missing_credentials', 'a colon for the space', 'Authorization: Bearer:KEY'],
  ['missing_credentials', 'a longer scheme', 'Authorization: Bearerx KEY'],
  ['missing_credentials', 'a shorter scheme', 'Authorization: Beare KEY'],
  ['missing_credentials', 'a scheme that only Unicode takes for the same', 'Authorization: BEARER\xa0KEY'],
  ['missing_credentials', 'a key without a scheme', 'Authorization: KEY'],
  ['missing_credentials', 'a foreign scheme', 'Authorization: Basic KEY'],
  // X-API-Key
  ['accepted', 'X-API-Key and a key', 'X-API-Key: KEY'],
  ['accepted', 'the field in lower case', 'x-api-key: KEY'],
  ['accepted', 'the field in mixed case', 'X-Api-Key: KEY'],
  ['accepted', 'white space around the key', 'X-API-Key: \t KEY\t '],
  ['invalid_request', 'an empty key', 'X-API-Key:'],
  ['invalid_request', 'white space for a key', 'X-API-Key:   '],
  ['invalid_request', 'a scheme where none belongs', 'X-API-Key: Bearer KEY'],
  ['invalid_request', 'a list of keys', 'X-API-Key: KEY,KEY'],
  ['invalid_request', 'a tab in a key', 'X-API-Key: KEY\tx'],
  ['invalid_request', 'a character outside ASCII', 'X-API-Key: KEY\xe9'],
  ['invalid_request', 'UTF-8', 'X-API-Key: KEY\xd0\x9a'],
  ['invalid_request', 'a character that only a plug-in would allow', 'X-API-Key: KEY|x'],
  ['missing_credentials', 'a field of almost the name', 'X-API-Keys: KEY'],
  ['missing_credentials', 'a field of a like name', 'X_API_Key: KEY'],
  ['missing_credentials', 'a field of the form that a proxy writes', 'Proxy-Authorization: Bearer KEY'],
  // Length
  ['invalid_token', 'the longest text that is read', `X-API-Key: ${'a'.repeat(512)}`],
  ['invalid_token', 'a longer text', `X-API-Key: ${'a'.repeat(513)}`],
  [
    'invalid_request',
    'a longer text with broken grammar, which is judged first',
    `X-API-Key: ${'a'.repeat(600)},`,
  ],
  // More than one
  ['invalid_request', 'X-API-Key twice', 'X-API-Key: KEY', 'X-API-Key: KEY'],
  ['invalid_request', 'X-API-Key twice in different case', 'X-API-Key: KEY', 'x-api-key: KEY'],
  ['invalid_request', 'X-API-Key a second time, empty', 'X-API-Key: KEY', 'X-API-Key:'],
  ['invalid_request', 'Authorization twice', 'Authorization: Bearer KEY', 'Authorization: Bearer KEY'],
  [
    'invalid_request',
    'Authorization of ours and then a foreign one',
    'Authorization: Bearer KEY',
    'Authorization: Basic x',
  ],
  [
    'invalid_request',
    'a foreign Authorization and then ours',
    'Authorization: Basic x',
    'Authorization: Bearer KEY',
  ],
  ['invalid_request', 'two foreign Authorizations', 'Authorization: Basic x', 'Authorization: Basic y'],
  ['invalid_request', 'one key in both headers', 'Authorization: Bearer KEY', 'X-API-Key: KEY'],
  [
    'invalid_request',
    'a key in one header, an empty one in the other',
    'X-API-Key: KEY',
    'Authorization: Bearer',
  ],
  ['invalid_request', 'a key and an empty Authorization', 'Authorization:', 'X-API-Key: KEY'],
  ['accepted', 'a foreign scheme beside a key', 'Authorization: Basic YTpi', 'X-API-Key: KEY'],
  ['accepted', 'a foreign scheme after a key', 'X-API-Key: KEY', 'Authorization: Negotiate abc, def'],
  ['accepted', 'a key beside header lines that are repeated', 'Accept: a', 'X-API-Key: KEY', 'Accept: b'],
];

function openApp(express: Express, apiKeys: Parameters<typeof apiKeyAuth>[0]) {
  const app = express();
  app.use(apiKeyAuth(apiKeys), (_req, res) => void res.send('{"code":"accepted"}'));
  return app;
}

const fillers = (count: number): string[] => Array.from({ length: count }, () => 'A: 1');

describe.each(expressVersions)('the credential of a request on $name', ({ express }) => {
  test.each(table)('is %s: %s', async (outcome, _, ...lines) => {
    const { apiKeys, key } = await openKeys();
    const sent = lines.map((line) => line.replaceAll('KEY', key));
    const answer = await exchange(openApp(express, apiKeys), sent);
    expect(JSON.parse(answer.body)).toMatchObject({ code: outcome });
  });

  test('may have the further characters of a verifier, in every header', async () => {
    const foreign: KeyVerifier = {
      name: 'foreign',
      characters: '|',
      matches: (text) => text.includes('|'),
      examples: ['1|abc'],
      find: async () => undefined,
    };
    const { apiKeys, store } = await openKeys({ verifiers: [foreign] });
    const app = openApp(express, apiKeys);
    const codes: unknown[] = [];
    for (const line of ['X-API-Key: 1|abc', 'Authorization: Bearer 1|abc', 'X-API-Key: 1!abc']) {
      codes.push(JSON.parse((await exchange(app, [line])).body).code);
    }
    expect(codes).toStrictEqual(['invalid_token', 'invalid_token', 'invalid_request']);
    expect(store.lookups).toBe(0);
  });
});

describe.each(expressVersions)('a key among very many header lines on $name', ({ express }) => {
  const max = (maxHeadersCount: number) => ({ maxHeadersCount });
  test.each<[Outcome, string, string[], { maxHeadersCount?: number }]>([
    ['accepted', 'fewer lines than Node keeps', ['X-API-Key: KEY', ...fillers(900)], {}],
    ['invalid_request', 'more lines than Node keeps', ['X-API-Key: KEY', ...fillers(1_100)], {}],
    [
      'invalid_request',
      'a second key where nobody could see it',
      ['X-API-Key: KEY', ...fillers(1_100), 'X-API-Key: KEY'],
      {},
    ],
    [
      'missing_credentials',
      'the only key where nobody could see it',
      [...fillers(1_100), 'X-API-Key: KEY'],
      {},
    ],
    ['invalid_request', 'more lines than the server was set to', ['X-API-Key: KEY', ...fillers(80)], max(50)],
    ['accepted', 'fewer lines than the server was set to', ['X-API-Key: KEY', ...fillers(40)], max(50)],
    [
      'accepted',
      'as many as there are, where the server has no limit',
      ['X-API-Key: KEY', ...fillers(1_100)],
      max(0),
    ],
    [
      'accepted',
      'so few lines that a small limit cuts nothing off',
      ['X-API-Key: KEY', ...fillers(20)],
      max(10),
    ],
    [
      'invalid_request',
      'a second key that a small limit does not hide',
      ['X-API-Key: KEY', ...fillers(20), 'X-API-Key: KEY'],
      max(10),
    ],
  ])('is %s: %s', async (outcome, _, lines, server) => {
    const { apiKeys, key } = await openKeys();
    const sent = lines.map((line) => line.replaceAll('KEY', key));
    const answer = await exchange(openApp(express, apiKeys), sent, server);
    if (isRefusedByNode(sent, server.maxHeadersCount)) {
      expect([answer.status, answer.body]).toEqual([431, '']);
    } else {
      expect(JSON.parse(answer.body)).toMatchObject({ code: outcome });
    }
  });
});
