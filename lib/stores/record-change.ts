import { type KeyRecord, readRecord } from '../keys/key-record.ts';
import type { KeyChange } from './key-store.ts';

/** The record that a change makes of one, for stores that write records whole. */
export function changedRecord(record: KeyRecord, change: KeyChange): KeyRecord {
  const { clear = [], narrows: _, ...members } = change;
  const next: Record<string, unknown> = { ...record, version: record.version + 1 };
  for (const [name, value] of Object.entries(members)) {
    if (value !== undefined) next[name] = value;
  }
  for (const name of clear) delete next[name];
  return readRecord(next);
}
