import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { SqlKeyStore, type SqlQuery } from '../../lib/stores/sql-key-store.ts';
import { buildRecord, idOf } from '../support/records.ts';
import { connectionKinds, type OpenedConnection, openForTests } from '../support/sql-connections.ts';

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

beforeEach(() => {
  jest.useFakeTimers({
    doNotFake: [
      'nextTick',
      'setImmediate',
      'setTimeout',
      'clearTimeout',
      'setInterval',
      'queueMicrotask',
      'Date',
    ],
  });
});
afterEach(() => {
  jest.useRealTimers();
});

describe.each(connectionKinds)('what is left of deleted records over $name', (kind) => {
  let opened: OpenedConnection;
  let store: SqlKeyStore;
  openForTests(kind, (...given) => {
    [opened, store] = given;
  });

  async function ids(): Promise<readonly string[]> {
    const rows = await opened.run('SELECT id FROM keystile_keys ORDER BY id');
    return rows.map((row) => String((row as { id: unknown }).id));
  }

  async function until(isSo: () => Promise<boolean>): Promise<void> {
    while (!(await isSo())) await new Promise((resolve) => setImmediate(resolve));
  }

  test('is cleared away once it is an hour old, and nothing else is', async () => {
    for (const number of [1, 2, 3, 4]) await store.insert(buildRecord(number));
    await store.update(idOf(4), { revokedAt: new Date(), narrows: true }, 1);
    for (const number of [1, 2]) await store.delete(idOf(number));
    await opened.run(
      `UPDATE keystile_keys SET narrowed_at = narrowed_at - ${HOUR_MS + 1_000} WHERE id <> ?`,
      [idOf(2)],
    );
    jest.advanceTimersByTime(MINUTE_MS);
    await store.delete(idOf(3));
    await until(async () => (await ids()).length === 3);
    expect(await ids()).toEqual([idOf(2), idOf(3), idOf(4)]);
  });
});

test('clearing away is begun at the first deletion and once a minute, and its failure is nobody’s', async () => {
  const asked: string[] = [];
  const query: SqlQuery = async (text) => {
    asked.push(text);
    if (text.startsWith('SELECT')) throw new Error('down');
    return { rows: [], affectedRows: 1 };
  };
  const store = new SqlKeyStore({ dialect: 'sqlite', query });
  for (let count = 0; count < 3; count += 1) expect(await store.delete('a')).toBe(true);
  expect(asked).toHaveLength(4);
  jest.advanceTimersByTime(MINUTE_MS);
  for (let count = 0; count < 3; count += 1) expect(await store.delete('a')).toBe(true);
  expect(asked).toHaveLength(8);
});
