import { beforeAll, describe, expect, test } from '@jest/globals';
import { keyStoreCases, type StoreCase } from '../../lib/testing/key-store-cases.ts';
import { openBroken, openRight } from './breakage.ts';
import { brokenStores } from './broken-stores.ts';

/** How a case ends: with `undefined` where it finds the store right. */
async function outcomeOf({ run }: StoreCase): Promise<unknown> {
  try {
    await run();
    return undefined;
  } catch (error) {
    return error;
  }
}

const names = keyStoreCases(openRight).map(({ name }) => name);
const rows = brokenStores.flatMap(({ wrong, with: breakIt, throws = 'AssertionError', noticedBy }) =>
  noticedBy.map((name) => ({ wrong, breakIt, throws, name })),
);
let outcomes: ReadonlyMap<string, unknown>;

// All at once, as some of them wait for what a broken store never says.
beforeAll(async () => {
  const found = rows.map(async ({ wrong, breakIt, name }): Promise<[string, unknown]> => {
    const it = keyStoreCases(() => openBroken(breakIt)).find((one) => one.name === name);
    return [`${wrong}: ${name}`, it && (await outcomeOf(it))];
  });
  outcomes = new Map(await Promise.all(found));
}, 60_000);

test('for every case there is a store that is broken for it', () => {
  expect(new Set(rows.map(({ name }) => name))).toEqual(new Set(names));
});

describe('a store that', () => {
  test.each(rows)('$wrong is noticed by "$name"', ({ wrong, throws, name }) => {
    expect(outcomes.get(`${wrong}: ${name}`)).toMatchObject({ name: throws });
  });
});
