import type { ServerResponse } from 'node:http';
import { afterEach, describe, expect, test } from '@jest/globals';
import { createApiKeys, type Verdict } from '../../lib/index.ts';
import { jwtKeys, type RemoteJwtKeys } from '../../lib/jwt.ts';
import { closeJwksServers, flood, hang, openJwksServer } from '../support/jwks-server.ts';
import { buildJwt, makeSigner, publicJwk, type Signer } from '../support/jwt-builder.ts';
import { AUDIENCE, HOUR_MS, ISSUER, keyOption, optionsWith } from '../support/jwt-options.ts';
import { closeOpenedKeys, openKeys } from '../support/open-keys.ts';

afterEach(closeOpenedKeys);
afterEach(closeJwksServers);

const MINUTE_MS = 60_000;
const signers = { ES256: makeSigner('ES256'), EdDSA: makeSigner('EdDSA'), RS256: makeSigner('RS256') };
const jwkOf = (signer: Signer, kid: string, more: object = {}) => ({ ...publicJwk(signer), kid, ...more });
const broken = (res: ServerResponse) => {
  res.statusCode = 500;
  res.end('{"keys":[]}');
};

/** An application with one JWT's record, whose issuer is somebody else. Nothing is cached but the set. */
async function openRemote(keys: readonly object[], more: Partial<RemoteJwtKeys> = {}) {
  const jwks = await openJwksServer(keys);
  const issuer = jwtKeys(optionsWith([keyOption('own', 'current', makeSigner('ES256'))]));
  const { store, clock, apiKey } = await openKeys({ verifiers: [issuer] }, { kind: 'jwt' });
  const options = optionsWith({
    jwks: jwks.url,
    algorithms: ['ES256', 'EdDSA', 'RS256'],
    timeoutMs: 150,
    ...more,
  });
  const verifiers = [jwtKeys(options)];
  const apiKeys = createApiKeys({ store, cache: false, verifiers, now: () => clock.ms });

  function signed(kid: string, signer: Signer): string {
    const now = Math.floor(clock.ms / 1000);
    const payload = { iss: ISSUER, aud: AUDIENCE, sub: apiKey.id, jti: apiKey.id, iat: now, exp: now + 600 };
    return buildJwt(
      { header: { alg: signer.alg, typ: 'apikey+jwt', kid }, payload, signWith: 'it' },
      { signers: new Map([['it', signer]]), texts: new Map(), nowMs: clock.ms },
    );
  }

  /** How a token of a key of this id is judged now. */
  async function judge(kid: string, signer: Signer = signers.ES256): Promise<string> {
    try {
      const verdict: Verdict = await apiKeys.verify(signed(kid, signer));
      return verdict.ok ? 'accepted' : verdict.reason;
    } catch (error) {
      return (error as { code: string }).code;
    }
  }
  /** Why nobody knows whether it is good. */
  async function causeOf(kid: string): Promise<unknown> {
    const problem = await Promise.resolve(apiKeys.verify(signed(kid, signers.ES256))).catch((error) => error);
    return [problem.message, problem.cause?.message];
  }
  return { jwks, clock, apiKeys, judge, causeOf };
}

describe('a token is checked with the keys of its issuer', () => {
  test.each(['ES256', 'EdDSA', 'RS256'] as const)('by %s, read once', async (alg) => {
    const signer = signers[alg];
    const { jwks, judge } = await openRemote([jwkOf(signer, 'k', { alg, use: 'sig' })]);
    const answers = await Promise.all([judge('k', signer), judge('k', signer)]);
    answers.push(await judge('k', signer), await judge('k', makeSigner(alg)));

    expect(answers).toEqual(['accepted', 'accepted', 'accepted', 'unknown']);
    expect(jwks.requests).toBe(1);
  });

  test.each<[string, object, Partial<RemoteJwtKeys>]>([
    ['for another algorithm than those that are allowed', {}, { algorithms: ['EdDSA'] }],
    ['that says another algorithm', { alg: 'ES384' }, {}],
    ['to encrypt with', { use: 'enc' }, {}],
    ['that may not check', { key_ops: ['sign'] }, {}],
    ['with its private part', { d: 'AAAA' }, {}],
    ['with a broken point', { x: 'AAAA' }, {}],
    ['that calls itself a shared secret', { kty: 'oct', k: 'AAAA' }, {}],
  ])('but not with one %s', async (_, members, more) => {
    const { judge } = await openRemote([jwkOf(signers.ES256, 'k', members)], more);

    expect(await judge('k')).toBe('unknown');
  });

  test('of which each has its own id', async () => {
    const { judge } = await openRemote([jwkOf(signers.ES256, 'k'), jwkOf(signers.EdDSA, 'l')]);

    expect([await judge('k'), await judge('l', signers.EdDSA), await judge('l')]).toEqual([
      'accepted',
      'accepted',
      'unknown',
    ]);
  });

  test('but not with one of two that have the same id', async () => {
    const second = makeSigner('ES256');
    const { judge } = await openRemote([jwkOf(signers.ES256, 'k'), jwkOf(second, 'k')]);

    expect([await judge('k'), await judge('k', second)]).toEqual(['unknown', 'unknown']);
  });
});

describe('where the set cannot be read, nobody knows whether a token is good:', () => {
  const faults: [string, (res: ServerResponse) => void][] = [
    ['an error of its server', broken],
    ['a redirect', (res) => res.writeHead(302, { Location: '/elsewhere' }).end()],
    ['no JSON', (res) => res.end('<html>')],
    ['no set', (res) => res.end('{"keys":{}}')],
    ['an answer that does not end', hang],
    ['fifty megabytes', flood],
    ['a connection that breaks', (res) => res.destroy()],
  ];
  test.each(faults)('%s', async (_, answer) => {
    const { jwks, clock, judge } = await openRemote([jwkOf(signers.ES256, 'k')]);
    jwks.answer = answer;
    const during = await judge('k');
    jwks.answer = undefined;
    clock.ms += 1_000;

    expect(during).toBe('temporarily_unavailable');
    expect(await judge('k')).toBe('accepted');
  });

  test('one byte more than 262,144', async () => {
    const { jwks, clock, judge } = await openRemote([]);
    const answers: string[] = [];
    for (const length of [262_145, 262_144]) {
      const set = JSON.stringify({ keys: [jwkOf(signers.ES256, 'k')] });
      jwks.answer = (res) => res.end(set.padEnd(length));
      answers.push(await judge('k'));
      clock.ms += 1_000;
    }

    expect(answers).toEqual(['temporarily_unavailable', 'accepted']);
  });

  test('a server that is not there', async () => {
    const { jwks, judge } = await openRemote([]);
    await jwks.close();

    expect(await judge('k')).toBe('temporarily_unavailable');
  });

  test.each<[string, (res: ServerResponse) => void, string]>([
    ['of its status', broken, 'Expected 200 OK from the JSON Web Key Set HTTP response'],
    ['of its length, which is not read to the end', flood, 'the JWKS has more than 262144 bytes'],
  ])('the error tells %s', async (_, answer, message) => {
    const { jwks, causeOf } = await openRemote([], { timeoutMs: 9_000 });
    jwks.answer = answer;

    expect(await causeOf('k')).toEqual(['The JWKS could not be read.', message]);
  });

  test('it is asked again after a second, not for each token', async () => {
    const { jwks, clock, judge } = await openRemote([]);
    jwks.answer = broken;
    const answers: string[] = [];
    for (let times = 0; times < 20; times += 1) answers.push(await judge(`k${times}`));
    const requests = [jwks.requests];
    clock.ms += 1_000;
    await judge('k');
    requests.push(jwks.requests);

    expect(new Set(answers)).toEqual(new Set(['temporarily_unavailable']));
    expect(requests).toEqual([1, 2]);
  });
});

describe('the last set that could be read', () => {
  async function openThenBreak(staleMs?: number): Promise<Awaited<ReturnType<typeof openRemote>>> {
    const opened = await openRemote([jwkOf(signers.ES256, 'k')], { staleMs });
    expect(await opened.judge('k')).toBe('accepted');
    opened.jwks.answer = broken;
    return opened;
  }

  test('is used for five minutes, and ten more while it cannot be read again', async () => {
    const { jwks, clock, judge } = await openThenBreak();
    const answers: [string, number][] = [];
    const start = clock.ms;
    for (const minutes of [4.99, 5, 14.9, 15]) {
      clock.ms = start + minutes * MINUTE_MS;
      answers.push([await judge('k'), jwks.requests]);
    }

    expect(answers).toEqual([
      ['accepted', 1],
      ['accepted', 2],
      ['accepted', 3],
      ['temporarily_unavailable', 4],
    ]);
  });

  test('is not used any longer where that is not wished', async () => {
    const { clock, judge } = await openThenBreak(0);
    clock.ms += 5 * MINUTE_MS;

    expect(await judge('k')).toBe('temporarily_unavailable');
  });

  test('refuses no key that it lacks while it cannot be read again', async () => {
    const { clock, judge } = await openThenBreak();
    clock.ms += 30_000;

    expect(await judge('new')).toBe('temporarily_unavailable');
    expect(await judge('k')).toBe('accepted');
  });

  test('is not trusted where the clock was set back', async () => {
    const { jwks, clock, judge } = await openThenBreak();
    clock.ms -= HOUR_MS;

    // Its record is younger than the token now, so the token is good and nobody's.
    expect(await judge('k')).toBe('temporarily_unavailable');
    expect(jwks.requests).toBe(2);
  });

  test('gives way to the next one, and a key that was withdrawn is gone with it', async () => {
    const { jwks, clock, judge } = await openRemote([jwkOf(signers.ES256, 'k')]);
    const answers = [await judge('k')];
    jwks.keys = [];
    clock.ms += 5 * MINUTE_MS;
    answers.push(await judge('k'));

    expect(answers).toEqual(['accepted', 'unknown']);
  });
});

describe('a key id that the set lacks', () => {
  test('makes it be read again at most once in thirty seconds', async () => {
    const { jwks, clock, judge } = await openRemote([jwkOf(signers.ES256, 'k')]);
    const requests: number[] = [];
    for (const seconds of [0, 29, 1, 29, 1]) {
      clock.ms += seconds * 1_000;
      for (let times = 0; times < 20; times += 1) expect(await judge(`guess ${times}`)).toBe('unknown');
      requests.push(jwks.requests);
    }

    expect(requests).toEqual([1, 1, 2, 2, 3]);
  });

  test('is found when its issuer has published it by then', async () => {
    const { jwks, clock, judge } = await openRemote([jwkOf(signers.ES256, 'k')]);
    const answers = [await judge('new', signers.EdDSA)];
    jwks.keys = [jwkOf(signers.EdDSA, 'new')];
    clock.ms += 30_000;
    answers.push(await judge('new', signers.EdDSA));

    expect(answers).toEqual(['unknown', 'accepted']);
  });

  test('costs nothing where the token is none of ours in the first place', async () => {
    const { jwks, clock, apiKeys } = await openRemote([]);
    const text = buildJwt(
      { payload: { iss: 'https://evil.test', exp: '{{now+600}}' }, signWith: 'it' },
      { signers: new Map([['it', signers.ES256]]), texts: new Map(), nowMs: clock.ms },
    );

    expect(await apiKeys.verify(text)).toMatchObject({ ok: false, reason: 'unknown' });
    expect(jwks.requests).toBe(0);
  });
});
