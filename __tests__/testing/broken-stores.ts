import type { Breakage } from './breakage.ts';
import { brokenMany } from './broken-many.ts';
import { brokenReads } from './broken-reads.ts';
import { brokenTiming } from './broken-timing.ts';
import { brokenValues } from './broken-values.ts';
import { brokenWrites } from './broken-writes.ts';

/** One store for each way to be wrong. For every case of the kit there is one that it must notice. */
export const brokenStores: readonly Breakage[] = [
  ...brokenWrites,
  ...brokenMany,
  ...brokenReads,
  ...brokenValues,
  ...brokenTiming,
];
