import { describe, expect, test } from '@jest/globals';
import { core, untilTold, whole } from './support/our-designs.ts';
import { type Outcome, replay, runInterleavings } from './support/scheduler.ts';
import {
  deleteById,
  type FetchOptions,
  floorWhenKept,
  getAwaitSet,
  globalEpoch,
  lastFloor,
  lruFetch,
} from './support/wrong-designs.ts';

/** Any number does; one that is printed by a failure brings the same failure again. */
const BASE_SEED = 20_260_301;

/** The long run asks for more of them, and for others. */
const TIMES = Number(process.env['KEYSTILE_INTERLEAVINGS'] ?? 1);
const SEED = Number(process.env['KEYSTILE_INTERLEAVINGS_SEED'] ?? BASE_SEED);
const LONGEST_MS = 120_000 * Math.max(1, TIMES);

/** A hundred thousand in all, most of them of what is quick. */
const OF_CORE = Math.ceil(36_000 * TIMES);
const OF_WHOLE = Math.ceil(1_000 * TIMES);
const LOSSY_OF_CORE = Math.ceil(12_000 * TIMES);
const LOSSY_OF_WHOLE = OF_WHOLE;

const CATCH_WITHIN = 20_000;

/** The first interleaving that went wrong, step by step; nothing where none did. */
async function wrongStory({ firstWrong }: Outcome): Promise<string> {
  return firstWrong === undefined ? '' : replay(firstWrong.scenario);
}

describe('a change that this process was told of', () => {
  test.each([
    { made: 'the core', design: core, interleavings: OF_CORE, hasReplica: false, store: 'one store' },
    {
      made: 'the core',
      design: core,
      interleavings: OF_CORE,
      hasReplica: true,
      store: 'a replica that lags',
    },
    { made: 'all of it', design: whole, interleavings: OF_WHOLE, hasReplica: false, store: 'one store' },
    {
      made: 'all of it',
      design: whole,
      interleavings: OF_WHOLE,
      hasReplica: true,
      store: 'a replica that lags',
    },
  ])(
    'holds in $interleavings interleavings with $store, for $made, and refuses no good key',
    async ({ design, interleavings, hasReplica }) => {
      const outcome = await runInterleavings({
        baseSeed: SEED,
        interleavings,
        hasReplica,
        makeDesign: design,
      });
      expect(await wrongStory(outcome)).toBe('');
      const { falseAccepts, falseRefusals, accepted, refused, unavailable } = outcome;
      expect({ falseAccepts, falseRefusals }).toEqual({ falseAccepts: 0, falseRefusals: 0 });
      // Each interleaving asks 3 to 6 times: most must have come to an answer, and of each kind.
      expect(accepted).toBeGreaterThan(interleavings * 2);
      expect(refused).toBeGreaterThan(interleavings * 0.5);
      expect(unavailable).toBeLessThan(interleavings);
    },
    LONGEST_MS,
  );
});

describe('a change of which the message was lost, came twice, late or before an earlier one', () => {
  test.each([
    { made: 'the core', design: core, interleavings: LOSSY_OF_CORE, hasReplica: false, store: 'one store' },
    {
      made: 'the core',
      design: core,
      interleavings: LOSSY_OF_CORE,
      hasReplica: true,
      store: 'a replica that lags',
    },
    {
      made: 'all of it',
      design: whole,
      interleavings: LOSSY_OF_WHOLE,
      hasReplica: false,
      store: 'one store',
    },
    {
      made: 'all of it',
      design: whole,
      interleavings: LOSSY_OF_WHOLE,
      hasReplica: true,
      store: 'a replica that lags',
    },
  ])(
    'holds once the bound has passed, in $interleavings interleavings with $store, for $made',
    async ({ design, interleavings, hasReplica }) => {
      const plan = { baseSeed: SEED, hasReplica, makeDesign: design, isLossy: true };
      const outcome = await runInterleavings({ ...plan, interleavings });
      expect(await wrongStory(outcome)).toBe('');
      const { falseAccepts, falseRefusals, accepted, refused } = outcome;
      expect({ falseAccepts, falseRefusals }).toEqual({ falseAccepts: 0, falseRefusals: 0 });
      expect(accepted).toBeGreaterThan(interleavings * 2);
      expect(refused).toBeGreaterThan(interleavings * 0.3);
    },
    LONGEST_MS,
  );

  test.each([
    { design: 'entries that live until they are told of', makeDesign: untilTold },
    { design: 'the last message, and not the highest', makeDesign: lastFloor },
  ])('is taken wrongly by $design, and the scheduler catches it', async ({ makeDesign }) => {
    const plan = { baseSeed: BASE_SEED, hasReplica: false, makeDesign, isLossy: true };
    const outcome = await runInterleavings({
      ...plan,
      interleavings: CATCH_WITHIN,
      stopsAt: 'falseAccepts',
    });
    expect(outcome.falseAccepts).toBeGreaterThan(0);
    expect(await wrongStory(outcome)).toContain('FALSE ACCEPT');
  });

  test('is no matter to entries that live until they are told of, where no message is lost', async () => {
    const plan = { baseSeed: BASE_SEED, hasReplica: false, makeDesign: untilTold };
    const outcome = await runInterleavings({ ...plan, interleavings: 3_000 });
    expect(await wrongStory(outcome)).toBe('');
  });
});

describe('the scheduler catches a wrong acceptance', () => {
  const inflight: FetchOptions = { ignoreFetchAbort: true };
  const rejected: FetchOptions = { allowStaleOnFetchRejection: true };
  const aborted: FetchOptions = { allowStaleOnFetchAbort: true };

  test.each([
    { design: 'get, await, set', makeDesign: getAwaitSet, hasReplica: false },
    { design: 'delete by id', makeDesign: deleteById, hasReplica: false },
    { design: 'a floor asked when a record is kept', makeDesign: floorWhenKept, hasReplica: false },
    { design: 'lru-cache, ignoreFetchAbort', makeDesign: lruFetch(inflight), hasReplica: false },
    { design: 'lru-cache, allowStaleOnFetchRejection', makeDesign: lruFetch(rejected), hasReplica: false },
    { design: 'lru-cache, allowStaleOnFetchAbort', makeDesign: lruFetch(aborted), hasReplica: false },
    {
      design: 'lru-cache, both abort options',
      makeDesign: lruFetch({ ...inflight, ...aborted }),
      hasReplica: false,
    },
    { design: 'lru-cache, default fetching, a replica', makeDesign: lruFetch({}), hasReplica: true },
    { design: 'a global epoch, a replica', makeDesign: globalEpoch, hasReplica: true },
  ])('of $design', async ({ makeDesign, hasReplica }) => {
    const plan = { baseSeed: BASE_SEED, hasReplica, makeDesign, isGentle: true };
    const outcome = await runInterleavings({
      ...plan,
      interleavings: CATCH_WITHIN,
      stopsAt: 'falseAccepts',
    });
    expect(outcome.falseAccepts).toBeGreaterThan(0);
    expect(await wrongStory(outcome)).toContain('FALSE ACCEPT');
  });
});

test.each([{ option: 'allowStaleOnFetchRejection' }, { option: 'allowStaleOnFetchAbort' }])(
  'the scheduler catches a wrong refusal of lru-cache, $option',
  async ({ option }) => {
    const outcome = await runInterleavings({
      baseSeed: BASE_SEED,
      hasReplica: false,
      makeDesign: lruFetch({ [option]: true }),
      isGentle: true,
      interleavings: CATCH_WITHIN,
      stopsAt: 'falseRefusals',
    });
    expect(await wrongStory(outcome)).toContain('FALSE REFUSAL');
  },
);

/** What is wrong only with a replica must pass without one, or the scheduler would cry wolf. */
test.each([
  { design: 'a global epoch', makeDesign: globalEpoch },
  { design: 'lru-cache, default fetching', makeDesign: lruFetch({}) },
  { design: 'lru-cache, noDeleteOnFetchRejection', makeDesign: lruFetch({ noDeleteOnFetchRejection: true }) },
])('the scheduler finds nothing wrong with $design where no replica lags', async ({ makeDesign }) => {
  const outcome = await runInterleavings({
    baseSeed: BASE_SEED,
    hasReplica: false,
    makeDesign,
    isGentle: true,
    interleavings: 3_000,
  });
  expect(await wrongStory(outcome)).toBe('');
});

test('a seed brings the same steps and decisions each time', async () => {
  const scenario = { seed: BASE_SEED, hasReplica: true, makeDesign: whole };
  const story = await replay(scenario);
  expect(story.split('\n').length).toBeGreaterThan(10);
  expect(await replay(scenario)).toBe(story);
});
