// Hostile input of every kind, by seed: `npm run test:hardening -- fuzz --seed N`. What was found once is kept in
// __tests__/data/fuzz-regressions.jsonl, a line for each, and asked again before anything new is.
import { readFileSync } from 'node:fs';
import { fuzzBodies } from './bodies.mjs';
import { fuzz, replay } from './fuzzer.mjs';
import { fuzzHeaders } from './headers.mjs';
import { fuzzKeys } from './keys.mjs';
import { fuzzMessages } from './messages.mjs';
import { fuzzRawHeaders } from './raw-headers.mjs';
import { fuzzRecords } from './records.mjs';
import { fuzzTokens } from './tokens.mjs';

const KEPT = new URL('../../__tests__/data/fuzz-regressions.jsonl', import.meta.url);

/** Below so many, times are not judged: the compiler is still at work. */
const ENOUGH_TO_TIME = 20_000;

/** By name: how it is opened, and how many inputs are the long run. */
const FUZZERS = {
  headers: { open: fuzzHeaders, iterations: 10_000_000 },
  // Each is a connection, of ten requests on average.
  'raw headers': { open: fuzzRawHeaders, iterations: 10_000, isMany: true },
  keys: { open: fuzzKeys, iterations: 1_000_000 },
  JWTs: { open: fuzzTokens, iterations: 1_000_000 },
  bodies: { open: fuzzBodies, iterations: 1_000_000 },
  records: { open: fuzzRecords, iterations: 1_000_000 },
  'watch messages': { open: fuzzMessages, iterations: 200_000 },
};

/** @param {import('../parts.mjs').Plan} plan @returns {Promise<import('../parts.mjs').Row[]>} */
export async function run({ seed, scale, say }) {
  const rows = [await replayKept()];
  for (const [name, fuzzer] of Object.entries(FUZZERS)) {
    const iterations = Math.max(20, Math.round(fuzzer.iterations * scale));
    const isTimed = iterations >= ENOUGH_TO_TIME && !('isMany' in fuzzer);
    const row = await fuzz(await fuzzer.open(), { seed, iterations, isTimed });
    say(`${name}: ${row.iterations.toLocaleString('en')}, ${row.details}`);
    rows.push(row);
  }
  return rows;
}

/** @returns {Promise<import('../parts.mjs').Row>} */
async function replayKept() {
  const kept = readFileSync(KEPT, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  /** @type {string[]} */
  const problems = [];
  for (const [name, { open }] of Object.entries(FUZZERS)) {
    const fuzzer = await open();
    for (const { input } of kept.filter((one) => one.fuzzer === name)) {
      const problem = await replay(fuzzer, input);
      if (problem !== undefined) problems.push(problem);
    }
    await fuzzer.close();
  }
  return { name: 'kept from before', iterations: kept.length, problems };
}
