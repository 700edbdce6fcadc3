import { describe, expect, test } from '@jest/globals';
import { type KeyStore, MemoryKeyStore } from '../../lib/index.ts';
import { keyStoreCases, type OpenedStore } from '../../lib/testing/key-store-cases.ts';
import { delegate, openBroken, openRight, RightStore } from './breakage.ts';

/** Opens stores and counts what becomes of them. */
function countingOpener(open: () => OpenedStore): { open(): OpenedStore; opened: number; cleaned: number } {
  const counts = {
    opened: 0,
    cleaned: 0,
    open: (): OpenedStore => {
      counts.opened += 1;
      return {
        ...open(),
        cleanUp: async () => {
          counts.cleaned += 1;
        },
      };
    },
  };
  return counts;
}

const without = (...names: (keyof KeyStore)[]): OpenedStore => {
  const members = Object.entries(delegate(new RightStore()));
  return {
    store: Object.fromEntries(members.filter(([name]) => !names.includes(name as keyof KeyStore))) as never,
  };
};

const ABILITIES = ['insertMany', 'findMany', 'delete', 'recordUse', 'watch', 'close'] as const;

describe('keyStoreCases', () => {
  const cases = keyStoreCases(openRight);

  test('gives many cases, each with a name of its own', () => {
    expect(cases.length).toBeGreaterThanOrEqual(80);
    expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length);
  });

  test('finds nothing wrong with a store that has every ability', async () => {
    const problems = await Promise.allSettled(cases.map(({ run }) => run()));
    expect(problems.filter(({ status }) => status === 'rejected')).toEqual([]);
  });

  test('gives cases for every ability, and most of them for none', () => {
    const abilities = new Set(cases.map(({ needs }) => needs));
    expect(abilities).toEqual(new Set([undefined, ...ABILITIES]));
    expect(cases.filter(({ needs }) => needs === undefined).length).toBeGreaterThanOrEqual(80);
  });

  test('opens nothing before a case runs, then one store for each, and cleans up after each', async () => {
    const counts = countingOpener(openRight);
    const some = keyStoreCases(counts.open).slice(0, 20);
    expect(counts).toMatchObject({ opened: 0, cleaned: 0 });
    for (const { run } of some) await run();
    expect(counts).toMatchObject({ opened: 20, cleaned: 20 });
  });

  test('cleans up after a case that failed, too, and tells what the case has found', async () => {
    const counts = countingOpener(() => openBroken(() => ({ findById: async () => undefined })));
    const [, , it] = keyStoreCases(counts.open);
    await expect(it?.run()).rejects.toMatchObject({ name: 'AssertionError', message: /findById/ });
    expect(counts).toMatchObject({ opened: 1, cleaned: 1 });
  });

  test('tells what the case has found also where cleaning up fails', async () => {
    const broken = openBroken(() => ({ findById: async () => undefined }));
    const cleanUp = (): never => {
      throw new Error('not cleaned up');
    };
    const [, , failing] = keyStoreCases(() => ({ ...broken, cleanUp }));
    await expect(failing?.run()).rejects.toMatchObject({ name: 'AssertionError' });
    const [, , passing] = keyStoreCases(() => ({ ...openRight(), cleanUp }));
    await expect(passing?.run()).rejects.toThrow('not cleaned up');
  });

  test.each(ABILITIES)('cases that need %s resolve on a store without it, and clean up', async (ability) => {
    const counts = countingOpener(() => without(ability));
    const concerned = keyStoreCases(counts.open).filter(({ needs }) => needs === ability);
    expect(concerned.length).toBeGreaterThan(0);
    for (const { run } of concerned) await run();
    expect(counts).toMatchObject({ opened: concerned.length, cleaned: concerned.length });
  });

  test('all cases pass on a store with the required methods alone, with one client', async () => {
    const minimal = keyStoreCases(() => without(...ABILITIES));
    for (const { run } of minimal) await run();
  });

  test('says that a MemoryKeyStore that was used already is not empty', async () => {
    const store = new MemoryKeyStore();
    const [, , it] = keyStoreCases(() => ({ store }));
    await it?.run();
    await expect(it?.run()).rejects.toMatchObject({ code: 'duplicate_key' });
  });

  test.each([undefined, {}, new MemoryKeyStore()])('refuses %p in place of a function', (open) => {
    expect(() => keyStoreCases(open as never)).toThrow(
      /^keyStoreCases: open must be a function, but got (undefined|an object)$/,
    );
  });
});
