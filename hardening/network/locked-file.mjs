// A database in a file, which another connection locks.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from '@libsql/client';
import { SqlKeyStore } from 'keystile/stores/sql';

/** While it is locked against writers, it can be read. */
export const LOCK_FAULTS = [
  {
    name: 'locked against writers',
    run: ({ lock, ms }) =>
      locked(lock, ms, async (other) => {
        const transaction = await other.transaction('write');
        return () => transaction.rollback();
      }),
  },
  {
    name: 'locked against all',
    run: ({ lock, ms }) =>
      locked(lock, ms, async (other) => {
        // From its next write on, it keeps the lock for as long as it is open.
        await other.execute('PRAGMA locking_mode = EXCLUSIVE');
        await other.execute('PRAGMA user_version = 1');
        return () => undefined;
      }),
  },
];

async function locked(openOther, ms, take) {
  const other = openOther();
  try {
    const giveBack = await patiently(() => take(other));
    await sleep(ms);
    await giveBack();
  } finally {
    other.close();
  }
}

/** The application may be at the file right now. */
async function patiently(take) {
  for (;;) {
    try {
      return await take();
    } catch (error) {
      if (error.code !== 'SQLITE_BUSY') throw error;
      await sleep(1);
    }
  }
}

export async function openLockedFile() {
  const folder = mkdtempSync(join(tmpdir(), 'keystile-network-'));
  const url = `file:${join(folder, 'keys.db')}`;
  const client = createClient({ url });
  const store = new SqlKeyStore(client);
  await store.migrate();
  const close = async () => {
    client.close();
    rmSync(folder, { recursive: true, force: true });
  };
  return { store, lock: () => createClient({ url }), close };
}
