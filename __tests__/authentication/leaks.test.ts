import { channel } from 'node:diagnostics_channel';
import { describe, expect, test } from '@jest/globals';
import { createApiKeys, type KeyEvent, type KeyVerifier, MemoryKeyStore } from '../../lib/index.ts';
import { Canary } from '../support/canary.ts';
import { answers, type Fault, FaultStore, rejects, spoils, throws } from '../support/fault-store.ts';
import { KEY_INPUT } from '../support/open-keys.ts';
import { digestOf } from '../support/records.ts';

const PEPPERS = [
  { id: 'p2', secret: 'marker-of-the-second-pepper-which-nobody-may-see' },
  { id: 'p1', secret: 'marker-of-the-first-pepper-which-nobody-may-see' },
];
const PREFIX = 'canary';
const CHANNELS = ['decision', 'store', 'audit', 'warning'].map((name) => `keystile:${name}`);

describe('the canary', () => {
  const canary = new Canary(PEPPERS);
  const key = `canary_live_${'abcdefgh'.repeat(4)}012345`;
  canary.hideKey(key);
  const digest = digestOf(key);

  test.each([
    ['a text', `said ${key}`],
    ['a key that was cut', { key: key.slice(12, 40) + key.slice(40, -4) }],
    ['a digest', { digest }],
    ['a hidden member', Object.defineProperty({}, 'digest', { value: digest })],
    ['a symbol', { [Symbol('secret')]: PEPPERS[0] }],
    ['a Map, nine levels deep', nested(9, new Map([[digest, 1]]))],
    ['the message of an error', new Error(`duplicate ${digest}`)],
    ['the cause of a cause', new Error('a', { cause: new Error('b', { cause: new Error(digest) }) })],
    ['a stack', Object.assign(new Error('a'), { stack: `Error: ${digest}` })],
    ['bytes', { key: Buffer.from(PEPPERS[1]?.secret ?? '') }],
    ['a digest as hex', { digest: Buffer.from(digest.slice(7), 'base64url').toString('hex') }],
  ])('finds a secret in %s', (_where, value) => {
    expect(canary.leaksIn(value)).not.toEqual([]);
  });

  test('leaves alone what may be shown', () => {
    expect(canary.leaksIn({ start: key.slice(0, 16), end: key.slice(-4), id: 'p1' })).toEqual([]);
  });
});

function nested(levels: number, value: unknown): unknown {
  return levels === 0 ? value : { inner: nested(levels - 1, value) };
}

interface Run {
  readonly canary: Canary;
  readonly store: FaultStore;
  readonly key: string;
  readonly id: string;
  /** All that came out so far. */
  readonly seen: unknown[];
  ask(call: () => unknown): Promise<void>;
}

/** Runs an application and keeps all that it shows: answers, errors, events, and itself. */
async function runOf(
  action: (run: Run, apiKeys: ReturnType<typeof createApiKeys>) => Promise<void>,
): Promise<Run> {
  const canary = new Canary(PEPPERS);
  const seen: unknown[] = [];
  const hear = (event: unknown): void => {
    seen.push(event);
  };
  for (const name of CHANNELS) channel(name).subscribe(hear);
  try {
    const store = new FaultStore(new MemoryKeyStore());
    const onEvent = (event: KeyEvent): void => hear(event);
    const apiKeys = createApiKeys({ store, prefix: PREFIX, peppers: PEPPERS, storeTimeoutMs: 20, onEvent });
    const { key, apiKey } = await apiKeys.create(KEY_INPUT);
    canary.hideKey(key);
    seen.push(apiKeys, apiKey);
    const ask = async (call: () => unknown): Promise<void> => {
      seen.push(
        await Promise.resolve()
          .then(call)
          .catch((error: unknown) => error),
      );
    };
    const run: Run = { canary, store, key, id: apiKey.id, seen, ask };
    await action(run, apiKeys);
    await ask(() => apiKeys.close());
    return run;
  } finally {
    for (const name of CHANNELS) channel(name).unsubscribe(hear);
  }
}

function leaksOf({ canary, seen }: Run): string[] {
  return seen.flatMap((value) => canary.leaksIn(value));
}

describe('nothing that the package shows holds a key, a digest or a pepper', () => {
  test('in the life of a key', async () => {
    const run = await runOf(async ({ ask, canary, key, id, seen }, apiKeys) => {
      await ask(() => apiKeys.verify(key));
      await ask(() => apiKeys.verify(key));
      await ask(() => apiKeys.get(id));
      await ask(() => apiKeys.list());
      const rotated = await apiKeys.rotate(id);
      canary.hideKey(rotated.key);
      seen.push(rotated.apiKey);
      for (const text of [key, rotated.key]) await ask(() => apiKeys.verify(text));
      await ask(() => apiKeys.disable(id));
      await ask(() => apiKeys.revoke(id, { reason: 'leaked' }));
      for (const text of [key, rotated.key]) await ask(() => apiKeys.verify(text));
      await ask(() => apiKeys.rotate(id));
      await ask(() => apiKeys.delete(id));
      await ask(() => apiKeys.verify(key));
    });
    expect(run.seen.length).toBeGreaterThan(20);
    expect(leaksOf(run)).toEqual([]);
  });

  test('when a key is handed over in the wrong place', async () => {
    const run = await runOf(async ({ ask, key }, apiKeys) => {
      for (const text of [
        key.slice(0, -1),
        `${key}0`,
        key.replace(PREFIX, 'other'),
        ` ${key}`,
        key.toUpperCase(),
      ]) {
        await ask(() => apiKeys.verify(text));
      }
      await ask(() => apiKeys.get(key));
      await ask(() => apiKeys.revoke(key));
      await ask(() => apiKeys.delete(key));
      await ask(() => apiKeys.update(key, {}));
      await ask(() => apiKeys.create({ ...KEY_INPUT, scopes: [`${key} `] }));
      await ask(() => apiKeys.list({ cursor: `${key} ` }));
    });
    expect(leaksOf(run)).toEqual([]);
  });

  test('when an option is refused', () => {
    const canary = new Canary(PEPPERS);
    for (const peppers of [
      PEPPERS[0]?.secret,
      [PEPPERS[0]?.secret],
      [{ ...PEPPERS[0], extra: 1 }],
      [PEPPERS[0], PEPPERS[0]],
    ]) {
      let refused: unknown;
      try {
        createApiKeys({ store: new MemoryKeyStore(), peppers: peppers as never });
      } catch (error) {
        refused = error;
      }
      expect(refused).toBeInstanceOf(TypeError);
      expect(canary.leaksIn(refused)).toEqual([]);
    }
  });

  /** An error as drivers make them: it quotes the statement, its values, and hides them in its members. */
  function quoting(...secrets: readonly string[]): Error {
    const text = `duplicate key (${secrets.join(') (')}) at host 10.0.0.5`;
    const cause = new Error(text);
    return Object.assign(new Error(text, { cause }), {
      name: `Error ${secrets[0]}`,
      code: `E ${secrets[0]}`,
      detail: text,
      parameters: secrets,
      query: { values: secrets },
    });
  }

  const FAULTS: readonly [name: string, fault: (secrets: readonly string[]) => Fault][] = [
    ['throws an error that quotes them', (secrets) => throws(quoting(...secrets))],
    ['rejects with an error that quotes them', (secrets) => rejects(quoting(...secrets))],
    ['rejects with them as a text', (secrets) => rejects(secrets.join())],
    ['rejects with them as an object', (secrets) => rejects({ message: secrets.join(), secrets })],
    ['answers with them', (secrets) => answers(secrets)],
    ['answers with them as a text', (secrets) => answers(secrets.join())],
    ['answers with an error', (secrets) => answers(quoting(...secrets))],
    ['puts them where an id should be', (secrets) => spoils((record) => ({ ...record, id: ` ${secrets}` }))],
    [
      'puts them where a date should be',
      (secrets) => spoils((record) => ({ ...record, createdAt: secrets.join() })),
    ],
    [
      'puts them among the scopes',
      (secrets) => spoils((record) => ({ ...record, scopes: [secrets.join(' ')] })),
    ],
  ];

  test.each(FAULTS)('when the store %s', async (_name, fault) => {
    const run = await runOf(async ({ ask, store, key, id }, apiKeys) => {
      const recorded = await apiKeys.verify(key);
      expect(recorded.ok).toBe(true);
      await apiKeys.disable(id);
      const asked = store.asked('findByDigest')[0]?.[0] as readonly string[];
      const bare = asked.map((digest) => digest.slice(digest.lastIndexOf(':') + 1));
      for (const method of [
        'findByDigest',
        'findById',
        'update',
        'delete',
        'list',
        'recordUse',
        'close',
      ] as const) {
        store.always(method, fault([...asked, key]));
      }
      await ask(() => apiKeys.verify(key));
      store.next('findByDigest', fault([...bare]));
      await ask(() => apiKeys.verify(key));
      await ask(() => apiKeys.get(id));
      await ask(() => apiKeys.list());
      await ask(() => apiKeys.ready());
      await ask(() => apiKeys.delete(id));
      store.heal('findById');
      await ask(() => apiKeys.enable(id));
    });
    expect(run.seen.some((one) => one instanceof Error)).toBe(true);
    expect(leaksOf(run)).toEqual([]);
  });

  test('when a verifier of somebody else throws an error that quotes what it was given', async () => {
    const text = 'theirs-marker-which-nobody-may-see';
    const verifier: KeyVerifier = {
      name: 'theirs',
      examples: ['theirs-1'],
      matches: (one) => one.startsWith('theirs-'),
      find: (one) => Promise.reject(new Error(`cannot find "${one}"`)),
    };
    const events: KeyEvent[] = [];
    const apiKeys = createApiKeys({
      store: new MemoryKeyStore(),
      verifiers: [verifier],
      onEvent: (event) => events.push(event),
    });
    const canary = new Canary();
    canary.hide('text', text);
    const error: unknown = await Promise.resolve(apiKeys.verify(text)).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ status: 503 });
    expect(canary.leaksIn(error, events)).toEqual([]);
  });
});
