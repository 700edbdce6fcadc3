import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import type { ApiKeys, Explanation, KeyRecord } from '../../lib/index.ts';
import { answers, lagsBehind, rejects } from '../support/fault-store.ts';
import { advance, holdClocks, type KeyBench, openBench, outcomeOf } from '../support/key-bench.ts';
import { START_MS } from '../support/open-keys.ts';

beforeEach(holdClocks);
afterEach(() => {
  jest.useRealTimers();
});

const STATES = [
  'revoked',
  'disabled',
  'owner_inactive',
  'rotated',
  'expired',
  'not_yet_valid',
  'wrong_environment',
];

type ChangeName = 'revoke' | 'disable' | 'enable' | 'rotate' | 'narrow' | 'end' | 'delete';

const changes: { readonly [Name in ChangeName]: (apiKeys: ApiKeys, id: string) => Promise<unknown> } = {
  revoke: (apiKeys, id) => apiKeys.revoke(id),
  disable: (apiKeys, id) => apiKeys.disable(id),
  enable: (apiKeys, id) => apiKeys.enable(id),
  rotate: (apiKeys, id) => apiKeys.rotate(id, { gracePeriodMs: 8_000 }),
  narrow: (apiKeys, id) => apiKeys.update(id, { scopes: [] }),
  end: (apiKeys, id) => apiKeys.update(id, { expiresAt: new Date(Date.now() + 9_000) }),
  delete: (apiKeys, id) => apiKeys.delete(id),
};

/** What else may happen; `old` is the record as it was at first. */
const incidents: {
  readonly [name: string]: (bench: KeyBench, old: KeyRecord) => Promise<unknown> | undefined;
} = {
  verify: ({ apiKeys, key }) => outcomeOf(apiKeys.verify(key)),
  fail: ({ store }) => void store.always('findByDigest', rejects(new Error('down'))),
  lag: ({ store }, old) => void store.always('findByDigest', lagsBehind(old)),
  garble: ({ store }) => void store.always('findByDigest', answers({ id: 'what?' })),
  heal: ({ store }) => void store.heal(),
  wait100: () => advance(100),
  wait4000: () => advance(4_000),
  wait11000: () => advance(11_000),
  wait45000: () => advance(45_000),
};

const happenings = fc.array(
  fc.oneof(
    fc.record({
      change: fc.constantFrom(...(Object.keys(changes) as ChangeName[])),
      isHere: fc.boolean(),
    }),
    fc.record({ incident: fc.constantFrom(...Object.keys(incidents)) }),
  ),
  { maxLength: 8 },
);

type Happening = typeof happenings extends fc.Arbitrary<(infer One)[]> ? One : never;

async function openAfter(happened: readonly Happening[]): Promise<KeyBench> {
  jest.setSystemTime(START_MS);
  const bench = await openBench({ ownerStatus: () => 'active' });
  const elsewhere = bench.otherProcess();
  const old = await bench.record();
  for (const one of happened) {
    if ('incident' in one) await incidents[one.incident]?.(bench, old);
    // A change may be one that the key's state does not allow.
    else
      await changes[one.change](one.isHere ? bench.apiKeys : elsewhere, bench.apiKey.id).catch(
        () => undefined,
      );
  }
  return bench;
}

function failedSteps({ steps }: Explanation): string[] {
  return steps.filter(({ outcome }) => outcome === 'fail').map(({ step }) => step);
}

function outcomeIn({ verdict, reason, error }: Explanation): string {
  return reason ?? error?.code ?? verdict;
}

test('whatever has happened to a key, explain() says what verify() then says', async () => {
  const seen = new Set<string>();
  await fc.assert(
    fc.asyncProperty(happenings, async (happened) => {
      const { apiKeys, key } = await openAfter(happened);
      const explanation = await apiKeys.explain(key);
      seen.add(outcomeIn(explanation));

      expect(outcomeIn(explanation)).toBe(await outcomeOf(apiKeys.verify(key)));
    }),
    // The same ones each time, since what they cover is asserted below.
    { numRuns: 250, seed: 11 },
  );

  const wanted = [
    'accepted',
    'disabled',
    'expired',
    'revoked',
    'rotated',
    'temporarily_unavailable',
    'unknown',
  ];
  expect([...seen]).toEqual(expect.arrayContaining(wanted));
});

test('what is not accepted has a step that failed, and of the checks the first to fail is the reason', async () => {
  await fc.assert(
    fc.asyncProperty(happenings, async (happened) => {
      const { apiKeys, key } = await openAfter(happened);
      const explanation = await apiKeys.explain(key);
      const failed = failedSteps(explanation);
      const [first] = failed.filter((step) => STATES.includes(step));

      if (explanation.verdict === 'accepted') expect(first).toBeUndefined();
      else expect(failed).not.toEqual([]);
      expect([explanation.reason, undefined]).toContain(first);
    }),
    { numRuns: 100 },
  );
});
