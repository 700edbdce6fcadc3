import { inspect } from 'node:util';
import { afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { Arrangement, CountedAnswer, Stage } from './support/arrangement.ts';
import { captureOutput } from './support/capture-output.ts';
import { bindingOf, CORPUS, type CorpusCase, EXCEPTIONS, type Expected } from './support/corpus.ts';
import { arrangementOf } from './support/corpus-givens.ts';
import { expectAnswer } from './support/expect-answer.ts';
import { type Express, expressVersions } from './support/express-versions.ts';
import { startFixtureApp } from './support/fixture-app.ts';
import { type FixtureKeys, makeFixtureKeys } from './support/fixture-keys.ts';
import { closeJwksServers } from './support/jwks-server.ts';
import { buildJwt } from './support/jwt-builder.ts';
import { nodeRefusesManyLines } from './support/many-headers.ts';
import { filledRequest } from './support/placeholders.ts';
import { exchange } from './support/raw-http.ts';
import { withoutServers } from './support/servers.ts';

/** Cases of more header lines than Node keeps, which its newer versions refuse before the application sees them. */
const MANY_LINES = ['OS-012', 'OS-013'];
const BY_NODE: Expected = { status: 431, error: null, storeLookups: 0, reachesApp: false };

const exceptions = new Map(EXCEPTIONS.map((row) => [row.id, row]));
const held = CORPUS.filter(({ id }) => !exceptions.has(id));

const KEY_FORM = /^[a-z]+_(?:live|test)_\w{38}$/;

let keys: FixtureKeys;
/** All that may never be seen again once it was sent or stored. */
let secrets: readonly string[];

beforeAll(async () => {
  keys = await makeFixtureKeys();
  const stored = keys.records
    .filter(({ kind }) => kind !== 'jwt')
    .flatMap(({ digest, previous }) => [digest, previous?.digest ?? digest]);
  const digests = stored.map((digest) => digest.slice(digest.lastIndexOf(':') + 1));
  const named = [...keys.texts].filter(([name, text]) => name.includes('_SECRET') || KEY_FORM.test(text));
  secrets = [...digests, ...named.map(([, text]) => text)];
});

afterEach(closeJwksServers);

describe('every bad input is in one place:', () => {
  test('no case is listed twice, and none that does not exist', () => {
    const known = new Set(CORPUS.map(({ id }) => id));
    const listed = EXCEPTIONS.map(({ id }) => id);
    expect(known.size).toBe(CORPUS.length);
    expect(listed.filter((id) => !known.has(id))).toEqual([]);
    expect(listed.filter((id, index) => listed.indexOf(id) !== index)).toEqual([]);
    expect(held.length + listed.length).toBe(CORPUS.length);
  });

  test('so many hold, and so many differ on purpose', () => {
    const counts: Record<string, { held: number; exceptions: number }> = {};
    for (const { id, category } of CORPUS) {
      counts[category] ??= { held: 0, exceptions: 0 };
      counts[category][exceptions.has(id) ? 'exceptions' : 'held'] += 1;
    }
    expect(counts).toEqual({
      'cache-race': { held: 13, exceptions: 0 },
      clock: { held: 2, exceptions: 0 },
      'control-accept': { held: 12, exceptions: 0 },
      'control-unicode': { held: 21, exceptions: 0 },
      duplicates: { held: 16, exceptions: 0 },
      'header-grammar': { held: 16, exceptions: 0 },
      'insecure-channel': { held: 4, exceptions: 0 },
      jwt: { held: 37, exceptions: 1 },
      'key-format': { held: 16, exceptions: 1 },
      'key-secret-json': { held: 30, exceptions: 0 },
      leakage: { held: 3, exceptions: 0 },
      lifecycle: { held: 8, exceptions: 2 },
      management: { held: 21, exceptions: 1 },
      'oracle-flood': { held: 3, exceptions: 0 },
      oversize: { held: 8, exceptions: 0 },
      'path-method-proxy': { held: 7, exceptions: 0 },
      'store-fault': { held: 35, exceptions: 1 },
      'vendor-contract': { held: 7, exceptions: 2 },
      'wrong-scheme': { held: 6, exceptions: 0 },
    });
  });
});

describe.each(expressVersions)('on $name', ({ express }) => {
  describe('a bad input gets the answer that it must get:', () => {
    for (const one of held) {
      const isLeftOut = withoutServers && arrangementOf(one).needsServer === true;
      (isLeftOut ? test.skip : test)(`${one.category} ${one.id}: ${one.why}`, async () => {
        if (one.expect.status === 0) {
          await expect(runCase(express, one)).rejects.toThrow(TypeError);
          return;
        }
        const expected = nodeRefusesManyLines && MANY_LINES.includes(one.id) ? BY_NODE : bindingOf(one);
        const run = await runCase(express, one);
        for (const answer of run.answers) expectAnswer(answer, expected, keys.texts);
        expect(run.cameThrough).toBe(expected.reachesApp ?? true);
      });
    }
  });

  describe('a bad input is answered otherwise on purpose:', () => {
    for (const one of CORPUS.filter(({ id }) => exceptions.has(id))) {
      const { reason, answer: expected } = exceptions.get(one.id) as (typeof EXCEPTIONS)[number];
      test(`${one.category} ${one.id}: ${reason}`, async () => {
        const { answers } = await runCase(express, one);
        for (const answer of answers) {
          expectAnswer(answer, expected, keys.texts);
          // What holds after all is no exception any more.
          expect(() => expectAnswer(answer, bindingOf(one), keys.texts)).toThrow();
        }
      });
    }
  });
});

/** What a server of Node's, Express and the sockets need, and the wall clock, which the package is given anyway. */
const REAL = ['Date', 'hrtime', 'nextTick', 'queueMicrotask', 'setImmediate', 'clearImmediate'] as const;

interface Run {
  readonly answers: readonly CountedAnswer[];
  /** Whether the request reached the application, rather than the server's parser alone. */
  readonly cameThrough: boolean;
}

/** Runs a case on an application of its own, and looks for secrets in all that it answers and tells. */
async function runCase(express: Express, one: CorpusCase): Promise<Run> {
  const arrangement = arrangementOf(one);
  if (arrangement.fakeTimers) jest.useFakeTimers({ doNotFake: [...REAL] });
  const output = captureOutput();
  const app = await startFixtureApp(express, keys, await arrangement.app?.(keys));
  const jwt = one.build && buildJwt(one.build.jwt, { ...keys, nowMs: app.clock.now });
  try {
    const given = { ...one.request, path: one.given?.path ?? one.request.path };
    const texts = jwt === undefined ? keys.texts : new Map([...keys.texts, ['jwt', jwt]]);
    const request = filledRequest(given, texts, app.clock.now);
    const lookups = () => app.store.lookups + (jwt === undefined ? 0 : app.store.readsById);
    const stage: Stage = {
      app,
      keys,
      request,
      async send(key) {
        const before = lookups();
        const sent = key === undefined ? request : { ...request, headers: [['X-API-Key', key]] as const };
        const answer = await exchange(app.port, sent);
        return { ...answer, lookups: lookups() - before };
      },
    };
    const answers = await perform(arrangement, stage);
    const told = inspect([app.events, app.apiKeys], { depth: 20, showHidden: true, maxArrayLength: null });
    for (const text of [JSON.stringify(answers), told]) {
      expectNoSecret(text);
      expect(jwt !== undefined && text.includes(jwt)).toBe(false);
    }
    return { answers, cameThrough: app.requests() > 0 };
  } finally {
    await app.close();
    jest.useRealTimers();
    expectNoSecret(output.end());
  }
}

async function perform(arrangement: Arrangement, stage: Stage): Promise<readonly CountedAnswer[]> {
  arrangement.prepare?.(stage);
  const answers = (await arrangement.perform?.(stage)) ?? [await stage.send()];
  expect(answers.length).toBeGreaterThan(0);
  return answers;
}

function expectNoSecret(text: string): void {
  // Not `not.toContain`, whose complaint would print the secret.
  expect(secrets.filter((secret) => text.includes(secret)).length).toBe(0);
}
