// The order of Jest's test files. Without a cache of earlier times, as on a fresh checkout, Jest goes by the size of the
// file; a short file that takes long would then begin last, and be waited for.
import { statSync } from 'node:fs';

const LONGEST = [
  'testing/conformance',
  'stores/redis-watch',
  'interleavings',
  'cli/silence',
  'stores/sql-outages',
  'cli/import-export',
  'corpus',
  'stores/sql-watch',
  'hardening/soak',
  'hardening/fuzz',
  'hardening/network',
  'hardening/floods',
  'hardening/timing',
  'hardening/store-faults',
  'hardening/clock',
  'stores/sql-watch-postgres',
  'cli/commands',
  'supply-chain',
  'stores/redis-outages',
  'testing/runners',
  'authentication/outdated-entries',
  'documented-start',
  'cli/terminal',
];

export default class LongestFirst {
  sort(tests) {
    const files = [...tests].map((test) => ({
      test,
      place: placeOf(test.path),
      size: statSync(test.path).size,
    }));
    files.sort((one, other) => one.place - other.place || other.size - one.size);
    return files.map(({ test }) => test);
  }

  /** Nothing is remembered of earlier runs: all may have failed. */
  allFailedTests(tests) {
    return tests;
  }

  cacheResults() {}
}

function placeOf(path) {
  const place = LONGEST.findIndex((name) => path.endsWith(`/__tests__/${name}.test.ts`));
  return place === -1 ? LONGEST.length : place;
}
