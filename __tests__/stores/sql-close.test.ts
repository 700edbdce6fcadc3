import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { SqlKeyStore, type SqlQuery } from '../../lib/stores/sql-key-store.ts';

let rung = 0;
/** Ends the notification that is under way. */
let answer: () => void;

const query: SqlQuery = async (text) => {
  if (text.includes('pg_notify')) {
    rung += 1;
    await new Promise<void>((resolve) => {
      answer = resolve;
    });
  }
  return { rows: [], affectedRows: 1 };
};

beforeEach(() => {
  rung = 0;
  jest.useFakeTimers({ doNotFake: ['setImmediate'] });
});
afterEach(() => void jest.useRealTimers());

describe('close()', () => {
  test.each([{ watch: false as const }, {}])(
    'waits until others were told of a change, with %j',
    async (options) => {
      const store = new SqlKeyStore({ dialect: 'postgres', query }, options);
      expect(await store.delete('a')).toBe(true);
      let isClosed = false;
      const closed = store.close().then(() => {
        isClosed = true;
      });
      await jest.advanceTimersByTimeAsync(500);
      expect([rung, isClosed]).toEqual([1, false]);
      answer();
      await jest.advanceTimersByTimeAsync(0);
      expect(isClosed).toBe(true);
      await closed;
    },
  );

  test('waits no longer than a second, and not at all where there is nothing to tell', async () => {
    const store = new SqlKeyStore({ dialect: 'postgres', query });
    await store.close();
    await store.delete('a');
    const closed = store.close();
    await jest.advanceTimersByTimeAsync(1_000);
    await closed;
    expect(rung).toBe(1);
  });
});
