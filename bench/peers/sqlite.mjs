// An SQLite file of its own, with a driver that runs on every Node that is measured: whoever needs one gets the same.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'libsql';

export function openSqlite() {
  const folder = mkdtempSync(join(tmpdir(), 'keystile-bench-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  const database = new Database(join(folder, 'bench.db'));
  database.exec('PRAGMA journal_mode = WAL');
  database.exec('PRAGMA synchronous = NORMAL');
  return database;
}
