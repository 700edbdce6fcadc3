import { afterEach, describe, expect, test } from '@jest/globals';
import { type KeyRecord, MemoryKeyStore } from '../../lib/index.ts';
import { jwtKeys } from '../../lib/jwt.ts';
import { buildJwt, type JwtRecipe, makeSigners, privateJwk, type Signer } from '../support/jwt-builder.ts';
import { AUDIENCE, ISSUER, optionsWith } from '../support/jwt-options.ts';
import { closeOpenedKeys, KEY_INPUT, openKeys, START_MS } from '../support/open-keys.ts';

const signers = makeSigners();

const own = optionsWith([
  { id: 'k1', alg: 'ES256', state: 'current', key: privateJwk(signers.get('es256A') as Signer) },
]);

afterEach(closeOpenedKeys);

/** Counts both look-ups. */
class CountingStore extends MemoryKeyStore {
  lookups = 0;

  override findByDigest(digests: readonly string[]): Promise<KeyRecord | undefined> {
    this.lookups += 1;
    return super.findByDigest(digests);
  }

  override findById(id: string): Promise<KeyRecord | undefined> {
    this.lookups += 1;
    return super.findById(id);
  }
}

/** An application with one JWT and one opaque key, and what stands for them in a recipe. */
async function openApp() {
  const store = new CountingStore();
  const opened = await openKeys({ store, verifiers: [jwtKeys(own)] });
  const signed = await opened.apiKeys.create({ ...KEY_INPUT, kind: 'jwt' });
  const texts = new Map([
    ['iss', ISSUER],
    ['aud', AUDIENCE],
    ['GOOD_ID', opened.apiKey.id],
    ['JWT_KEY_ID', signed.apiKey.id],
  ]);
  return { ...opened, texts, key: signed.key, lookups: () => store.lookups };
}

const HEADER = { alg: 'ES256', typ: 'apikey+jwt', kid: 'k1' };
const PAYLOAD = {
  iss: ISSUER,
  aud: AUDIENCE,
  sub: '{{JWT_KEY_ID}}',
  jti: '{{JWT_KEY_ID}}',
  iat: '{{now}}',
  exp: '{{now+600}}',
};
const PLAIN: JwtRecipe = { header: HEADER, payload: PAYLOAD, signWith: 'es256A' };
const without = (object: object, name: string) =>
  Object.fromEntries(Object.entries(object).filter(([one]) => one !== name));
const textOf = (members: object) => JSON.stringify(members).replace(/"(\{\{now[^"]*\}\})"/g, '$1');
const withHeader = (more: object): JwtRecipe => ({ ...PLAIN, header: { ...HEADER, ...more } });
const withPayload = (more: object): JwtRecipe => ({ ...PLAIN, payload: { ...PAYLOAD, ...more } });
const withText = (payloadText: string): JwtRecipe => ({ raw: { payloadText }, signWith: 'es256A' });
const withHeaderText = (headerText: string): JwtRecipe => ({
  raw: { headerText, payloadText: textOf(PAYLOAD) },
  signWith: 'es256A',
});

async function judge(recipe: JwtRecipe) {
  const app = await openApp();
  const jwt = buildJwt(recipe, { signers, texts: app.texts, nowMs: app.clock.ms });
  const before = app.lookups();
  const verdict = await app.apiKeys.verify(jwt);
  return { verdict, lookups: app.lookups() - before };
}

describe('a token that is signed with a good key is taken', () => {
  test.each<[string, JwtRecipe]>([
    ['with what a key of ours says, and nothing else', PLAIN],
    ['with nbf, once that time has come', withPayload({ nbf: '{{now}}' })],
    [
      'in the other of the two spellings that every ECDSA signature has',
      { ...PLAIN, mutate: ['ecdsaNegateS'] },
    ],
    ['dated up to five seconds ahead', withPayload({ iat: '{{now+5}}' })],
    ['with the longest life that is allowed', withPayload({ exp: '{{now+3600}}' })],
    [
      'with names that mean something to JavaScript only',
      withText(
        textOf(PAYLOAD).replace('{', '{"__proto__":{"a":{"b:":":"}},"constructor":1,"prototype":[{}],'),
      ),
    ],
    ['with white space in its JSON', withText(textOf(PAYLOAD).replaceAll(',', ' ,\n '))],
  ])('%s', async (_, recipe) => {
    expect(await judge(recipe)).toMatchObject({ verdict: { ok: true }, lookups: 1 });
  });
});

describe('a token that is signed with a good key is refused with no look-up', () => {
  test.each<[string, JwtRecipe]>([
    ['with jku', withHeader({ jku: 'https://evil.test/keys' })],
    ['with x5u', withHeader({ x5u: 'https://evil.test/x5u' })],
    ['with x5c', withHeader({ x5c: ['MIIB'] })],
    ['with jwk', withHeader({ jwk: { kty: 'EC' } })],
    ['with crit', withHeader({ crit: ['exp'] })],
    ['with zip', withHeader({ zip: 'DEF' })],
    ['with cty', withHeader({ cty: 'JWT' })],
    ['with b64: false', withHeader({ b64: false })],
    ['with a header name that nobody knows', withHeader({ x: 1 })],
    ['without kid', { ...PLAIN, header: without(HEADER, 'kid') }],
    ['without alg', { ...PLAIN, header: without(HEADER, 'alg') }],
    ['with a kid that is no text', withHeader({ kid: 1 })],
    ['with the name of a member of every object as kid', withHeader({ kid: 'constructor' })],
    ['with another algorithm than that of its key', withHeader({ alg: 'EdDSA' })],
    ['with typ JWT', withHeader({ typ: 'JWT' })],
    ['with typ in other letters', withHeader({ typ: 'APIKEY+JWT' })],
    ['with typ as a media type', withHeader({ typ: 'application/apikey+jwt' })],
    [
      'with kid twice in its header',
      withHeaderText('{"alg":"ES256","typ":"apikey+jwt","kid":"x","kid":"k1"}'),
    ],
    [
      'with kid twice, once with escapes',
      withHeaderText('{"alg":"ES256","typ":"apikey+jwt","k\\u0069d":"x","kid":"k1"}'),
    ],
    [
      'with a byte order mark before its header',
      withHeaderText('\ufeff{"alg":"ES256","typ":"apikey+jwt","kid":"k1"}'),
    ],
    ['with several audiences', withPayload({ aud: [AUDIENCE, 'https://other.test'] })],
    ['with one audience in an array', withPayload({ aud: [AUDIENCE] })],
    ['for another audience', withPayload({ aud: `${AUDIENCE}/` })],
    ['without aud', { ...PLAIN, payload: without(PAYLOAD, 'aud') }],
    ['of another issuer', withPayload({ iss: `${ISSUER}/` })],
    ['of issuers in an array', withPayload({ iss: [ISSUER] })],
    ['without sub', { ...PLAIN, payload: without(PAYLOAD, 'sub') }],
    ['with an empty sub and jti', withPayload({ sub: '', jti: '' })],
    ['with numbers as sub and jti', withPayload({ sub: 7, jti: 7 })],
    ['with the sub of another key', withPayload({ sub: '{{GOOD_ID}}' })],
    ['without jti', { ...PLAIN, payload: without(PAYLOAD, 'jti') }],
    ['with characters in its id that no id has', withPayload({ sub: 'a b', jti: 'a b' })],
    ['without iat', { ...PLAIN, payload: without(PAYLOAD, 'iat') }],
    ['with an iat that is a text', withPayload({ iat: '{{str:now}}' })],
    ['with an exp that is a text', withPayload({ exp: '{{str:now+600}}' })],
    ['with an exp that is no whole number', withPayload({ exp: START_MS / 1000 + 60.5 })],
    ['with an exp that is beyond all time', withPayload({ exp: 1e30 })],
    ['with an exp that ends before it begins', withPayload({ exp: '{{now}}' })],
    ['that lives a second too long', withPayload({ exp: '{{now+3601}}' })],
    ['that lives ten years', withPayload({ exp: '{{now+315360000}}' })],
    ['dated six seconds ahead', withPayload({ iat: '{{now+6}}' })],
    ['before its nbf', withPayload({ nbf: '{{now+1}}' })],
    ['with an nbf that is no time', withPayload({ nbf: null })],
    ['that claims scopes', withPayload({ scope: 'admin' })],
    ['that claims roles', withPayload({ roles: ['admin'] })],
    ['that claims an owner', withPayload({ owner: { type: 'user', id: 'root' } })],
    ['with a byte order mark before its payload', withText(`\ufeff${textOf(PAYLOAD)}`)],
    ['with sub twice', withText(textOf(PAYLOAD).replace('{', '{"sub":"x",'))],
    ['with exp twice, once with escapes', withText(textOf(PAYLOAD).replace('{', '{"e\\u0078p":1,'))],
    ['with __proto__ twice', withText(textOf(PAYLOAD).replace('{', '{"__proto__":1,"__proto__":2,'))],
    ['whose payload is an array', withText('[1]')],
    ['whose payload is a text', withText('"{}"')],
    ['whose payload is no JSON', withText('{"iss":')],
    ['whose payload is empty', withText('')],
    ['whose signature is all zeros', { ...PLAIN, mutate: ['zeroSig'] }],
    ['in five parts', { ...PLAIN, mutate: ['fiveSegments'] }],
    ['in JSON', { ...PLAIN, mutate: ['jsonSerialization'] }],
    ['with one = behind it', { ...PLAIN, mutate: ['pad:='] }],
    ['with a dot behind it', { ...PLAIN, mutate: ['pad:.'] }],
    ['with a line break behind it', { ...PLAIN, mutate: ['pad:\n'] }],
  ])('%s', async (_, recipe) => {
    const { verdict, lookups } = await judge(recipe);

    expect(verdict).toMatchObject({ ok: false });
    expect(['unknown', 'malformed']).toContain('reason' in verdict && verdict.reason);
    expect(lookups).toBe(0);
  });

  test('with bytes that are no UTF-8', async () => {
    const { apiKeys, texts, clock, lookups } = await openApp();
    const before = lookups();
    const jwt = buildJwt(PLAIN, { signers, texts, nowMs: clock.ms });
    const [, payload, signature] = jwt.split('.');
    const broken = Buffer.from('{"alg":"ES256","typ":"apikey+jwt","kid":"k1\xff"}', 'latin1');

    expect(await apiKeys.verify(`${broken.toString('base64url')}.${payload}.${signature}`)).toMatchObject({
      ok: false,
    });
    expect(lookups()).toBe(before);
  });
});

test.each<[string, JwtRecipe]>([
  ['of an unsigned token', { ...PLAIN, header: { ...HEADER, alg: 'none' }, signWith: 'none' }],
  ['of one that says none and is signed', withHeader({ alg: 'none' })],
  [
    'that is an HMAC with the public key',
    {
      ...withHeader({ alg: 'HS256' }),
      signWith: `hs:${JSON.stringify((signers.get('es256A') as Signer).publicKey.export({ format: 'jwk' }))}`,
    },
  ],
  ['of a stranger, by another algorithm', { ...withHeader({ alg: 'EdDSA' }), signWith: 'eddsaEvil' }],
])('the signature %s proves nothing', async (_, recipe) => {
  expect(await judge(recipe)).toMatchObject({ verdict: { ok: false }, lookups: 0 });
});

test('no text that differs from a good one in a character is that key', async () => {
  const { apiKeys, key, lookups } = await openApp();
  const before = lookups();
  const accepted: string[] = [];
  for (let index = 0; index < key.length; index += 1) {
    for (const other of ['A', 'B', '_', '.']) {
      const text = key.slice(0, index) + other + key.slice(index + 1);
      if (text !== key && (await apiKeys.verify(text)).ok) accepted.push(text);
    }
  }

  expect(accepted).toEqual([]);
  expect(lookups()).toBe(before);
  expect(await apiKeys.verify(key)).toMatchObject({ ok: true });
});
