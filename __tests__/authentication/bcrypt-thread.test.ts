import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { Verdict } from '../../lib/index.ts';
import { bcryptDigest, ID, openBcrypt, SECRET, watchComparisons } from '../support/bcrypt-bench.ts';
import { ensureBuilt, root } from '../support/built-package.ts';
import { outcomeOf } from '../support/key-bench.ts';
import { KEY_INPUT } from '../support/open-keys.ts';

const NO_ANSWER = 'temporarily_unavailable';

afterEach(() => {
  jest.restoreAllMocks();
});

async function messageOf(asked: Verdict | Promise<Verdict>): Promise<string> {
  return Promise.resolve(asked).then(
    () => 'an answer',
    (error: Error) => error.message,
  );
}

describe('the thread that compares', () => {
  test('is one for all, and not there before the first secret', async () => {
    const comparisons = watchComparisons();
    const { apiKeys } = openBcrypt();
    expect(comparisons.threads).toEqual([]);
    await Promise.all(['a', 'b', 'c', SECRET].map((secret) => apiKeys.verifyPair(ID, secret)));
    await apiKeys.verifyPair(ID, 'd');
    expect(comparisons.hashes).toHaveLength(5);
    expect(comparisons.threads).toHaveLength(1);
  });

  test('answers those who find room in the queue rightly, and the others are told to come again', async () => {
    const { apiKeys } = openBcrypt({ bcrypt: { maxQueue: 3 } });
    const secrets = ['wrong 1', 'wrong 2', SECRET, 'wrong 3', 'wrong 4', 'wrong 5'];
    const outcomes = await Promise.all(secrets.map((secret) => outcomeOf(apiKeys.verifyPair(ID, secret))));
    // One is at work and three wait.
    expect(outcomes).toEqual(['unknown', 'unknown', 'accepted', 'unknown', NO_ANSWER, NO_ANSWER]);
    expect(await outcomeOf(apiKeys.verifyPair(ID, 'wrong 5'))).toBe('unknown');
  });

  test('tells who has waited for 8 s to come again, and why', async () => {
    const { apiKeys } = openBcrypt({
      record: { digest: bcryptDigest(SECRET, '2b', 10) },
      bcrypt: { maxQueue: 1 },
    });
    const comparisons = watchComparisons();
    const first = outcomeOf(apiKeys.verifyPair(ID, 'wrong'));
    const [late, tooMany] = ['late', 'too many'].map((secret) => messageOf(apiKeys.verifyPair(ID, secret)));
    expect(await tooMany).toBe('Too many secrets wait to be compared.');
    jest.spyOn(performance, 'now').mockReturnValue(performance.now() + 8_000);
    expect(await first).toBe('unknown');
    expect(await late).toBe('The secret has waited too long to be compared.');
    expect(comparisons.hashes).toHaveLength(1);
  });

  test('does not count who was sent away as wrong', async () => {
    const { apiKeys } = openBcrypt({ bcrypt: { maxQueue: 1, triesPerMinute: 3 } });
    const secrets = Array.from({ length: 9 }, (_, index) => `wrong ${index}`);
    const outcomes = await Promise.all(secrets.map((secret) => outcomeOf(apiKeys.verifyPair(ID, secret))));
    expect(outcomes.filter((outcome) => outcome === 'unknown')).toHaveLength(2);
    expect(await outcomeOf(apiKeys.verifyPair(ID, SECRET))).toBe('accepted');
  });

  test('is not asked about keys of our own, which need not wait for it', async () => {
    const { apiKeys, otherProcess } = openBcrypt({ bcrypt: { maxQueue: 1 } });
    const { key } = await apiKeys.create(KEY_INPUT);
    const busy = otherProcess().apiKeys;
    const comparisons = watchComparisons();
    const waiting = ['wrong 1', 'wrong 2', 'wrong 3'].map((secret) => outcomeOf(busy.verifyPair(ID, secret)));
    const first = await Promise.race([...waiting.slice(0, 2), outcomeOf(busy.verify(key))]);
    expect(first).toBe('accepted');
    expect(await Promise.all(waiting)).toEqual(['unknown', 'unknown', NO_ANSWER]);
    expect(comparisons.hashes).toHaveLength(2);
  });

  test('that dies takes its questions with it: not known, never wrong; the next one finds a new thread', async () => {
    const { apiKeys } = openBcrypt({ record: { digest: bcryptDigest(SECRET, '2b', 10) } });
    const comparisons = watchComparisons();
    const pending = [SECRET, 'wrong'].map((secret) =>
      Promise.resolve<Verdict>(apiKeys.verifyPair(ID, secret)),
    );
    const outcomes = Promise.all(pending.map(outcomeOf));
    await until(() => comparisons.threads.length === 1);
    await comparisons.threads[0]?.terminate();
    expect(await outcomes).toEqual([NO_ANSWER, NO_ANSWER]);
    expect(await outcomeOf(apiKeys.verifyPair(ID, SECRET))).toBe('accepted');
    expect(await outcomeOf(apiKeys.verifyPair(ID, 'wrong'))).toBe('unknown');
    expect(comparisons.threads).toHaveLength(2);
  });

  test('that dies while it has nothing to do is replaced without a fault', async () => {
    const { apiKeys } = openBcrypt();
    const comparisons = watchComparisons();
    await apiKeys.verifyPair(ID, 'wrong 1');
    await comparisons.threads[0]?.terminate();
    expect(await outcomeOf(apiKeys.verifyPair(ID, 'wrong 2'))).toBe('unknown');
    expect(comparisons.threads).toHaveLength(2);
  });

  test('says nothing of the secret when it fails', async () => {
    const { apiKeys } = openBcrypt();
    const comparisons = watchComparisons();
    const pending = Promise.resolve(apiKeys.verifyPair(ID, SECRET)).catch((error: unknown) => error);
    await until(() => comparisons.threads.length === 1);
    comparisons.threads[0]?.emit('error', new Error(`cannot compare ${SECRET}`));
    const error = (await pending) as Error;
    expect(error).toMatchObject({ code: NO_ANSWER, status: 503 });
    expect((error.cause as Error).message).toBe('cannot compare [redacted]');
    expect((error.cause as Error).stack).not.toContain(SECRET);
  });
});

describe('a process that has compared a secret', () => {
  beforeAll(ensureBuilt, 90_000);

  test.each(['esm', 'cjs'])(
    'ends by itself, wherever it runs, and has not loaded bcryptjs: %s',
    (format) => {
      const load = (file: string): string =>
        format === 'esm'
          ? `await import(${JSON.stringify(pathToFileURL(`${root}dist/esm/${file}`).href)})`
          : `require(${JSON.stringify(`${root}dist/cjs/${file}`)})`;
      const program = `(async () => {
      const { createApiKeys, keyRecord, MemoryKeyStore } = ${load('index.js')};
      const { bcryptSecrets } = ${load('authentication/bcrypt-secrets.js')};
      const record = keyRecord({ id: '${ID}', digest: '${bcryptDigest(SECRET)}', organization: { id: 'org_1' } });
      const verifiers = [bcryptSecrets({ ids: /^acct_1$/ })];
      const apiKeys = createApiKeys({ store: new MemoryKeyStore([record]), verifiers, cache: false });
      const { ok } = await apiKeys.verifyPair('${ID}', '${SECRET}');
      const { reason } = await apiKeys.verifyPair('${ID}', 'wrong');
      const loaded = Object.keys(require.cache).filter((path) => /[/\\\\](bcryptjs|jose)[/\\\\]/.test(path));
      console.log(JSON.stringify({ ok, reason, loaded }));
    })();`;
      const { status, signal, stdout, stderr } = spawnSync(process.execPath, ['-e', program], {
        cwd: tmpdir(),
        encoding: 'utf8',
        timeout: 30_000,
      });
      expect({ status, signal, stderr }).toEqual({ status: 0, signal: null, stderr: '' });
      expect(JSON.parse(stdout)).toEqual({ ok: true, reason: 'unknown', loaded: [] });
    },
    40_000,
  );
});

/** Waits, turn by turn, for what is about to happen. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
}
